"""A store that can't be read: its file set aside, and from then on the spool kept.

Positions in the spool are in the store itself. So what stands in the spool when a store is lost is what that
store had not taken yet, and a part of what it had: a new store counts it all, each click once. Segments that the
new one has read are not removed but moved to ``spool-kept``: a backup that takes its place reads them
from where it was. Nothing of the spool is lost either way; see docs/decisions/0008-faults.md.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

KEPT = "spool-kept"  # beside the spool; for as long as it is there, no segment is removed
MARK = ".corrupt-"
log = logging.getLogger("clickatlas.store")


def remedy(data: Path) -> str:
    """What to do about a damaged store."""
    return (
        f"To have the clicks of before: stop clickatlas, run 'clickatlas restore BACKUP --data {data}' with the last "
        f"backup, start. Clicks since then come back from {data / KEPT}. To go on without them: delete that folder."
    )


def keep_spool(data: Path) -> None:
    """From now on nothing is removed from the spool of folder `data`."""
    (data / KEPT).mkdir(exist_ok=True)


def set_aside(path: Path, why: str) -> Path:
    """Move the store at `path`, which is damaged, out of the way, and keep the spool from now on."""
    keep_spool(path.parent)
    aside = path.with_name(f"{path.name}{MARK}{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    while aside.exists():
        time.sleep(0.3)
        aside = path.with_name(f"{path.name}{MARK}{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    # First what was written last: left alone, it would be taken for the new file's.
    with suppress(FileNotFoundError):
        path.with_name(f"{path.name}.wal").rename(f"{aside}.wal")
    path.rename(aside)
    log.error(
        "the click store is damaged (%s). It is kept as %s, and a new one is begun with the clicks in the spool. %s",
        why, aside, remedy(path.parent),
    )  # fmt: skip
    return aside


def set_aside_before(data: Path) -> list[Path]:
    """The damaged stores that are in folder `data`, oldest first, while the spool is kept for their sake."""
    if not (data / KEPT).is_dir():
        return []
    return sorted(p for p in data.glob(f"clicks.duckdb{MARK}*") if p.suffix != ".wal")
