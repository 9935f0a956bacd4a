"""What can be wrong with a running clickatlas, decided in one place for /health, /metrics and the doctor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from clickatlas.redirect.pulse import Vitals

LAG_S = 60.0  # counting may be so far behind
LOST_S = 300.0  # clicks lost are a fault for so long
OLD_S = 30 * 86_400.0  # GeoLite2 is renewed twice a week, and its licence asks users to follow within 30 days
FULL_PART, FULL_BYTES = 0.05, 1 << 30  # a disk is nearly full with less than either left


class Severity(StrEnum):
    """How bad it is."""

    WARNING = "warning"  # to be looked at; nothing is missing yet
    BROKEN = "broken"  # something does not work, or clicks are not counted


class Cause(StrEnum):
    """Everything that can be wrong, by name."""

    LINKS = "links"
    OPENING = "opening"  # said by the app, whatever keeps it from opening
    APP = "app_away"  # said by the street: the app can't say it itself
    STOPPED = "ingest_stopped"
    FAILING = "ingest_failing"
    LOSING = "clicks_lost"
    DAMAGED = "store_damaged"
    LAG = "spool_lag"
    DISK = "disk_nearly_full"
    ATLAS = "atlas_old"
    ASIDE = "spool_aside"
    SILENT = "worker_silent"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong. `what` and `mend` name no path, number or link: anybody may read them."""

    cause: Cause
    severity: Severity
    what: str
    mend: str


FAULTS = {
    fault.cause: fault
    for fault in (
        Fault(
            Cause.LINKS, Severity.BROKEN, "Links can't be read.",
            "Look for 'links' in the log: is the data folder whole, readable, and its disk not full? Does PostgreSQL run, where "
            "database_url names one?",
        ),
        Fault(
            Cause.OPENING, Severity.BROKEN,
            "Nothing can be asked until links and clicks can be opened. Short links go on, and the spool keeps all clicks.",
            "The server's log says what to do. It is tried again every second.",
        ),
        Fault(
            Cause.APP,
            Severity.BROKEN,
            "The app process does not answer; short links do, and the spool keeps all clicks.",
            "It starts within seconds, and is started again when it ends. If this stays, see the log.",
        ),
        Fault(
            Cause.STOPPED, Severity.BROKEN, "Counting has stopped; the spool keeps all clicks.",
            "Restart clickatlas, and report what the log says about 'ingest'.",
        ),
        Fault(
            Cause.FAILING, Severity.BROKEN, "Counting fails and is tried again; the spool keeps all clicks.",
            "Look for 'ingest' in the log: most often the disk is full, or the click store is damaged or away.",
        ),
        Fault(
            Cause.LOSING, Severity.BROKEN, "Short links are answered, but clicks can't be written down: they are lost.",
            "Make room on the disk of the data folder, or make it writable again. Nothing else has to be done.",
        ),
        Fault(
            Cause.DAMAGED, Severity.BROKEN, "The click store was found damaged. Clicks of before may be missing.",
            "Look for 'damaged' in the log: it says where the file is. Stop clickatlas, run 'clickatlas restore' with the "
            "last backup on the same data folder, start; or go on without, and delete spool-kept there.",
        ),
        Fault(
            Cause.LAG, Severity.WARNING, "Counting is behind the short links.",
            "It catches up by itself. If this stays, raise store_memory or give the machine a faster disk.",
        ),
        Fault(
            Cause.DISK, Severity.WARNING, "The disk of the data folder is nearly full.",
            "Make room. Short links go on when it is full, but clicks can't be written down.",
        ),
        Fault(
            Cause.ATLAS, Severity.WARNING, "The City database is old: places drift, and its licence asks for 30 days.",
            "Run 'clickatlas atlas update'. Where npm's copy is no newer, set maxmind_account and maxmind_key, "
            "which are free.",
        ),
        Fault(
            Cause.ASIDE, Severity.WARNING, "Spool segments were damaged and put aside; their whole clicks are counted.",
            "Look at spool-aside in the data folder and at the log; delete them when you have.",
        ),
        Fault(
            Cause.SILENT, Severity.WARNING, "A process that answers short links is silent.",
            "It is started again when it ended. If it is stuck, restart clickatlas and report what the log says.",
        ),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Readings:
    """What a house measured of itself at `time` (Unix seconds, as all times)."""

    time: float
    links_readable: bool
    ingest_alive: bool
    ingest_error: str | None
    lag_clicks: int
    lag_seconds: float
    spool_bytes: int
    aside: int  # segments put aside
    spool_kept: bool  # since the store was found damaged
    disk_free: int  # bytes
    disk_size: int
    atlas_built: float
    workers: int  # how many there should be
    streets: tuple[Vitals, ...]
    is_open: bool = True  # links and clicks are; else nothing is known of links and ingest

    @property
    def lost(self) -> int:
        """Clicks that the disk refused, ever."""
        return sum(street.lost for street in self.streets)

    @property
    def lost_at(self) -> float:
        """When the last one was; 0: never."""
        return max((street.lost_at for street in self.streets), default=0.0)

    @property
    def silent(self) -> int:
        """How many workers are missing: they ended, or are stuck. 0 where none ever said anything."""
        if not self.streets:
            return 0
        return max(0, self.workers - sum(street.beats(self.time) for street in self.streets))


def nearly_full(free: int, size: int) -> bool:
    """Whether a disk of `size` bytes with `free` of them left needs room."""
    return free < FULL_BYTES or free < FULL_PART * size


def faults(readings: Readings) -> list[Fault]:
    """What is wrong, worst first."""
    found = [FAULTS[cause] for cause in _causes(readings)]
    return sorted(found, key=lambda fault: fault.severity is not Severity.BROKEN)


def _causes(readings: Readings) -> Iterator[Cause]:
    if not readings.is_open:
        yield Cause.OPENING
    if not readings.links_readable:
        yield Cause.LINKS
    if not readings.ingest_alive:
        yield Cause.STOPPED
    if readings.ingest_error is not None:
        yield Cause.FAILING
    # A clock that was set back leaves a loss in the future: that is a loss of late, too.
    if readings.lost_at and readings.time - readings.lost_at < LOST_S:
        yield Cause.LOSING
    if readings.spool_kept:
        yield Cause.DAMAGED
    if readings.lag_seconds > LAG_S:
        yield Cause.LAG
    if nearly_full(readings.disk_free, readings.disk_size):
        yield Cause.DISK
    if readings.time - readings.atlas_built >= OLD_S:
        yield Cause.ATLAS
    if readings.aside:
        yield Cause.ASIDE
    if readings.silent:
        yield Cause.SILENT
