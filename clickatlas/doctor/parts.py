"""A machine that runs a part of clickatlas: street workers, and whether anybody counts what they write down."""

from __future__ import annotations

from collections.abc import Iterator

from clickatlas.doctor import running
from clickatlas.doctor.finding import Finding, warning
from clickatlas.processes import is_held
from clickatlas.redirect.apart import desk_socket
from clickatlas.settings import Settings


def has_streets_apart(settings: Settings) -> bool:
    """Whether `clickatlas redirect` runs on the data folder: `serve` has both marks."""
    if not is_held(settings.data, "redirect"):
        return False
    if not is_held(settings.data):
        return True
    texts = [(settings.data / "run" / f"{mark}.lock").read_text() for mark in ("serve", "redirect")]
    return texts[0] != texts[1]


def look(settings: Settings) -> Iterator[Finding]:
    """Findings on the street workers of this machine, and on their spool."""
    yield from running.look(settings, desk_socket(settings), "Short links are answered.")
    if not is_held(settings.data):
        waiting = sum(path.stat().st_size for path in (settings.data / "spool").glob("*/*.spool"))
        yield warning(
            "nobody_counts",
            f"Nobody counts the clicks of this data folder; {waiting / 1e6:,.1f} MB wait in its spool, and none is lost.",
            "Start 'clickatlas ingest' on this machine, or run 'clickatlas ingest --once' by a timer.",
        )
