"""The house's numbers as Prometheus metrics: read when they are asked for, kept nowhere."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from clickatlas import __version__
from clickatlas.api import latency
from clickatlas.api.figures import FIGURES
from clickatlas.api.house import House
from clickatlas.api.latency import Latencies
from clickatlas.api.readings import readings, shut_readings, size_of
from clickatlas.clicks.filter import Selection
from clickatlas.faults import FAULTS, Readings, faults
from clickatlas.redirect.pulse import BOUNDS, Answer, Vitals
from clickatlas.settings import Settings

STORE_S = 60.0  # counting a store's clicks may take 0.1 s: done so often at most
Values = Mapping[tuple[str, ...], float]


class Figures(Collector):
    """Those of `FIGURES` that files and workers tell: all there is while the house can't be opened."""

    def __init__(self, settings: Settings, latencies: Latencies) -> None:
        self._settings = settings
        self._latencies = latencies

    def seen(self) -> Readings:
        """The numbers now."""
        return shut_readings(self._settings)

    def counting(self, _seen: Readings) -> Iterator[tuple[str, float]]:
        """What only ingest and store know."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Every figure, as it is now."""
        seen = self.seen()
        yield from self._streets(seen)
        built = seen.atlas_built
        atlas = (("atlas_built_timestamp_seconds", built), ("atlas_age_seconds", max(0.0, seen.time - built)))
        for name, value in (
            *self.counting(seen),
            ("spool_bytes", seen.spool_bytes),
            ("spool_aside_segments", seen.aside),
            ("store_bytes", size_of(self._settings.data.glob("clicks.duckdb*"))),
            *(atlas if math.isfinite(built) else ()),
            ("disk_free_bytes", seen.disk_free),
            ("disk_size_bytes", seen.disk_size),
        ):
            yield _family(f"clickatlas_{name}", {(): value})
        yield self._requests()
        wrong = {fault.cause for fault in faults(seen)}
        yield _family(
            "clickatlas_fault",
            {(cause.value, fault.severity.value): float(cause in wrong) for cause, fault in FAULTS.items()},
        )
        yield _family("clickatlas_build_info", {(__version__,): 1})

    def _streets(self, seen: Readings) -> Iterator[Metric]:
        buckets = [sum(column) for column in zip(*(street.buckets for street in seen.streets), strict=True)]
        histogram = HistogramMetricFamily(*_head("clickatlas_redirect_seconds"))
        histogram.add_metric((), _cumulative(BOUNDS, buckets), sum(street.seconds for street in seen.streets))
        yield histogram
        by_slot = _by_slot(seen.streets)
        yield _family(
            "clickatlas_redirects_total",
            {slot: sum(s.redirects for s in one) for slot, one in by_slot.items()},
        )
        yield _family("clickatlas_clicks_lost_total", {(): seen.lost})
        yield _family("clickatlas_click_lost_timestamp_seconds", {(): seen.lost_at})
        yield _family(
            "clickatlas_street_answers_total",
            {(kind.name.lower(),): sum(s.answers[kind] for s in seen.streets) for kind in Answer},
        )
        beating = {slot: [s for s in one if s.beats(seen.time)] for slot, one in by_slot.items()}
        yield _family(
            "clickatlas_connections", {slot: sum(s.connections for s in one) for slot, one in beating.items()}
        )
        yield _family("clickatlas_street_up", {slot: float(bool(one)) for slot, one in beating.items()})
        yield _family(
            "clickatlas_street_starts_total",
            {slot: sum(s.workers for s in one) for slot, one in by_slot.items()},
        )
        yield _family(
            "clickatlas_street_resident_bytes",
            {slot: sum(_resident(s.pid) for s in one) for slot, one in beating.items() if one},
        )

    def _requests(self) -> Metric:
        histogram = HistogramMetricFamily(*_head("clickatlas_api_request_seconds"))
        for asked, buckets, seconds in self._latencies.all():
            histogram.add_metric(asked, _cumulative(latency.BOUNDS, buckets), seconds)
        return histogram


class HouseCollector(Figures):
    """All of `FIGURES`, of one opened house."""

    def __init__(self, opened: House, latencies: Latencies) -> None:
        super().__init__(opened.settings, latencies)
        self._house = opened
        self._store_lock = threading.Lock()
        self._store: tuple[float, int, int] | None = None  # counted when, at which version, clicks

    def seen(self) -> Readings:
        """The numbers now."""
        return readings(self._house)

    def counting(self, seen: Readings) -> Iterator[tuple[str, float]]:
        """How far ingest is, and what is in the store."""
        moved = self._house.ingest.ingest.moved
        yield "spool_lag_clicks", seen.lag_clicks
        yield "spool_lag_seconds", seen.lag_seconds
        yield "ingested_clicks_total", moved.clicks
        yield "ingest_batch_clicks", moved.batch_clicks
        yield "ingest_batch_seconds", moved.batch_seconds
        yield "store_clicks", self._store_clicks()

    def _store_clicks(self) -> int:
        with self._store_lock:
            now, version = time.monotonic(), self._house.store.version
            if self._store is None or (self._store[1] != version and now - self._store[0] > STORE_S):
                span = self._house.store.span(Selection())
                self._store = now, version, span[2] if span else 0
            return self._store[2]


def _head(name: str) -> tuple[str, str, None, None, tuple[str, ...]]:
    return name, FIGURES[name].what, None, None, FIGURES[name].labels


def _family(name: str, values: Values) -> Metric:
    figure = FIGURES[name]
    kind = CounterMetricFamily if figure.kind == "counter" else GaugeMetricFamily
    family = kind(name, figure.what, labels=figure.labels)
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family


def _cumulative(bounds: Sequence[float], buckets: Sequence[int]) -> list[tuple[str, float]]:
    """Buckets as Prometheus has them: each with all that are faster."""
    names = [*(repr(bound) for bound in bounds), "+Inf"]
    return list(zip(names, accumulate(buckets or [0] * len(names)), strict=True))


def _by_slot(streets: Sequence[Vitals]) -> dict[tuple[str, ...], list[Vitals]]:
    found: dict[tuple[str, ...], list[Vitals]] = {}
    for street in streets:
        found.setdefault((str(street.slot),), []).append(street)
    return found


def _resident(pid: int) -> int:
    """Memory of a process in bytes; 0 where the system doesn't say."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
