"""Gathers places into the cluster tree, from zoom 14 out to zoom 0.

At each zoom clusters are ranked: by their people, and to a third by the people around them (a linear kernel over
60 px). The first stays, those within 60 px of it join the nearest of higher rank that stays; then the next of what
is left, and so on. The people around matter far out, where Europe's cluster should stand amid Europeans rather than
on Istanbul at their edge; people of its own keep a village between cities from standing for all of them. No two
clusters of a zoom are closer than 60 px, every cluster lies whole within one parent, and a parent stands exactly
where one of its children stood: zooming in, clusters come out of a point that doesn't move. (supercluster gathers
greedily, too, but over the points of the day; weighing by residents makes the tree the same under every filter.)
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from clickatlas.atlas.areas import LEVELS
from clickatlas.atlas.clusters import COLUMNS, MAX_ZOOM
from clickatlas.atlas.files import load, save
from clickatlas.atlas.mercator import mercator
from clickatlas.atlas.titles import Gathered, titles

I32 = npt.NDArray[np.int32]
F64 = npt.NDArray[np.float64]

APART = 60  # px between clusters, at least
WORLD = 512  # px of the world's width at zoom 0, as MapLibre counts


def gather(x: F64, y: F64, weight: F64) -> list[Gathered]:
    """Clusters of spots at each zoom, from 0 to MAX_ZOOM. Of equal weights the spot that comes first counts more."""
    tree: list[Gathered] = []
    spot = np.arange(x.size)
    of_spot = np.arange(x.size, dtype=np.int32)
    for zoom in range(MAX_ZOOM, -1, -1):
        near = _near(x[spot], y[spot], APART / (WORLD * 2**zoom))
        order = np.lexsort((spot, -near.rank(weight)))
        place = np.empty(order.size, np.int32)
        place[order] = np.arange(order.size)
        spot, weight, of_spot = spot[order], weight[order], place[of_spot]
        joins = _joined(Near(place[near.one], place[near.other], near.apart), spot.size)
        stays = np.flatnonzero(joins == np.arange(joins.size))
        number = np.empty(joins.size, np.int32)
        number[stays] = np.arange(stays.size)
        of_spot = number[joins][of_spot]
        weight = np.bincount(number[joins], weight, minlength=stays.size).astype(np.float64)
        spot = spot[stays]
        tree.append(Gathered(spot, of_spot))
    return tree[::-1]


class Near(NamedTuple):
    """Pairs of nodes closer than the reach, and how far apart they are as a share of it."""

    one: npt.NDArray[np.integer]
    other: npt.NDArray[np.integer]
    apart: F64

    def rank(self, weight: F64) -> F64:
        """Own people squared, times those around: its own, and its neighbours' the less the farther they are."""
        closeness = 1 - self.apart
        around = weight + np.bincount(self.one, weight[self.other] * closeness, weight.size)
        around += np.bincount(self.other, weight[self.one] * closeness, weight.size)
        return weight * weight * around


def _near(x: F64, y: F64, reach: float) -> Near:
    """All pairs within `reach` (mercator units), across the date line, too."""
    pairs = cKDTree(np.column_stack([x, y]), boxsize=[1.0, 0.0]).query_pairs(reach, output_type="ndarray")
    one, other = pairs[:, 0], pairs[:, 1]
    across = np.abs(x[one] - x[other])
    distance = np.hypot(np.minimum(across, 1 - across), y[one] - y[other])
    return Near(one, other, distance / reach)


def _joined(near: Near, size: int) -> npt.NDArray[np.intp]:
    """For each of `size` nodes the one that it joins, itself where it stays. Nodes are in order of rank.

    Sequential by nature, but it can be done in a few rounds: whoever has no neighbour of higher rank left stays,
    its neighbours go, and so on. That gives the very set that going through them one by one would.
    """
    first, later = np.minimum(near.one, near.other), np.maximum(near.one, near.other)
    open_, stays = np.ones(size, bool), np.zeros(size, bool)
    left_first, left_later = first, later
    while left_first.size:
        outdone = np.zeros(size, bool)
        outdone[left_later] = True
        stays |= open_ & ~outdone
        open_ &= outdone
        open_[left_later[stays[left_first]]] = False
        undecided = open_[left_first] & open_[left_later]
        left_first, left_later = left_first[undecided], left_later[undecided]
    stays |= open_
    # Only ever up in rank: else the half of Morocco would join a village in the desert for being nearer.
    use = stays[first] & ~stays[later]
    to, who = first[use], later[use]
    # The last written wins: the nearest, of equals the first.
    order = np.lexsort((-to, -near.apart[use], who))
    joins = np.arange(size)
    joins[who[order]] = to[order]
    return joins


def save_clusters(folder: Path) -> None:
    """Gather the places of the atlas in `folder` and write the tree beside them."""
    key, unplaced = load(folder, "place_key"), load(folder, "place_unplaced")
    lat, lon = load(folder, "place_lat"), load(folder, "place_lon")
    weight = load(folder, "place_population").astype(np.float64)
    areas = {level: load(folder, f"place_{level}") for level in LEVELS}
    placed = np.flatnonzero(~unplaced)
    # The heaviest place of each spot first; among equals the smaller key, which no order of building changes.
    placed = placed[np.lexsort((key[placed], -weight[placed]))]
    code = np.round((lat[placed] + 90) * 1e6).astype(np.int64) << 30 | np.round(
        (lon[placed] + 180) * 1e6
    ).astype(np.int64)
    _, first, which = np.unique(code, return_index=True, return_inverse=True)
    order = np.argsort(first)  # spots in order of their heaviest place
    rank = np.empty(order.size, np.int32)
    rank[order] = np.arange(order.size)
    head = placed[first[order]]
    spot_of_place = np.full(key.size, -1, np.int32)
    spot_of_place[placed] = rank[which]

    x, y = mercator(lat[head], lon[head])
    mass = np.bincount(rank[which], weight[placed], minlength=head.size)
    tree = gather(x, y, mass.astype(np.float64))
    area = titles(tree, spot_of_place, head, areas, weight)
    columns: dict[str, list[npt.NDArray[np.generic]]] = {}
    expansion = np.zeros(0, np.int8)
    for zoom in range(MAX_ZOOM, -1, -1):
        spot = tree[zoom].spot
        parent = tree[zoom - 1].of_spot[spot] if zoom else np.full(spot.size, -1, np.int32)
        if zoom == MAX_ZOOM:
            expansion = np.full(spot.size, MAX_ZOOM + 1, np.int8)
        else:
            inner = tree[zoom].of_spot[tree[zoom + 1].spot]
            several = np.bincount(inner, minlength=spot.size) > 1
            alone = np.empty(spot.size, np.int8)
            alone[inner] = expansion
            expansion = np.where(several, np.int8(zoom + 1), alone)
        values = (
            x[spot],
            y[spot],
            lat[head[spot]],
            lon[head[spot]],
            area[zoom],
            key[head[spot]],
            parent,
        )
        for name, column in zip(COLUMNS, (*values, expansion), strict=True):
            columns.setdefault(name, []).insert(0, column)
    for name, parts in columns.items():
        save(folder, f"cluster_{name}", np.concatenate(parts))
    save(folder, "cluster_first", np.cumsum([0, *(gathered.spot.size for gathered in tree)]))
    rows = [np.append(gathered.of_spot, np.int32(-1))[spot_of_place] for gathered in tree]
    save(folder, "cluster_of", np.array(rows, np.int32))
