"""What so many clicks a month need: arithmetic on measured and on assumed figures, each with its name."""

from __future__ import annotations

import math
from dataclasses import dataclass

SECONDS = 30.4 * 86_400  # of a month


@dataclass(frozen=True)
class Assumed:
    """What nobody measured here. Prices: the order of list prices in 2025 and 2026, in US dollars, not looked up on a day."""

    peak: float = 5  # times the average
    busy: float = 0.5  # how far machines are used at the peak
    kept_months: int = 12  # of single clicks; counts stay
    copies: int = 2  # of all that ClickHouse has
    free: float = 0.4  # of each disk, for merges
    bytes_in: int = 2_000  # a redirect's request, its share of TLS handshakes with it
    bytes_out: int = 4_000  # its answer, the same
    cores: int = 8  # of a machine
    disk: int = 4_000  # GB of a ClickHouse machine's disks
    redirects: int = 20_000  # a second and core, located and spooled: measured 27,500 to 32,300 without TLS
    core_month: float = 36  # a core with 4 GB of memory: 0.05 an hour
    gb_month: float = 0.08  # of SSD
    gb_out: float = 0.05  # of traffic to the world, metered; where it is flat, a fiftieth


@dataclass(frozen=True)
class Measured:
    """Of ClickHouse at the largest size: bytes a click by what they are of, and ms of a processor to store a million."""

    clicks: float
    counts: float
    stored: float


@dataclass(frozen=True)
class Plan:
    """What a load needs; GB, machines, dollars a month."""

    average: float
    peak: float
    redirectors: int
    gbit: float
    storing: float  # cores at the peak, all copies
    single_gb: float
    counts_gb: float
    servers: int
    shards: int
    compute: float
    disks: float
    traffic: float

    @property
    def money(self) -> float:
        """All of it."""
        return self.compute + self.disks + self.traffic


def plan(clicks: float, measured: Measured, assumed: Assumed) -> Plan:
    """For so many clicks a month, after a year."""
    average = clicks / SECONDS
    peak = average * assumed.peak
    redirectors = 1 + math.ceil(peak / assumed.redirects / assumed.busy / assumed.cores)  # one may fail
    months = assumed.kept_months
    single = clicks * months * measured.clicks * assumed.copies / 1e9
    counts = clicks * months * measured.counts * assumed.copies / 1e9
    storing = peak * measured.stored / 1e9 * assumed.copies
    needed = (single + counts) / (1 - assumed.free)
    shards = max(
        1, math.ceil(max(needed / assumed.disk, storing / assumed.busy / assumed.cores) / assumed.copies)
    )
    servers = shards * assumed.copies
    machines = redirectors + servers + 3  # the app, PostgreSQL and its standby; Keeper beside them
    return Plan(
        average=average,
        peak=peak,
        redirectors=redirectors,
        gbit=peak * (assumed.bytes_in + assumed.bytes_out) * 8 / 1e9,
        storing=storing,
        single_gb=single,
        counts_gb=counts,
        servers=servers,
        shards=shards,
        compute=machines * assumed.cores * assumed.core_month,
        disks=needed * assumed.gb_month,
        traffic=clicks * assumed.bytes_out / 1e9 * assumed.gb_out,
    )
