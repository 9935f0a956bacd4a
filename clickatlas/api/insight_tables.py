"""The full tables behind the questions, as parallel lists with the figures around them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, Field

from clickatlas.api.columns import number, numbers, places
from clickatlas.api.geo import LEVELS, Table
from clickatlas.api.offers import Offer
from clickatlas.atlas.areas import Areas, Level
from clickatlas.insight.concentration import Concentration
from clickatlas.insight.divergence import DIFFERS, Divergence
from clickatlas.insight.gaps import Gaps
from clickatlas.insight.hotspots import Hotspots
from clickatlas.insight.resonance import Resonance

INTERVAL = "of the 95 % interval."
TESTED = "The chance of the like if nothing were there."
ADJUSTED = "The same after all rows (Benjamini-Hochberg)."


class InsightTable(BaseModel):
    """What all tables have."""

    total: int = Field(description="Clicks that the filter lets through.")
    sample: int = Field(description="Of them, those that the table rests on.")
    min_cell: int = Field(description="No row names an area with fewer clicks; 0: any may be named.")

    def columns(self) -> dict[str, list[Any]]:
        """The parallel lists, for a spreadsheet."""
        return {name: value for name, value in self if isinstance(value, list)}


class AreaColumns(InsightTable):
    """A table of areas."""

    ids: list[str] = Field(description="Area ids.")
    names: list[str]
    lat: list[float | None]
    lon: list[float | None]


class Deviations(AreaColumns):
    """Areas held against a baseline."""

    level: Table
    baseline: str = Field(
        description="population: what residents would give; others: what your other links do."
    )
    phi: float | None = Field(
        description="Clicks come in clumps of so many: estimated from the areas themselves."
    )
    uneven: float | None = Field(
        description="Lasting differences between areas that no baseline knows, as a standard deviation (0.3: ±30 %)."
    )
    alpha: float = Field(description="The q up to which an area is found.")
    clicks: list[int]
    expected: list[float | None]
    ratio: list[float | None] = Field(
        description="clicks / expected, drawn to 1 as far as it is unsure (empirical Bayes)."
    )
    low: list[float | None] = Field(
        description=f"Lower end {INTERVAL} Of the plain ratio; wider for what was found, as it was picked out of many."
    )
    high: list[float | None] = Field(description=f"Upper end {INTERVAL}")
    p: list[float | None] = Field(description=TESTED)
    q: list[float | None] = Field(description=ADJUSTED)
    found: list[bool] = Field(description="Whether it differs beyond chance, and by enough to matter.")
    zone: list[int | None] = Field(
        description="Found areas beside each other share a number, 0 the largest zone."
    )


class GapTable(Deviations):
    """The tested areas, the most missing clicks first."""

    missing: list[float | None] = Field(description="expected - clicks.")


class HotspotTable(Deviations):
    """The tested areas, the most extra clicks first."""

    extra: list[float | None] = Field(description="clicks - expected.")
    gi: list[float | None] = Field(description="Getis-Ord Gi* as a z value: it and its neighbours together.")
    gi_q: list[float | None] = Field(description="The same after all areas (Benjamini-Hochberg).")
    gi_found: list[bool] = Field(description="Whether it is hot by Gi*; `zone` numbers these.")
    unexpected: list[bool] = Field(description="Found one way or the other, and never targeted.")
    in_cluster: list[bool] = Field(description="Whether it lies in the scan's likeliest cluster.")
    cluster_p: float | None = Field(
        description="Of Kulldorff's scan: the chance of a cluster as likely. Null: none."
    )
    cluster_ratio: float | None = Field(
        description="Of that cluster: the relative risk, inside against outside."
    )


def gap_table(found: Gaps, areas: Areas, total: int, min_cell: int) -> GapTable:
    """As the API has it."""
    return GapTable(
        **_deviations(found, areas, total, min_cell), found=found.gap.tolist(), missing=numbers(found.missing)
    )


def hotspot_table(found: Hotspots, areas: Areas, total: int, min_cell: int) -> HotspotTable:
    """As the API has it."""
    inside = np.zeros(found.area.size, np.bool_)
    inside[found.cluster.members] = True
    scanned = found.cluster.members.size > 0
    return HotspotTable(
        **_deviations(found, areas, total, min_cell),
        found=found.hot.tolist(),
        extra=numbers(found.extra),
        gi=numbers(found.gi),
        gi_q=numbers(found.gi_q),
        gi_found=found.gi_hot.tolist(),
        unexpected=found.unexpected.tolist(),
        in_cluster=inside.tolist(),
        cluster_p=number(found.cluster.p) if scanned else None,
        cluster_ratio=number(found.cluster.ratio) if scanned else None,
    )


def _deviations(found: Gaps | Hotspots, areas: Areas, total: int, min_cell: int) -> dict[str, Any]:
    return {
        "total": total,
        "sample": found.sample,
        "min_cell": min_cell,
        **places(areas, found.area),
        "level": table_of(found.level),
        "baseline": found.baseline,
        "phi": number(found.spread.phi),
        "uneven": number(found.spread.tau2**0.5),
        "alpha": found.alpha,
        "clicks": numbers(found.clicks),
        "expected": numbers(found.expected),
        "ratio": numbers(found.ratio),
        "low": numbers(found.low),
        "high": numbers(found.high),
        "p": numbers(found.p),
        "q": numbers(found.q),
        "zone": [zone if zone >= 0 else None for zone in found.zone.tolist()],
    }


def table_of(level: Level) -> Table:
    """A level by its name in the address."""
    return next(table for table, of in LEVELS.items() if of is level)


class ConcentrationTable(AreaColumns):
    """Areas by clicks, the most first, and how unevenly clicks lie over them."""

    level: Table
    few: bool = Field(
        description="Whether clicks are too few to say how they lie: then the figures are null."
    )
    top: int = Field(description="The fewest areas that have 40 % of the clicks.")
    share: float | None = Field(
        description="Of the clicks, that these have: their own rates', chance taken off."
    )
    share_low: float | None = Field(description=f"Lower end {INTERVAL}")
    share_high: float | None = Field(description=f"Upper end {INTERVAL}")
    living: float | None = Field(description="Share of the people who live in these areas.")
    gini: float | None = Field(
        description="Gini coefficient of clicks per resident: 0 even, 1 all in one place."
    )
    gini_low: float | None
    gini_high: float | None
    hhi: float | None = Field(
        description="Herfindahl-Hirschman index; 1 / hhi is the effective number of areas."
    )
    hhi_low: float | None
    hhi_high: float | None
    lorenz: tuple[tuple[float, float], ...] = Field(
        description="The Lorenz curve: cumulative shares of residents and clicks, fewest clicks per resident first."
    )
    clicks: list[int]
    residents: list[float | None]


class DifferenceTable(AreaColumns):
    """Areas where either side has clicks, the surest differences first."""

    level: Table
    sides: tuple[str, str] = Field(description="What the sides are called.")
    total_a: int = Field(description="Clicks of the first filter that are known at this level.")
    total_b: int = Field(description="Those of the second.")
    distance: float | None = Field(
        description="Jensen-Shannon distance of the geographies: 0 the same, 1 nothing shared."
    )
    by_chance: float | None = Field(
        description="How far apart so many clicks of one geography would be on average."
    )
    beyond: float | None = Field(description="What is left once that is taken off.")
    distance_p: float | None = Field(description="Permutation test; null where clumps aren't known.")
    a: list[int]
    b: list[int]
    quotient: list[float | None] = Field(description="Location quotient: the first share over the second.")
    low: list[float | None] = Field(description=f"Lower end {INTERVAL}")
    high: list[float | None] = Field(description=f"Upper end {INTERVAL} Null: without end.")
    ratio: list[float | None] = Field(description="log2 of the shares' ratio, shrunk (Monroe et al. 2008).")
    z: list[float | None]
    p: list[float | None] = Field(description=TESTED)
    q: list[float | None] = Field(description=ADJUSTED)
    differs: list[bool] = Field(
        description=f"Whether the sides differ there beyond chance: q <= {DIFFERS}. Of those that do, 1 in 20 by chance."
    )


class OfferTable(AreaColumns):
    """Offers against all others by area: a row for each offer and area where anybody clicked."""

    level: Table
    by: Offer
    left_out: int = Field(description="Offers that are not in it: those with the fewest links or clicks.")
    offer: list[str]
    a: list[int] = Field(description="Clicks of the offer.")
    b: list[int] = Field(description="Clicks of all others.")
    quotient: list[float | None] = Field(description="Location quotient: the offer's share over the others'.")
    low: list[float | None] = Field(description=f"Lower end {INTERVAL}")
    high: list[float | None] = Field(description=f"Upper end {INTERVAL} Null: without end.")
    ratio: list[float | None] = Field(description="log2 of the shares' ratio, shrunk.")
    z: list[float | None]
    p: list[float | None] = Field(description=TESTED)
    q: list[float | None] = Field(description="The same after all offers and areas (Benjamini-Hochberg).")


def offer_table(found: Resonance, by: Offer, areas: Areas, total: int, min_cell: int) -> OfferTable:
    """As the API has it."""

    def column(name: str) -> list[Any]:
        return [value for table in found.against for value in numbers(getattr(table, name))]

    columns = {name: column(name) for name in ("a", "b", "quotient", "low", "high", "ratio", "z", "p", "q")}
    offers = [
        name for name, table in zip(found.names, found.against, strict=True) for _ in range(len(table.area))
    ]
    return OfferTable(
        total=total, sample=total, min_cell=min_cell, **places(areas, column("area")), level=table_of(found.level),
        by=by, left_out=found.left_out, offer=offers, **columns,
    )  # fmt: skip


def concentration_table(found: Concentration, areas: Areas, total: int, min_cell: int) -> ConcentrationTable:
    """As the API has it."""
    figures: dict[str, Any] = {
        f"{name}{end}": number(getattr(getattr(found, name), which))
        for name in ("share", "gini", "hhi")
        for end, which in (("", "value"), ("_low", "low"), ("_high", "high"))
    }
    return ConcentrationTable(
        total=total, sample=found.sample, min_cell=min_cell, **places(areas, found.area), level=table_of(found.level),
        few=found.few, top=found.top, living=number(found.living), **figures,
        lorenz=tuple((float(x), float(y)) for x, y in np.round(thinned(found.lorenz), 6).tolist()),
        clicks=numbers(found.clicks), residents=numbers(found.residents),
    )  # fmt: skip


def thinned(curve: npt.NDArray[np.float64], most: int = 200) -> npt.NDArray[np.float64]:
    """A curve of at most so many points: as many as can be seen."""
    curve = curve[np.isfinite(curve).all(axis=1)] if curve.size else curve.reshape(0, 2)
    if len(curve) <= most:
        return curve
    return curve[np.unique(np.linspace(0, len(curve) - 1, most).round().astype(np.int64))]


def difference_table(found: Divergence, areas: Areas, total: int, min_cell: int) -> DifferenceTable:
    """As the API has it."""
    table = found.areas
    columns = {
        name: numbers(getattr(table, name))
        for name in ("a", "b", "quotient", "low", "high", "ratio", "z", "p", "q")
    }
    return DifferenceTable(
        total=total, sample=table.total_a + table.total_b, min_cell=min_cell, **places(areas, table.area),
        level=table_of(found.level), sides=found.names, total_a=table.total_a, total_b=table.total_b,
        distance=number(found.distance.value), by_chance=number(found.distance.by_chance),
        beyond=number(found.distance.beyond), distance_p=number(found.distance.p), **columns,
        differs=(np.nan_to_num(table.q, nan=1.0) <= DIFFERS).tolist(),
    )  # fmt: skip
