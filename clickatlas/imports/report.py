"""What became of a table's rows, in numbers and in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from clickatlas.formats.text import inert

MOST_KEPT = 50_000  # refused rows that a report names; all are counted
Told = Callable[[int, str], None]


@dataclass
class Report:
    """Counts of rows, of clicks and of links, and why rows were refused."""

    rows: int = 0
    imported: int = 0  # clicks
    refused: int = 0
    repeated: int = 0  # clicks that an earlier import had brought
    new_links: int = 0
    known_links: int = 0  # rows of links that are here already, leading to the same
    by: Counter[str] = field(
        default_factory=Counter
    )  # clicks by how they were placed: address, position, name, nowhere
    coarser: int = 0  # of those by name: the city is not known, what is above it is
    km: float = 0.0  # of those by position: the farthest way to a place
    first_ms: int = 0
    last_ms: int = 0
    dry: bool = False
    part: float = 0.0  # of the file that was read, 0 where that is not known
    reasons: Counter[str] = field(default_factory=Counter)
    refusals: list[tuple[int, str]] = field(default_factory=list)
    earlier: Report | None = None  # the same file's, when it was imported before

    def refuse(self, row: int, why: str, kind: str = "") -> None:
        """Note a refused row, and which kind of reason it is counted under."""
        self.refused += 1
        self.reasons[kind or why] += 1
        if len(self.refusals) < MOST_KEPT:
            self.refusals.append((row, why))

    def between(self, first: int, last: int) -> None:
        """Note the time of some clicks, in milliseconds."""
        self.first_ms = min(self.first_ms or first, first)
        self.last_ms = max(self.last_ms, last)

    def counts(self) -> dict[str, int]:
        """What is kept of an import: numbers only."""
        return {
            "imported": self.imported, "refused": self.refused, "new_links": self.new_links,
            "repeated": self.repeated, "known_links": self.known_links,
        }  # fmt: skip

    def document(self) -> dict[str, Any]:
        """The report as the API has it."""
        return self.counts() | {
            "rows": self.rows,
            "dry_run": self.dry,
            "placed": dict(self.by),
            "coarser": self.coarser,
            "farthest_km": round(self.km, 1),
            "first": _moment(self.first_ms),
            "last": _moment(self.last_ms),
            "reasons": [{"reason": why, "rows": rows} for why, rows in self.reasons.most_common(50)],
            "refusals_kept": len(self.refusals),
            "imported_before": self.earlier.counts() if self.earlier else None,
        }

    def refused_csv(self) -> Iterator[str]:
        """The refused rows as CSV, safe to open in a spreadsheet."""
        yield "row,reason\r\n"
        for row, why in self.refusals:
            yield f'{row},"{str(inert(why)).replace(chr(34), chr(34) * 2)}"\r\n'
        if self.refused > len(self.refusals):
            yield f',"and {self.refused - len(self.refusals):,} more"\r\n'

    def sentence(self) -> str:
        """The report in one line."""
        if self.earlier:
            return (
                f"This file was imported before ({self.earlier.sentence()[:-1]}): nothing was added. "
                "--again imports it once more."
            )
        would = " would be" if self.dry else ""
        said = f"{self.imported:,} clicks{would} imported, {self.refused:,} rows refused, {self.new_links:,} links{would} made."
        if self.repeated:
            said += f" {self.repeated:,} clicks were here already."
        if self.known_links:
            said += f" {self.known_links:,} links were here already."
        if self.coarser:
            said += f" {self.coarser:,} are counted for a region or country, as their city is not known."
        return said


class Refusals:
    """Why rows of a batch are refused: the first reason that is found counts."""

    def __init__(self, rows: Any) -> None:
        self._rows = rows
        self._why: dict[int, tuple[str, str]] = {}

    def __contains__(self, at: object) -> bool:
        return at in self._why

    def all(self, rows: Any, why: str, kind: str = "") -> None:
        """Refuse some rows."""
        for at in rows:
            self._why.setdefault(int(at), (why, kind or why))

    def take(self, found: dict[int, str], kind: Callable[[str], str]) -> None:
        """Refuse rows, each for its own reason."""
        for at, why in found.items():
            self._why.setdefault(at, (why, kind(why)))

    def good(self) -> npt.NDArray[np.bool_]:
        """Which rows are not refused."""
        good = np.ones(len(self._rows), np.bool_)
        good[list(self._why)] = False
        return good

    def tell(self, report: Report) -> None:
        """Note all of it, in the order of rows."""
        for at in sorted(self._why):
            report.refuse(int(self._rows[at]), *self._why[at])


def _moment(ms: int) -> str | None:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat() if ms else None
