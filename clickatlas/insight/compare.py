"""Two filters beside each other: where one has more of its clicks than the other, and whether that is chance."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import Level
from clickatlas.insight import mvt
from clickatlas.insight.areas import by_area
from clickatlas.insight.counts import Counts
from clickatlas.insight.heat import Ground, Heat

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
PRIOR = (
    0.05  # the prior's weight, of the smaller side's clicks: at more, |z| > 1.96 would be rarer than 1 in 20
)
ZERO = 100_000  # what stands for 0 in a tile, whose integers are not negative; one is 100


class Difference(NamedTuple):
    """Per area: log2 of side A's share over side B's (1: twice as much), shrunk; and its z-score."""

    ratio: Floats
    z: Floats


def difference(a: Integers, b: Integers, total_a: int, total_b: int) -> Difference:
    """How the shares `a / total_a` and `b / total_b` differ; within chance while |z| < 1.96.

    Log-odds ratios with an informative Dirichlet prior: Monroe, Colaresi and Quinn (2008), "Fightin'
    Words", Political Analysis 16(4), equations 16 to 22. The prior is both sides' clicks together, scaled to
    `PRIOR` of the smaller side: it keeps an area that one side lacks from differing without end. Swapping
    the sides changes the signs and nothing else; a side without clicks differs nowhere.
    """
    both = a + b
    weight = max(1.0, PRIOR * min(total_a, total_b))
    prior = weight * both / max(1, total_a + total_b)
    with np.errstate(divide="ignore", invalid="ignore"):
        has_a, has_b = a + prior, b + prior
        lacks_a, lacks_b = total_a + weight - has_a, total_b + weight - has_b
        odds = np.log(has_a / lacks_a) - np.log(has_b / lacks_b)
        z = odds / np.sqrt(1 / has_a + 1 / lacks_a + 1 / has_b + 1 / lacks_b)
        ratio = np.log2(has_a / (total_a + weight)) - np.log2(has_b / (total_b + weight))
    # Neither where nobody clicked nor where everybody did is there anything to tell apart.
    told = (both > 0) & (both < total_a + total_b)
    return Difference(np.where(told, ratio, 0.0), np.where(told, z, 0.0))


class AreaDifference(NamedTuple):
    """The areas of a level where either side has clicks, the most of both first."""

    area: Integers
    a: Integers
    b: Integers
    ratio: Floats
    z: Floats


class Comparison:
    """Two counts on one ground, side A and side B: areas and tiles."""

    def __init__(self, ground: Ground, a: Counts, b: Counts) -> None:
        self._ground = ground
        self.a, self.b = a, b
        self.heat = Heat(
            ground, Counts(a.clicks + b.clicks, {}, a.unplaced + b.unplaced, a.unknown + b.unknown)
        )

    def areas(self, level: Level) -> AreaDifference:
        """Both sides by area of `level`; shares are of all that each filter lets through."""
        atlas = self._ground.atlas
        sides = [by_area(counts, atlas, level) for counts in (self.a, self.b)]
        area = np.union1d(sides[0].area, sides[1].area).astype(np.int64)
        a, b = (_spread(area, side.area, side.clicks) for side in sides)
        order = np.lexsort((area, -(a + b)))
        area, a, b = area[order], a[order], b[order]
        return AreaDifference(area, a, b, *difference(a, b, self.a.total, self.b.total))

    @cached_property
    def _clusters(self) -> dict[int, tuple[Integers, Difference]]:
        return {}

    def _of_zoom(self, zoom: int) -> tuple[Integers, Difference]:
        """Side A's clicks of every cluster of a zoom, and how the sides differ there; about 2 ms."""
        if zoom not in self._clusters:
            tree = self._ground.atlas.clusters
            a, b = tree.counts(zoom, self.a.clicks), tree.counts(zoom, self.b.clicks)
            self._clusters[zoom] = a, difference(a, b, self.a.total, self.b.total)
        return self._clusters[zoom]

    def tile(self, zoom: int, x: int, y: int) -> bytes:
        """The tile's vector layer `clusters`: those where either side has clicks; b"" where there is nothing."""
        nodes, both = self.heat.clusters(zoom, x, y)
        if not len(nodes):
            return b""
        a, differs = self._of_zoom(zoom)
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
                "name": [self._ground.name[zoom](node) for node in nodes.tolist()],
                "kind": [level.kind(node) for node in nodes.tolist()],
                "id": [level.id(node) for node in nodes.tolist()],
                "expansion_zoom": self.heat.expansion(zoom, nodes),
                "difference": _hundredths(differs.ratio[nodes]),
                "z": _hundredths(differs.z[nodes]),
            },
        )


def _spread(areas: Integers, some: npt.NDArray[np.int32], clicks: Integers) -> Integers:
    result = np.zeros(len(areas), np.int64)
    result[np.searchsorted(areas, some)] = clicks
    return result


def _hundredths(values: Floats) -> Integers:
    whole: Integers = np.clip(np.rint(values * 100) + ZERO, 0, 2 * ZERO).astype(np.int64)
    return whole
