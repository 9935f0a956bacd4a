"""How figures grow, on made-up ones whose law is known; and the page that is made of the measured ones."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bench.fits import CONSTANT, LINEAR, SUBLINEAR, base, fit, power
from bench.scale import DATA, PAGE
from bench.scale_page import page
from bench.scale_plan import Assumed, Measured, plan

SIZES = [1.0, 10.0, 100.0]


@pytest.mark.parametrize(("p", "grows"), [(0.0, CONSTANT), (0.5, SUBLINEAR), (1.0, LINEAR), (1.3, LINEAR)])
def test_a_power_law_is_found(p: float, grows: str) -> None:
    found = power(SIZES, [7 * size**p for size in SIZES])
    assert found.exponent == pytest.approx(p, abs=1e-9)
    assert found.r2 == pytest.approx(1)
    assert found.at(1e5) == pytest.approx(7 * 1e5**p)
    assert found.grows == grows


@pytest.mark.parametrize("knee", [0.0, 0.5, 20.0, 1e4])
def test_a_fixed_part_and_one_of_each_click_are_told_apart(knee: float) -> None:
    values = [3 * (knee + size) for size in SIZES]
    found = base(SIZES, values)
    assert found.r2 > 0.9999
    assert found.at(1000) == pytest.approx(3 * (knee + 1000), rel=0.02)
    assert fit(SIZES, values).at(1000) == pytest.approx(3 * (knee + 1000), rel=0.02)


def test_the_law_that_tells_more_is_taken() -> None:
    assert fit(SIZES, [5, 50, 500]).exponent == pytest.approx(1)
    assert fit(SIZES, [2 * size**0.4 for size in SIZES]).law == "power"
    assert fit(SIZES, [1, 1.5, 6]).law == "base"
    noisy = [4 * size**0.7 * (1 + off) for size, off in zip(SIZES, (0.05, -0.05, 0.04), strict=True)]
    assert fit(SIZES, noisy).exponent == pytest.approx(0.7, abs=0.05)
    assert 0.9 < fit(SIZES, noisy).r2 < 1


def test_noise_about_a_constant_is_no_growth() -> None:
    values = np.array([100, 103, 98.0])
    assert fit(SIZES, values.tolist()).grows == CONSTANT
    assert fit(SIZES, [8, 8, 8]).at(1e6) == pytest.approx(8, rel=0.05)


@pytest.mark.parametrize(("sizes", "values"), [([1.0], [2.0]), ([1.0, 2.0], [1.0]), ([1.0, 2.0], [0.0, 1.0])])
def test_too_little_is_refused(sizes: list[float], values: list[float]) -> None:
    with pytest.raises(ValueError, match="two sizes"):
        fit(sizes, values)


def test_the_page_is_written_from_the_measurements() -> None:
    assert PAGE.read_text("utf-8") == page(json.loads(DATA.read_text("utf-8"))), (
        "run 'CLICKATLAS_BENCH_MILLIONS=0 python -m bench scale'"
    )


def test_a_plan_is_arithmetic() -> None:
    """By hand: 30.4 million clicks a month are 11.57 a second."""
    assumed = Assumed(peak=10, busy=0.5, kept_months=10, copies=2, free=0.5, bytes_in=500, bytes_out=500, cores=1,
                      disk=10, redirects=100, core_month=10, gb_month=1, gb_out=1)  # fmt: skip
    found = plan(30.4e6, Measured(clicks=20, counts=5, stored=4000), assumed)
    assert found.average == pytest.approx(11.574, rel=1e-3)
    assert found.redirectors == 1 + 3  # 115.7 a second at 50 each
    assert found.gbit == pytest.approx(115.74 * 8000 / 1e9, rel=1e-3)
    assert (found.single_gb, found.counts_gb) == pytest.approx((12.16, 3.04))
    assert (found.shards, found.servers) == (2, 4)  # 30.4 GB on disks of 10, two copies
    assert found.compute == (4 + 4 + 3) * 10
    assert found.disks == pytest.approx(30.4)
    assert found.traffic == pytest.approx(15.2)
    assert found.money == pytest.approx(110 + 30.4 + 15.2)
    many = plan(30.4e8, Measured(clicks=20, counts=5, stored=4000), assumed)
    assert many.single_gb == pytest.approx(100 * found.single_gb)
    assert many.redirectors == 1 + 232
