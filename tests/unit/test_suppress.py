"""What is hidden stays hidden from whoever holds all tables and can do linear algebra."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from clickatlas.insight.suppress import classes, suppress

Vector = npt.NDArray[np.float64]


@st.composite
def worlds(
    draw: st.DrawFn,
) -> tuple[list[npt.NDArray[np.int32]], npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Places in four levels: countries, regions and cities nest, metros cross regions; some are known to none."""
    places = draw(st.integers(1, 14))
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    country = random.integers(-1, 3, places)
    region = np.where(country >= 0, 10 + country * 3 + random.integers(0, 3, places), -1)
    region = np.where(random.random(places) < 0.2, -1, region)
    metro = np.where(
        (country >= 0) & (random.random(places) < 0.6), 30 + country * 2 + random.integers(0, 2, places), -1
    )
    city = np.where(region >= 0, 50 + region * 3 + random.integers(0, 3, places), -1)
    city = np.where(random.random(places) < 0.2, -1, city)
    clicks = np.floor(random.exponential(draw(st.sampled_from([2, 6, 20, 60])), places)).astype(np.int64)
    mark = (random.random(places) < 0.2).astype(np.int32) * draw(st.integers(0, 1))
    return [column.astype(np.int32) for column in (country, region, metro, city)], clicks, mark


def published(columns, marks, visible) -> tuple[Vector, list[tuple[int, int]], list[tuple[int, int]]]:  # type: ignore[no-untyped-def]
    """A row per number that is shown (over the places), and the shown and the hidden areas.

    Besides the tables that is the size of every class: all that tiles, frames and exports are made from.
    """
    rows = [np.ones(marks.size)] + [(marks == mark) * 1.0 for mark in np.unique(marks)]
    group = classes(columns, visible, marks)
    rows += [(group == one) * 1.0 for one in np.unique(group)]
    shown, hidden = [], []
    for level, column in enumerate(columns):
        for area in np.unique(column[column >= 0]).tolist():
            if visible[level][area]:
                shown.append((level, area))
                rows.append((column == area) * 1.0)
            else:
                hidden.append((level, area))
    return np.array(rows), shown, hidden


@settings(max_examples=400, deadline=None)
@given(worlds(), st.integers(2, 12))
def test_nothing_hidden_can_be_worked_out(world, least: int) -> None:  # type: ignore[no-untyped-def]
    columns, clicks, marks = world
    visible = suppress(columns, clicks, least, marks, crossing=(2,))
    if visible is None:
        return
    # The attacker knows which places have clicks at all: more than the tables tell.
    used = clicks > 0
    columns, clicks, marks = [column[used] for column in columns], clicks[used], marks[used]
    rows, shown, hidden = published(columns, marks, visible)
    for level, area in shown:
        assert clicks[columns[level] == area].sum() >= least
    rank = np.linalg.matrix_rank(rows) if clicks.size else 0
    for level, area in hidden:
        wanted = (columns[level] == area) * 1.0
        if wanted @ clicks >= least:
            continue  # hidden for another's sake
        assert np.linalg.matrix_rank(np.vstack([rows, wanted])) == rank + 1, "determined by the numbers shown"
        # Nor do they show that it is small: clicks are never negative, yet it may be as many as the minimum.
        most = linprog(-wanted, A_eq=rows, b_eq=rows @ clicks, bounds=(0, None))
        assert -most.fun >= least - 1e-6


@settings(max_examples=100, deadline=None)
@given(worlds())
def test_large_areas_are_all_shown(world) -> None:  # type: ignore[no-untyped-def]
    columns, clicks, marks = world
    visible = suppress(columns, clicks * 100 + 100, 50, marks)
    assert visible is not None
    for column, shown in zip(columns, visible, strict=True):
        assert shown[np.unique(column[column >= 0])].all()


def test_the_smallest_neighbour_goes_with_a_single_small_one() -> None:
    country = np.zeros(4, np.int32)
    region = np.array([1, 2, 3, 4], np.int32)
    visible = suppress([country, region], np.array([3, 500, 40, 90]), 10)
    assert visible is not None
    assert visible[0][0]
    assert visible[1][[1, 2, 3, 4]].tolist() == [False, True, False, True]


def test_two_small_ones_that_are_few_together_take_a_third_along() -> None:
    country = np.zeros(4, np.int32)
    region = np.array([1, 2, 3, 4], np.int32)
    visible = suppress([country, region], np.array([1, 1, 40, 90]), 10)
    assert visible is not None
    assert visible[1][[1, 2, 3, 4]].tolist() == [False, False, False, True]


def test_clicks_without_a_region_hide_a_small_one_among_them() -> None:
    country = np.zeros(3, np.int32)
    region = np.array([1, 2, -1], np.int32)
    visible = suppress([country, region], np.array([3, 500, 40]), 10)
    assert visible is not None
    assert visible[1][[1, 2]].tolist() == [False, True]


def test_too_few_for_anything() -> None:
    column = np.array([0, 1], np.int32)
    assert suppress([column], np.array([3, 4]), 10) is None
    assert suppress([column], np.array([0, 0]), 10) is not None
    assert suppress([np.array([0, -1], np.int32)], np.array([3, 40]), 10, np.array([0, 1], np.int32)) is None
