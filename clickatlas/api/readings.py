"""What the house measures of itself, for /health and /metrics. Costs about 1 ms."""

from __future__ import annotations

import logging
import math
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import text

from clickatlas.api.house import House
from clickatlas.atlas.files import about, current
from clickatlas.clicks.ingest import ASIDE
from clickatlas.clicks.quarantine import KEPT
from clickatlas.errors import Problem
from clickatlas.faults import Readings
from clickatlas.redirect.pulse import read_all
from clickatlas.settings import Settings

log = logging.getLogger("clickatlas.health")


def readings(opened: House) -> Readings:
    """The house's numbers now."""
    data = opened.settings.data
    lag = opened.ingest.ingest.lag()
    disk = shutil.disk_usage(data)
    return Readings(
        time=time.time(),
        links_readable=links_readable(opened),
        ingest_alive=opened.ingest.is_alive(),
        ingest_error=opened.ingest.error,
        lag_clicks=lag.clicks,
        lag_seconds=lag.seconds,
        spool_bytes=size_of((data / "spool").glob("*/*.spool")),
        aside=sum(1 for _ in (data / ASIDE).glob("*")),
        spool_kept=(data / KEPT).is_dir(),
        disk_free=disk.free,
        disk_size=disk.total,
        atlas_built=opened.atlas.built.timestamp(),
        workers=opened.settings.workers,
        streets=tuple(read_all(data / "run")),
    )


def shut_readings(settings: Settings) -> Readings:
    """The numbers of a house that can't be opened: what its files and workers say. How far it is behind, nobody knows."""
    data = settings.data
    disk = shutil.disk_usage(data)
    built = math.inf  # not known: no reason to call it old
    with suppress(Problem, OSError):
        if folder := current(data / "atlas"):
            built = datetime.fromisoformat(about(folder)["built"]).timestamp()
    return Readings(
        time=time.time(),
        links_readable=True,
        ingest_alive=True,
        ingest_error=None,
        lag_clicks=0,
        lag_seconds=0.0,
        spool_bytes=size_of((data / "spool").glob("*/*.spool")),
        aside=sum(1 for _ in (data / ASIDE).glob("*")),
        spool_kept=(data / KEPT).is_dir(),
        disk_free=disk.free,
        disk_size=disk.total,
        atlas_built=built,
        workers=settings.workers,
        streets=tuple(read_all(data / "run")),
        is_open=False,
    )


def links_readable(opened: House) -> bool:
    """Whether the links database answers. The log says why not: everybody may ask this."""
    try:
        with opened.links.reading() as session:
            session.execute(text("SELECT 1 FROM links LIMIT 1"))
    except Exception as error:
        log.error("links can't be read: %s", error)
        return False
    return True


def size_of(paths: Iterable[Path]) -> int:
    """Bytes of these files together; what is gone meanwhile is nothing."""
    total = 0
    for path in paths:
        with suppress(OSError):
            total += path.stat().st_size
    return total
