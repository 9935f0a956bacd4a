"""The map's tiles, cut from counts: heat cells and clusters. Pan and zoom touch nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.clusters import ClusterTree
from clickatlas.atlas.mercator import mercator
from clickatlas.insight import mvt
from clickatlas.insight.counts import Counts
from clickatlas.insight.measures import F32, F64, PER, Expectation, Residents, rate
from clickatlas.insight.scales import Measure, Scale, index_scale, rate_scale
from clickatlas.insight.shrinkage import strength

MAX_ZOOM = 14
GRID = 8  # a tile is 2^8 heat cells wide: 2 px each, which looks the same as raw points
DEPTH = MAX_ZOOM + GRID
METROS = 6  # the zoom whose clusters are about as wide as a metro
TELLING = 10  # clicks that a cluster needs for its rate to move a colour
KEPT_NAMES = 20_000  # of a zoom's clusters; reading one costs 2 µs, about 100 bytes keep it
Codes = npt.NDArray[np.int64]


def spread_bits(values: npt.NDArray[np.integer]) -> Codes:
    """Each bit of a number below 2^22 moved to an even position: half of a Morton code."""
    v = np.asarray(values, np.int64)
    for shift, mask in (
        (16, 0x0000FFFF0000FFFF), (8, 0x00FF00FF00FF00FF), (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333), (1, 0x5555555555555555),
    ):  # fmt: skip
        v = (v | (v << shift)) & mask
    return v


def gather_bits(codes: Codes) -> Codes:
    """The inverse of `spread_bits`."""
    v = np.asarray(codes, np.int64) & 0x5555555555555555
    for shift, mask in (
        (1, 0x3333333333333333), (2, 0x0F0F0F0F0F0F0F0F), (4, 0x00FF00FF00FF00FF),
        (8, 0x0000FFFF0000FFFF), (16, 0x00000000FFFFFFFF),
    ):  # fmt: skip
        v = (v | (v >> shift)) & mask
    return v


def morton(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], depth: int = DEPTH) -> Codes:
    """Morton codes of mercator positions in 0..1; all points of a tile are neighbours in this order."""
    size = 1 << depth
    column = np.clip((x * size).astype(np.int64), 0, size - 1)
    row = np.clip((y * size).astype(np.int64), 0, size - 1)
    return spread_bits(column) | (spread_bits(row) << 1)


@dataclass(frozen=True)
class Ground:
    """What tiles need of an atlas, made once: places and cluster nodes in Morton order."""

    atlas: Atlas
    place: npt.NDArray[np.int64]
    code: Codes
    node: list[npt.NDArray[np.int64]]
    node_code: list[Codes]
    name: Sequence[Callable[[int], str]]  # per zoom, remembered
    eastward: npt.NDArray[np.int64]  # the same places in the order of their longitude
    northward: npt.NDArray[np.int64]  # and of their latitude
    people: Residents
    residents: F32  # of the places in Morton order
    country: npt.NDArray[np.int16]  # and their countries, as `people` has them

    @classmethod
    def of(cls, atlas: Atlas) -> Ground:
        """Sort the atlas's placed places and its cluster nodes; about 0.2 s."""
        places = np.flatnonzero(~np.asarray(atlas.places.unplaced))
        x, y = mercator(np.asarray(atlas.places.lat)[places], np.asarray(atlas.places.lon)[places])
        code = morton(x, y)
        order = np.argsort(code, kind="stable")
        nodes, node_codes = [], []
        for zoom in range(MAX_ZOOM + 1):
            level = atlas.clusters.nodes(zoom)
            level_code = morton(np.asarray(level.x), np.asarray(level.y))
            level_order = np.argsort(level_code, kind="stable")
            nodes.append(level_order)
            node_codes.append(level_code[level_order])
        names = [lru_cache(KEPT_NAMES)(atlas.clusters.nodes(zoom).name) for zoom in range(MAX_ZOOM + 1)]
        eastward, northward = (
            places[np.argsort(np.asarray(angle)[places])] for angle in (atlas.places.lon, atlas.places.lat)
        )
        people, place = Residents.of(atlas), places[order]
        return cls(
            atlas, place, code[order], nodes, node_codes, names, eastward, northward,
            people, people.place[place], people.country[place],
        )  # fmt: skip

    @cached_property
    def cluster_residents(self) -> list[F32]:
        """Per zoom: residents of each cluster."""
        return [sums.astype(np.float32) for sums in _up_the_tree(self.atlas.clusters, self.people.place)]


class Heat:
    """One filter's tiles. Making it costs about 2 ms, a tile a fraction of one."""

    def __init__(self, ground: Ground, counts: Counts) -> None:
        self._ground = ground
        self._counts = counts
        self._drawn = counts.drawn
        clicks = self._drawn[ground.place]
        some = np.flatnonzero(clicks)
        self._clicks = clicks[some]
        self._code = ground.code[some]

    @cached_property
    def largest_cell(self) -> list[int]:
        """The clicks of the fullest heat cell at each zoom: what a legend and a colour scale need."""
        code, clicks = _joined(self._code, self._clicks)
        largest = [int(clicks.max(initial=0))]
        for _ in range(MAX_ZOOM):  # each zoom from the one below it, which has fewer and fewer cells
            code, clicks = _joined(code >> 2, clicks)
            largest.insert(0, int(clicks.max(initial=0)))
        return largest

    @cached_property
    def bounds(self) -> tuple[float, float, float, float] | None:
        """(west, south, east, north) that holds 99 % of the placed clicks; None without any."""
        if not len(self._clicks):
            return None
        places, ground = self._ground.atlas.places, self._ground
        west, east = _weighted_range(places.lon, ground.eastward, self._drawn)
        south, north = _weighted_range(places.lat, ground.northward, self._drawn)
        return west, south, east, north

    def _cells(self, start: int, stop: int, zoom: int) -> tuple[Codes, npt.NDArray[np.int64]]:
        """Heat cells of points `start` to `stop`: Morton codes at depth zoom + GRID, and clicks."""
        return _joined(self._code[start:stop] >> (2 * (MAX_ZOOM - zoom)), self._clicks[start:stop])

    def cells(self, zoom: int, x: int, y: int) -> tuple[Codes, Codes, npt.NDArray[np.int64]]:
        """Heat cells of one tile: column and row in 0..255, and clicks."""
        start, stop = np.searchsorted(self._code, tile_range(zoom, x, y))
        code, clicks = self._cells(int(start), int(stop), zoom)
        within = (1 << GRID) - 1
        return gather_bits(code) & within, gather_bits(code >> 1) & within, clicks

    @cached_property
    def expectation(self) -> Expectation:
        """What the clicks are held against; see `measures`."""
        return Expectation.of(self._ground.atlas, self._counts, self._ground.people)

    @cached_property
    def base(self) -> dict[Measure, float]:
        """What the measures are on average: the placed clicks per 10,000 residents, and 100."""
        residents = float(self.expectation.residents.sum(dtype=np.float64))
        return {
            Measure.RATE: PER * float(self._clicks.sum()) / residents if residents else 0.0,
            Measure.INDEX: 100.0,
        }

    @cached_property
    def scales(self) -> dict[Measure, Scale]:
        """The colour scales of the measures: the rates' by what clusters as wide as a metro have.

        Three quarters of a cluster's weight are its share of the clicks, one its share of the residents: the places
        that give most clicks differ in colour, and so does the rest of the world. A few clicks weigh nothing.
        """
        clicks = self._cluster_clicks[METROS].astype(np.float64)
        residents = self.cluster_residents[METROS].astype(np.float64)
        told = (clicks >= TELLING) & (residents > 0)
        if not told.any():
            told = (clicks > 0) & (residents > 0)
        clicks, residents = clicks[told], residents[told]
        weights = 0.75 * clicks / clicks.sum() + 0.25 * residents / residents.sum()
        return {Measure.RATE: rate_scale(rate(clicks, residents), weights), Measure.INDEX: index_scale()}

    @cached_property
    def prior(self) -> dict[Measure, list[float]]:
        """Per zoom: how strongly ratios are held to the average; see `shrinkage`."""
        per_head = self.base[Measure.RATE] / PER
        expected = {
            Measure.RATE: [residents * per_head for residents in self.cluster_residents],
            Measure.INDEX: self.cluster_expected,
        }
        return {measure: list(map(strength, self._cluster_clicks, of)) for measure, of in expected.items()}

    def clicked(self, first: int, last: int) -> tuple[Codes, npt.NDArray[np.int64]]:
        """Places with clicks from one Morton code to before another: their codes and clicks."""
        start, stop = np.searchsorted(self._code, (first, last))
        return self._code[start:stop], self._clicks[start:stop]

    def expected(self, first: int, last: int, measure: Measure) -> tuple[Codes, F64]:
        """The same of all places: codes, and the clicks that each would have if all were average.

        For the index, average is a place's country, for the rate it is the whole.
        """
        ground, within = self._ground, self._counts.within
        start, stop = np.searchsorted(ground.code, (first, last))
        residents = ground.residents[start:stop].astype(np.float64)
        if within is not None:
            residents *= within[ground.place[start:stop]]
        if measure is Measure.RATE:
            residents *= self.base[measure] / PER
        else:
            residents *= self.expectation.reference[ground.country[start:stop]]
        return ground.code[start:stop], residents

    @cached_property
    def _cluster_clicks(self) -> list[npt.NDArray[np.int64]]:
        """Per zoom: clicks of each cluster."""
        sums = _up_the_tree(self._ground.atlas.clusters, self._drawn)
        return [clicks.astype(np.int64) for clicks in sums]

    @cached_property
    def cluster_residents(self) -> list[F32]:
        """Per zoom: residents of each cluster, those that the filter's areas let through."""
        if self._counts.within is None:
            return self._ground.cluster_residents
        sums = _up_the_tree(self._ground.atlas.clusters, self.expectation.residents)
        return [residents.astype(np.float32) for residents in sums]

    @cached_property
    def cluster_expected(self) -> list[F32]:
        """Per zoom: expected clicks of each cluster."""
        sums = _up_the_tree(self._ground.atlas.clusters, self.expectation.places)
        return [expected.astype(np.float32) for expected in sums]

    @cached_property
    def _expansion(self) -> list[npt.NDArray[np.int8]]:
        """Per zoom and node: the first zoom at which it shows as more than one; MAX_ZOOM + 1 for never."""
        tree, clicks = self._ground.atlas.clusters, self._cluster_clicks
        result = [np.full(len(clicks[MAX_ZOOM]), MAX_ZOOM + 1, np.int8)]
        for zoom in range(MAX_ZOOM - 1, -1, -1):
            below = clicks[zoom + 1] > 0
            parent = np.asarray(tree.nodes(zoom + 1).parent)[below]
            children = np.bincount(parent, minlength=len(clicks[zoom]))
            only = np.full(len(clicks[zoom]), MAX_ZOOM + 1, np.int8)
            only[parent] = result[0][below]
            result.insert(0, np.where(children > 1, np.int8(zoom + 1), only))
        return result

    def expansion(self, zoom: int, nodes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Of clusters with clicks: the first zoom at which each shows as more than one; MAX_ZOOM + 1 for never."""
        return self._expansion[zoom][nodes].astype(np.int64)

    def clusters(self, zoom: int, x: int, y: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Cluster nodes with clicks in one tile: node numbers of that zoom, and clicks."""
        codes = self._ground.node_code[zoom]
        start, stop = np.searchsorted(codes, tile_range(zoom, x, y))
        nodes = self._ground.node[zoom][start:stop]
        clicks = self._cluster_clicks[zoom][nodes]
        return nodes[clicks > 0], clicks[clicks > 0]

    def _named_after(self, zoom: int, nodes: npt.NDArray[np.int64]) -> list[str]:
        """Of clusters that break apart no more, the id of the area that names them; "" of the others."""
        level, areas = self._ground.atlas.clusters.nodes(zoom), self._ground.atlas.areas
        last = self._expansion[zoom][nodes] > MAX_ZOOM
        named = np.where(last, np.asarray(level.area)[nodes], -1).tolist()
        if (held := self._counts.held) is not None:
            named = [held.nearest_shown(area) for area in named]
        return [areas.id(area) if area >= 0 else "" for area in named]

    def names(self, zoom: int, nodes: npt.NDArray[np.int64]) -> dict[str, list[str]]:
        """What clusters are called, and the level of the area that names each: one that may be shown."""
        level, held = self._ground.atlas.clusters.nodes(zoom), self._counts.held
        if held is None:
            return {
                "name": [self._ground.name[zoom](node) for node in nodes.tolist()],
                "kind": [level.kind(node) for node in nodes.tolist()],
            }
        areas = self._ground.atlas.areas
        named = [held.nearest_shown(area) for area in np.asarray(level.area)[nodes].tolist()]
        return {
            "name": [areas.label(area) if area >= 0 else "unnamed" for area in named],
            "kind": [areas.level(area).value if area >= 0 else "place" for area in named],
        }

    def tile(self, zoom: int, x: int, y: int) -> bytes:
        """The tile's vector layers `heat` and `clusters`; b"" where there is nothing."""
        column, row, clicks = self.cells(zoom, x, y)
        half = mvt.EXTENT >> (GRID + 1)
        step = mvt.EXTENT >> GRID
        heat = mvt.layer("heat", column * step + half, row * step + half, {"clicks": clicks})
        nodes, node_clicks = self.clusters(zoom, x, y)
        if not len(nodes):
            return heat
        level = self._ground.atlas.clusters.nodes(zoom)
        size = 1 << zoom
        places = (np.asarray(level.x)[nodes] * size - x, np.asarray(level.y)[nodes] * size - y)
        px, py = (np.clip((place * mvt.EXTENT).astype(np.int64), 0, mvt.EXTENT - 1) for place in places)
        return heat + mvt.layer(
            "clusters",
            px,
            py,
            {
                "clicks": node_clicks,
                "residents": np.rint(self.cluster_residents[zoom][nodes]).astype(np.int64),
                "expected": _hundredths(self.cluster_expected[zoom][nodes]),
                **self.names(zoom, nodes),
                "id": [level.id(node) for node in nodes.tolist()],
                "area": self._named_after(zoom, nodes),
                "expansion_zoom": self.expansion(zoom, nodes),
            },
        )


def _up_the_tree(tree: ClusterTree, per_place: npt.NDArray[np.generic]) -> list[F64]:
    """Per zoom: the sum in each cluster. Added up the tree, which costs a tenth of asking each zoom."""
    result = [np.asarray(tree.counts(MAX_ZOOM, per_place), np.float64)]
    for zoom in range(MAX_ZOOM - 1, -1, -1):
        parent = tree.nodes(zoom + 1).parent
        sums = np.bincount(parent, weights=result[0], minlength=len(tree.nodes(zoom)))
        result.insert(0, sums.astype(np.float64))
    return result


def _hundredths(expected: F32) -> npt.NDArray[np.int64]:
    """Whole hundredths; little is 1, so that 0 says that nothing can be expected."""
    return np.maximum(np.rint(100 * expected).astype(np.int64), expected > 0)


def tile_range(zoom: int, x: int, y: int) -> tuple[int, int]:
    """The Morton codes of a tile: first, and the one behind its last."""
    shift = 2 * (DEPTH - zoom)
    code = int(f"{x:b}", 4) | int(f"{y:b}", 4) << 1  # base 4 spreads a number's bits
    return code << shift, (code + 1) << shift


def _joined(code: Codes, clicks: npt.NDArray[np.int64]) -> tuple[Codes, npt.NDArray[np.int64]]:
    """Neighbours of the same code become one."""
    if not len(code):
        return code, clicks
    first = np.flatnonzero(np.concatenate(([True], code[1:] != code[:-1])))
    return code[first], np.add.reduceat(clicks, first)


def _weighted_range(
    values: npt.NDArray[np.float64], order: npt.NDArray[np.int64], weights: npt.NDArray[np.int64]
) -> tuple[float, float]:
    """What holds 99 % of the weight; `order` makes the values ascend."""
    part = np.cumsum(weights[order])
    low, high = np.searchsorted(part, np.array((0.005, 0.995)) * part[-1])
    return float(values[order[low]]), float(values[order[min(high, len(order) - 1)]])
