"""Token buckets, by a clock of our own."""

from __future__ import annotations

import pytest

from clickatlas.api.limits import Buckets, network_of
from clickatlas.errors import Problem


def test_a_bucket_empties_and_fills() -> None:
    now = [100.0]
    buckets = Buckets(6, "Tries", clock=lambda: now[0])
    for _ in range(6):
        buckets.take("a")
    with pytest.raises(Problem) as refused:
        buckets.take("a")
    assert refused.value.status == 429
    wait = refused.value.extra["retry_after"]
    buckets.take("b")
    now[0] += wait
    buckets.take("a")
    now[0] += 3600
    for _ in range(6):
        buckets.take("a")
    with pytest.raises(Problem):
        buckets.check("a")


def test_nothing_is_limited_by_zero() -> None:
    buckets = Buckets(0, "Tries")
    for _ in range(1000):
        buckets.take("a")


def test_many_names_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clickatlas.api.limits.MOST", 10)
    buckets = Buckets(1, "Tries")
    for number in range(1000):
        buckets.take(str(number))
    assert len(buckets._left) == 10


@pytest.mark.parametrize(
    ("address", "network"),
    [("1.2.3.4", "1.2.3.4"), ("::ffff:1.2.3.4", "1.2.3.4"), ("2a02:8100::1", "2a02:8100::/64"), ("", ""), ("x", "")],
)  # fmt: skip
def test_a_household_is_one(address: str, network: str) -> None:
    assert network_of(address) == network


def test_what_is_left_is_told() -> None:
    now = [100.0]
    buckets = Buckets(60, "Tries", clock=lambda: now[0])
    assert buckets.headers("a") == [
        (b"ratelimit-policy", b'"key";q=60;w=60'),
        (b"ratelimit", b'"key";r=60;t=0'),
    ]
    for _ in range(10):
        buckets.take("a")
    assert buckets.headers("a")[1] == (b"ratelimit", b'"key";r=50;t=10')
    now[0] += 4
    assert buckets.headers("a")[1] == (b"ratelimit", b'"key";r=54;t=6')
    assert Buckets(0, "Tries").headers("a") == []
