"""Frames, read back as a page does."""

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickatlas.insight.frames import DEPTH, MAX_FETCHED, MAX_POINTS, depth_for, packed, points
from clickatlas.insight.heat import gather_bits, morton
from tests.frames import read


def drawn(seed: int, size: int, frames: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    code = morton(chance.random(size), chance.random(size), DEPTH)
    return code, chance.integers(0, frames, size), chance.integers(1, 9, size)


def test_every_point_is_where_its_clicks_are() -> None:
    code, frame, clicks = drawn(1, 2000, 7)
    found = read(packed(points(code, frame, clicks, DEPTH), {"frames": []}))
    assert found.header["depth"] == DEPTH
    expected: dict[tuple[int, int, int], int] = {}
    for cell, at, count in zip(code.tolist(), frame.tolist(), clicks.tolist(), strict=True):
        spot = int(gather_bits(np.array([cell]))[0]), int(gather_bits(np.array([cell >> 1]))[0]), at
        expected[spot] = expected.get(spot, 0) + count
    assert found.cells() == expected
    assert found.header["largest"] == max(expected.values())
    assert found.frame.tolist() == sorted(found.frame.tolist())


@given(st.integers(0, 40), st.integers(1, 20), st.text(max_size=9))
def test_bytes_are_aligned_whatever_their_number(size: int, most: int, word: str) -> None:
    code, frame, clicks = drawn(size, size, 3)
    data = packed(points(code, frame, clicks, DEPTH, most), {"frames": [], "word": word})
    [length] = struct.unpack_from("<I", data)
    assert length % 4 == 0
    header = json.loads(data[4 : 4 + length])
    assert header["word"] == word
    count = header["points"]
    assert len(data) == 4 + length + 6 * count + (-6 * count) % 4 + 4 * count
    assert count <= max(most, 3)
    assert read(data).clicks.sum() == clicks.sum()


def test_points_are_joined_until_there_are_few_enough() -> None:
    code, frame, clicks = drawn(3, 900_000, 12)
    found = points(code, frame, clicks, DEPTH)
    assert 0 < len(found.x) <= MAX_POINTS
    assert found.depth < DEPTH
    assert found.x.max() < 1 << found.depth
    assert int(found.clicks.sum()) == int(clicks.sum())
    per_frame = np.bincount(found.frame, weights=found.clicks, minlength=12)
    assert np.array_equal(per_frame, np.bincount(frame, weights=clicks, minlength=12))


@pytest.mark.parametrize(
    ("places", "frames", "clicks"), [(1000, 100, 10**9), (200_000, 2000, 10**9), (200_000, 2000, 10**6)]
)
def test_the_store_is_asked_for_few_enough_rows(places: int, frames: int, clicks: int) -> None:
    code, _frame, _clicks = drawn(4, places, frames)
    depth = depth_for(code, frames, clicks)
    cells = len(np.unique(code >> (2 * (DEPTH - depth))))
    assert min(clicks, cells * frames) <= MAX_FETCHED
    if depth < DEPTH:
        finer = len(np.unique(code >> (2 * (DEPTH - depth - 1))))
        assert min(clicks, finer * frames) > MAX_FETCHED


def test_nothing_is_an_answer_too() -> None:
    none = np.zeros(0, np.int64)
    found = read(packed(points(none, none, none, DEPTH), {"frames": []}))
    assert found.header["points"] == found.header["largest"] == 0
