"""Columns of cells as arrays: texts as few and numbers into them, times, numbers."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from clickatlas.imports.times import SPREADSHEET_DAYS, Order, TimeError, milliseconds

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Coded:
    """A column of few different texts: `texts[index]` are its cells, "" where there is none."""

    texts: list[str]
    index: npt.NDArray[np.int64]

    def of(self, make: Callable[[str], Any], dtype: Any = np.int64) -> npt.NDArray[Any]:
        """`make(text)` for each cell; called once for each text."""
        return np.array([make(text) for text in self.texts], dtype)[self.index]


def constant(text: str, rows: int) -> Any:
    """A column of the same text."""
    return pa.array([text], pa.string()).take(pa.array(np.zeros(rows, np.int32)))


def as_texts(array: Any) -> Any:
    """A column as texts; numbers and times in their usual writing. What can't be written so is left out."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_string(array.type):
        return array
    if pa.types.is_floating(array.type):  # a column of whole numbers with gaps, as pandas writes it
        whole = pc.if_else(pc.equal(array, pc.floor(array)), pc.cast(array, pa.int64(), safe=False), None)
        return pc.coalesce(pc.cast(whole, pa.string()), pc.cast(array, pa.string()))
    try:
        return pc.cast(array, pa.string())
    except (pa.ArrowException, UnicodeError):
        return pa.array([None if v is None else str(v) for v in array.to_pylist()], pa.string())


def coded(array: Any) -> Coded:
    """A column of texts, trimmed, control characters put out of harm's way: the spool uses some as separators."""
    encoded = array if pa.types.is_dictionary(array.type) else pc.dictionary_encode(as_texts(array))
    index = encoded.indices.to_numpy(zero_copy_only=False)
    texts = [_UNSAFE.sub("\ufffd", str(text or "").strip()) for text in encoded.dictionary.to_pylist()]
    if encoded.indices.null_count:
        index = np.where(np.isnan(index), len(texts), index)
    return Coded([*texts, ""], index.astype(np.int64))


def has_empty(array: Any) -> bool:
    """Whether some cells are empty."""
    if array.null_count:
        return True
    return pa.types.is_string(array.type) and bool(pc.any(pc.equal(array, "")).as_py())


def numbers(array: Any) -> F64:
    """A column of numbers; NaN where a cell is none or empty."""
    if pa.types.is_integer(array.type) or pa.types.is_floating(array.type) or pa.types.is_decimal(array.type):
        return np.asarray(pc.cast(array, pa.float64()).to_numpy(zero_copy_only=False), np.float64)
    column = coded(array)
    return column.of(_number, np.float64)


def _number(text: str) -> float:
    try:
        return float(text.replace(",", ".")) if text.count(",") == 1 and "." not in text else float(text)
    except (ValueError, OverflowError):
        return float("nan")


def read_times(array: Any, zone: tzinfo, order: Order) -> tuple[I64, dict[int, str]]:
    """Milliseconds since 1970 UTC, and why some cells are no times, by their positions."""
    if pa.types.is_timestamp(array.type) or pa.types.is_date(array.type):
        return _of_timestamps(array, zone)
    if pa.types.is_integer(array.type) or pa.types.is_floating(array.type):
        return _of_numbers(np.asarray(pc.cast(array, pa.float64()).to_numpy(zero_copy_only=False)))
    column = coded(array)
    why: dict[int, str] = {}
    found = np.zeros(len(column.texts), np.int64)
    for at, text in enumerate(column.texts):
        try:
            found[at] = milliseconds(text, zone, order)
        except TimeError as error:
            why[at] = str(error)
    if not why:
        return found[column.index], {}
    bad = np.flatnonzero(np.isin(column.index, list(why)))
    return found[column.index], {int(at): why[int(column.index[at])] for at in bad}


def _of_timestamps(array: Any, zone: tzinfo) -> tuple[I64, dict[int, str]]:
    if pa.types.is_date(array.type):
        array = pc.cast(array, pa.timestamp("ms"))
    if array.type.tz is None and (name := getattr(zone, "key", None)):
        array = pc.assume_timezone(array, name, ambiguous="earliest", nonexistent="earliest")
    missing = pc.is_null(array).to_numpy(zero_copy_only=False)
    whole = pc.fill_null(
        pc.cast(pc.cast(array, pa.timestamp("ms", array.type.tz), safe=False), pa.int64()), 0
    )
    return _checked(whole.to_numpy(zero_copy_only=False), missing, None)


def _of_numbers(seconds: F64) -> tuple[I64, dict[int, str]]:
    missing = np.isnan(seconds)
    days = (seconds >= SPREADSHEET_DAYS[0]) & (seconds <= SPREADSHEET_DAYS[1])
    scale = np.select([seconds > 1e17, seconds > 1e14, seconds > 1e11], [1e9, 1e6, 1e3], 1.0)
    with np.errstate(invalid="ignore", over="ignore"):
        ms = np.nan_to_num(np.rint(seconds / scale * 1000), nan=0.0, posinf=0.0, neginf=0.0)
    return _checked(np.clip(ms, -1, 9e15).astype(np.int64), missing, days)


def _checked(
    ms: I64, missing: npt.NDArray[np.bool_], days: npt.NDArray[np.bool_] | None
) -> tuple[I64, dict[int, str]]:
    bad = (ms <= 0) | (ms >= (time.time() + 86_400) * 1000)
    why = {
        int(at): f"the time {int(ms[at]) // 1000} is not between 1970 and now" for at in np.flatnonzero(bad)
    }
    if days is not None:
        why |= {
            int(at): "the time is a spreadsheet's day number: write it as text such as 2026-05-12 10:11:12"
            for at in np.flatnonzero(days)
        }
    why |= {int(at): "has no time" for at in np.flatnonzero(missing)}
    return ms, why
