"""Any range of days is covered exactly, by few periods."""

from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickatlas.clicks.periods import COARSE_LEVELS, EVERY_LEVEL, Block, Level, cover, first_day, next_day

DAYS = st.integers(0, 40_000)
EPOCH = date(1970, 1, 1)


@pytest.mark.parametrize("levels", [EVERY_LEVEL, COARSE_LEVELS])
@given(begin=DAYS, length=st.integers(0, 1500))
def test_every_day_is_covered_once(levels: tuple[Level, ...], begin: int, length: int) -> None:
    found = Counter[int]()
    for sign, level, first, last in cover(begin, begin + length, levels):
        assert level in levels
        assert first_day(level, first) == first
        assert first_day(level, last) == last
        for day in range(first, last):
            found[day] += sign
    assert {day: n for day, n in found.items() if n} == dict.fromkeys(range(begin, begin + length), 1)


@given(day=DAYS, level=st.sampled_from(EVERY_LEVEL))
def test_periods_follow_each_other(day: int, level: Level) -> None:
    first = first_day(level, day)
    behind = next_day(level, first)
    assert first <= day < behind
    assert {first_day(level, at) for at in range(first, behind)} == {first}
    assert first_day(level, behind) == behind
    for coarser in EVERY_LEVEL[level:]:
        assert first_day(coarser, first) == first_day(coarser, behind - 1)


@given(begin=DAYS, length=st.integers(1, 1500))
def test_few_periods_are_enough(begin: int, length: int) -> None:
    periods = 0
    for _, level, first, last in cover(begin, begin + length):
        while first < last:
            first, periods = next_day(level, first), periods + 1
    assert periods <= 26


def test_all_of_a_month_but_one_day_is_a_month_less_a_day() -> None:
    march = 19_783  # 2024-03-01
    assert cover(march, march + 30) == [
        (-1, Level.DAY, march + 30, march + 31),
        (1, Level.MONTH, march, march + 31),
    ]


def test_the_blocks_of_least_cost_are_chosen() -> None:
    first, behind = (date(2026, 11, 15) - EPOCH).days, (date(2026, 12, 1) - EPOCH).days
    month = (date(2026, 11, 1) - EPOCH).days

    def none_from_20(level: Level, day: int) -> float:
        return 1.0 if level is not Level.DAY or day < month + 19 else 0.0

    assert cover(first, behind, COARSE_LEVELS) == [
        Block(-1, Level.DAY, month, first),
        Block(1, Level.MONTH, month, behind),
    ]
    assert cover(first, behind, COARSE_LEVELS, none_from_20) == [Block(1, Level.DAY, first, behind)]
    assert cover(month, behind, COARSE_LEVELS, none_from_20) == [Block(1, Level.MONTH, month, behind)]
