"""What the doctor says: findings, in words, as JSON, and as an exit code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    FINE = "fine"
    WARNING = "warning"  # to be looked at; nothing is missing yet
    BROKEN = "broken"  # something does not work, or clicks are not counted


MARKS = {Level.FINE: "✓", Level.WARNING: "!", Level.BROKEN: "✗"}


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `name` is for machines, `what` and `mend` are sentences."""

    level: Level
    name: str
    what: str
    mend: str = ""

    @property
    def wrong(self) -> bool:
        """Whether something should be done."""
        return self.level is not Level.FINE

    def text(self) -> str:
        """Two lines for a terminal."""
        return f"{MARKS[self.level]} {self.what}" + (f"\n    → {self.mend}" if self.mend else "")


def fine(name: str, what: str, mend: str = "") -> Finding:
    """A finding that all is well."""
    return Finding(Level.FINE, name, what, mend)


def warning(name: str, what: str, mend: str) -> Finding:
    """A finding to be looked at."""
    return Finding(Level.WARNING, name, what, mend)


def broken(name: str, what: str, mend: str) -> Finding:
    """A finding that something does not work."""
    return Finding(Level.BROKEN, name, what, mend)


def exit_code(findings: Sequence[Finding]) -> int:
    """0: all fine; 1: warnings; 2: something is broken."""
    levels = {finding.level for finding in findings}
    return 2 if Level.BROKEN in levels else 1 if Level.WARNING in levels else 0


def as_json(findings: Sequence[Finding]) -> str:
    """All findings as one JSON document."""
    found = [asdict(finding) for finding in findings]
    return json.dumps({"exit_code": exit_code(findings), "findings": found}, indent=2, ensure_ascii=False)
