"""The table of blocks gives every address the value of its range."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clickatlas.atlas.blocks import Blocks
from clickatlas.atlas.files import save

TOP = 2**32 - 1
EDGE = st.integers(0, TOP) | st.integers(0, 2**24 - 1).map(lambda block: block << 8)
NEAR = st.integers(-300, 300)


@settings(max_examples=60, deadline=None)  # each one marks sixteen million blocks
@given(near=st.lists(EDGE, max_size=6), steps=st.lists(NEAR, max_size=20), seed=st.integers(0, 2**32))
def test_every_address_gets_the_value_of_its_range(near: list[int], steps: list[int], seed: int) -> None:
    edges = {0, *near, *(min(max(at + step, 0), TOP) for at in [0, TOP, *near] for step in steps)}
    start = np.array(sorted(edges), np.uint32)
    value = np.random.default_rng(seed).integers(0, 5, start.size).astype(np.int32)
    around = {min(max(edge + step, 0), TOP) for edge in edges for step in (-257, -256, -1, 0, 1, 255, 256)}
    asked = np.array([*around, TOP], np.uint32)
    expected = value[np.searchsorted(start, asked, side="right") - 1].tolist()
    blocks = Blocks.of(start, value)
    assert blocks.find(asked).tolist() == expected
    assert [blocks.one(address) for address in asked.tolist()] == expected


@pytest.mark.parametrize("edges", [[0], [0, 256], [0, 7, 9], [0, TOP], list(range(0, 2**16, 3))])
def test_blocks_are_the_same_from_files_and_from_ranges(tmp_path: Path, edges: list[int]) -> None:
    start, value = np.array(edges, np.uint32), np.arange(len(edges), dtype=np.uint8)
    save(tmp_path, "v4_start", start)
    save(tmp_path, "v4_value", value)
    asked = np.random.default_rng(4).integers(0, 2**17, 40_000, dtype=np.uint32)
    made = Blocks.open(tmp_path, "v4").find(asked)
    Blocks.of(start, value).save(tmp_path, "v4")
    assert np.array_equal(Blocks.open(tmp_path, "v4").find(asked), made)
    assert np.array_equal(made, value[np.searchsorted(start, asked, side="right") - 1])
