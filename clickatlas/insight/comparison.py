"""Two filters beside each other, as areas and tiles: where one has more of its clicks, and whether that is beyond chance.

Whether it is says `divergence`, of clusters as of areas: clicks in clumps, false discoveries over all of a level or zoom.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import Level
from clickatlas.insight import mvt
from clickatlas.insight.areas import by_area
from clickatlas.insight.clumping import Clumped, Parts
from clickatlas.insight.compare import difference
from clickatlas.insight.counts import Counts
from clickatlas.insight.divergence import DIFFERS, ENOUGH, ENOUGH_SMALL, SMALL, Contrast, of_column, visible
from clickatlas.insight.heat import Ground, Heat

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
ZERO = 100_000  # what stands for 0 in a tile, whose integers are not negative; one is 100
LARGE_ZOOM = 5  # up to it clusters are metros and more


class AreaDifference(NamedTuple):
    """The areas of a level where either side has clicks, the most of both first."""

    area: Integers
    a: Integers
    b: Integers
    ratio: Floats
    z: Floats  # clumps taken into account
    q: Floats  # NaN with too few clicks to tell anything
    differs: Flags  # beyond chance, after false-discovery control


class Clusters(NamedTuple):
    """The clusters of a zoom: side A's clicks, and how the sides differ."""

    a: Integers
    ratio: Floats
    z: Floats
    differs: Flags


class Comparison:
    """Two counts on one ground, side A and side B: areas and tiles."""

    def __init__(self, ground: Ground, a: Counts, b: Counts) -> None:
        self._ground = ground
        self.a, self.b = a, b
        self._held = a.held.beside(b.held) if a.held and b.held else None
        both = Counts(a.drawn + b.drawn, {}, a.unplaced + b.unplaced, a.unknown + b.unknown, held=self._held)
        self.heat = Heat(ground, both)

    def areas(self, level: Level) -> AreaDifference:
        """Both sides by area of `level`; shares are of all that each filter lets through."""
        atlas = self._ground.atlas
        sides = [by_area(counts, atlas, level) for counts in (self.a, self.b)]
        joined = np.union1d if self._held is None else np.intersect1d
        area = joined(sides[0].area, sides[1].area).astype(np.int64)
        a, b = (_spread(area, side.area, side.clicks) for side in sides)
        order = np.lexsort((area, -(a + b)))
        area, a, b = area[order], a[order], b[order]
        ratio = difference(a, b, self.a.total, self.b.total).ratio
        judged = self._judged(
            np.asarray(atlas.places.area[level]), self.a.clicks, self.b.clicks, len(atlas.areas),
            small=level in SMALL, shown=visible(self.a, self.b),
        )  # fmt: skip
        return AreaDifference(area, a, b, ratio, *_spread_all(area, judged))

    @cached_property
    def _clumped(self) -> Clumped:
        return Clumped.of(self.a.clicks, Parts.of(self.a.clicks + self.b.clicks, self._ground.atlas))

    def _judged(
        self, column: npt.NDArray[np.int32], a: Integers, b: Integers, size: int, *,
        small: bool, shown: Flags | None = None,
    ) -> Contrast:  # fmt: skip
        enough = ENOUGH_SMALL if small else ENOUGH
        return of_column(column, a, b, size, self._clumped, shown, enough)[0]

    @cached_property
    def _clusters(self) -> dict[int, Clusters]:
        return {}

    def _of_zoom(self, zoom: int) -> Clusters:
        """Side A's clicks of every cluster of a zoom, and how the sides differ there."""
        if zoom not in self._clusters:
            tree = self._ground.atlas.clusters
            a, b = tree.counts(zoom, self.a.drawn), tree.counts(zoom, self.b.drawn)
            ratio = difference(a, b, self.a.total, self.b.total).ratio
            judged = self._judged(
                tree.node_of(zoom), self.a.drawn, self.b.drawn, len(a), small=zoom > LARGE_ZOOM
            )
            z, _q, differs = _spread_all(np.arange(len(a)), judged)
            self._clusters[zoom] = Clusters(a, ratio, z, differs)
        return self._clusters[zoom]

    def tile(self, zoom: int, x: int, y: int) -> bytes:
        """The tile's vector layer `clusters`: those where either side has clicks; b"" where there is nothing."""
        nodes, both = self.heat.clusters(zoom, x, y)
        a, ratio, z, differs = self._of_zoom(zoom)
        if self._held is not None:  # none on one side may be none, or not enough: no difference to speak of
            known = (a[nodes] > 0) & (both > a[nodes])
            nodes, both = nodes[known], both[known]
        if not len(nodes):
            return b""
        level = self._ground.atlas.clusters.nodes(zoom)
        size = 1 << zoom
        places = (np.asarray(level.x)[nodes] * size - x, np.asarray(level.y)[nodes] * size - y)
        px, py = (np.clip((place * mvt.EXTENT).astype(np.int64), 0, mvt.EXTENT - 1) for place in places)
        return mvt.layer(
            "clusters",
            px,
            py,
            {
                "a": a[nodes],
                "b": both - a[nodes],
                **self.heat.names(zoom, nodes),
                "id": [level.id(node) for node in nodes.tolist()],
                "expansion_zoom": self.heat.expansion(zoom, nodes),
                "difference": _hundredths(ratio[nodes]),
                "z": _hundredths(z[nodes]),
                "differs": differs[nodes].astype(np.int64),
            },
        )


def _spread(areas: Integers, some: npt.NDArray[np.int32], clicks: Integers) -> Integers:
    result = np.zeros(len(areas), np.int64)
    here = np.isin(some, areas)
    result[np.searchsorted(areas, some[here])] = clicks[here]
    return result


def _spread_all(areas: Integers, found: Contrast) -> tuple[Floats, Floats, Flags]:
    """z, q and whether it differs, of each of `areas`, ascending or not."""
    z, q = np.zeros(len(areas)), np.full(len(areas), np.nan)
    if len(found.area):
        at = np.minimum(np.searchsorted(found.area, areas), len(found.area) - 1)
        here = found.area[at] == areas
        z[here], q[here] = found.z[at[here]], found.q[at[here]]
    return z, q, np.nan_to_num(q, nan=1.0) <= DIFFERS


def _hundredths(values: Floats) -> Integers:
    whole: Integers = np.clip(np.rint(values * 100) + ZERO, 0, 2 * ZERO).astype(np.int64)
    return whole
