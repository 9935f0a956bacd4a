"""Keys get small numbers: the same ones as a dict would give, kept or taken back with their transaction."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clickatlas.clicks.dimensions import KeyNumbers

KEYS = st.lists(st.one_of(st.integers(0, 9), st.integers(0, 2**64 - 1)), max_size=30)


def nothing_known() -> KeyNumbers:
    return KeyNumbers(np.empty(0, np.int32), np.empty(0, np.uint64))


def numbers(known: KeyNumbers, keys: list[int]) -> list[int]:
    return known.numbers(np.array(keys, np.uint64)).tolist()


@given(st.lists(KEYS, max_size=5))
def test_a_key_keeps_its_number_and_shares_it_with_nobody(batches: list[list[int]]) -> None:
    known = nothing_known()
    seen: dict[int, int] = {}
    for batch in batches:
        for key, number in zip(batch, numbers(known, batch), strict=True):
            assert seen.setdefault(key, number) == number
    assert sorted(seen.values()) == list(range(1, len(seen) + 1))
    assert dict(zip(*(column.tolist() for column in reversed(known.fresh)), strict=True)) == seen


def test_numbers_go_on_behind_those_that_are_stored() -> None:
    known = KeyNumbers(np.array([2, 1], np.int32), np.array([5, 2**64 - 1], np.uint64))
    assert numbers(known, [5, 2**64 - 1, 7]) == [2, 1, 3]


def test_a_failed_transaction_takes_back_its_numbers_only() -> None:
    known = nothing_known()
    assert numbers(known, [30, 10]) == [2, 1]
    known.settle()
    numbers(known, [20, 40])
    known.undo()
    assert not len(known.fresh[0])
    assert numbers(known, [10, 50, 30]) == [1, 3, 2]
