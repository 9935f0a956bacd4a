"""Which offers resonate where: each tag, channel or campaign against all the others, area by area."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.chance import Spread, benjamini_hochberg
from clickatlas.insight.clumping import Clumped, Parts
from clickatlas.insight.counts import Counts
from clickatlas.insight.divergence import ENOUGH, ENOUGH_SMALL, SMALL, Contrast, Inside, contrast, sums

MOST = 12  # of the offers with the most clicks: each costs some 10 ms


@dataclass(frozen=True)
class Resonance:
    """A `Contrast` for each offer, side A, against all other clicks, side B; q is over all offers and areas."""

    names: tuple[str, ...]  # those with the most clicks first
    level: Level
    against: tuple[Contrast, ...]  # beside `names`
    spread: tuple[Spread, ...]  # how each offer's clicks clump
    left_out: int  # offers that have fewer clicks


def resonance(
    offers: Mapping[str, Counts],
    whole: Counts,
    atlas: Atlas,
    level: Level = Level.REGION,
    *,
    shown: npt.NDArray[np.bool_] | None = None,
    most: int = MOST,
) -> Resonance:
    """How the clicks of each offer (a tag, a link) differ from all others of `whole`, which holds every offer's.

    Offers may share clicks, as tags of one link do. `shown` are the areas that may be told of.
    """
    ranked = sorted((name for name in offers if offers[name].total), key=lambda name: -offers[name].total)
    for counts in (whole, *(offers[name] for name in ranked[:most])):
        if counts.held is not None:
            shown = counts.held.visible if shown is None else shown & counts.held.visible
    column = np.asarray(atlas.places.area[level])
    parts = Parts.of(whole.clicks, atlas)
    both = sums(column, whole.clicks, len(atlas.areas), shown)
    area = np.flatnonzero(both)
    lasting, inside = parts.lasting(column, area), Inside.of(column, whole.clicks, len(atlas.areas))
    tables: list[Contrast] = []
    spreads: list[Spread] = []
    for name in ranked[:most]:
        own = np.minimum(offers[name].clicks, whole.clicks)
        mine = np.minimum(sums(column, own, len(atlas.areas), shown), both)
        clumped = Clumped.of(own, parts)
        totals = int(mine.sum()), int((both - mine).sum())
        low, high = inside.singles(own, totals)
        table = contrast(
            area, mine[area], (both - mine)[area], *totals, clumped.drawn(lasting), sure=clumped.sure,
            enough=ENOUGH_SMALL if level in SMALL else ENOUGH, single=(low[area], high[area]),
        )  # fmt: skip
        tables.append(table)
        spreads.append(clumped.spread)
    q = benjamini_hochberg(np.concatenate([table.p for table in tables]) if tables else np.zeros(0))
    each = np.split(q, len(tables)) if tables else []
    told = tuple(Contrast(**{**vars(table), "q": own}) for table, own in zip(tables, each, strict=True))
    return Resonance(tuple(ranked[:most]), level, told, tuple(spreads), len(ranked) - len(tables))
