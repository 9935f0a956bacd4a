"""A batch of clicks as ClickHouse takes it: tables with the words themselves, in pieces that each make one part of a month."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from clickatlas.clicks.store import Batch
from clickatlas.clicks.visitors import short
from clickatlas.redirect.record import Agent

PIECE = 500_000  # rows of an insert: ClickHouse makes one part of each month of them


def pieces(batch: Batch, wanted: npt.NDArray[np.bool_], most: int = PIECE) -> Iterator[tuple[int, pa.Table]]:
    """The wanted clicks by number of piece, cut before any are left out: so a repeated batch has the same ones."""
    words = {name: _distinct([agent[at] for agent in batch.agents]) for at, name in enumerate(Agent._fields)}
    words["referrer"] = _distinct(batch.referrers)
    for number, start in enumerate(range(0, len(wanted), most)):
        some = batch.records[start : start + most][wanted[start : start + most]]
        if not len(some):
            continue
        columns: dict[str, Any] = {
            name: np.ascontiguousarray(some[name]) for name in ("time", "link", "place", "kind", "flags")
        }
        columns["visitor"] = short(some["visitor"])
        for name, (known, word_of) in words.items():
            number_of = word_of[some["referrer" if name == "referrer" else "agent"]]
            columns[name] = pa.DictionaryArray.from_arrays(pa.array(number_of), known)
        yield number, pa.table(columns)


def _distinct(words: Sequence[str]) -> tuple[pa.Array, npt.NDArray[np.int32]]:
    """Words, each once, and by its place in the list which of them it is. Whole UTF-8: half a surrogate pair would hold up
    all that come after it.
    """
    numbers = dict[str, int]()
    plain = (word.encode("utf-8", "replace").decode() for word in words)
    word_of = [numbers.setdefault(word, len(numbers)) for word in plain]
    return pa.array(list(numbers), pa.string()), np.array(word_of, np.int32)
