"""The cluster tree: how places gather on the map at each zoom. Built once, the same under every filter."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import Areas
from clickatlas.atlas.files import load

I32 = npt.NDArray[np.int32]
F64 = npt.NDArray[np.float64]

MAX_ZOOM = 14
COLUMNS = ("x", "y", "lat", "lon", "area", "key", "parent", "expansion")


@dataclass(frozen=True)
class ClusterLevel:
    """The clusters of one zoom, as parallel arrays; the index of a cluster is good for one atlas."""

    zoom: int
    x: F64  # mercator, 0 at 180° W to 1 at 180° E
    y: F64  # mercator, 0 at 85.05° N to 1 at 85.05° S
    lat: F64
    lon: F64
    area: I32  # the area that it is named after, -1 where there is none
    key: npt.NDArray[np.uint64]  # of the place that it stands on
    parent: I32  # index one zoom out; -1 at zoom 0
    expansion: npt.NDArray[np.int8]  # the first zoom at which it falls apart; MAX_ZOOM + 1: never
    areas: Areas

    def __len__(self) -> int:
        return int(self.x.size)

    def id(self, index: int) -> str:
        """A name that the next build will use again while the cluster stands on the same place."""
        return f"z{self.zoom}:{int(self.key[index]):016x}"

    def name(self, index: int) -> str:
        """What it is called: "Boston metro", "Cambridge", "02139"."""
        area = int(self.area[index])
        return self.areas.label(area) if area >= 0 else "unnamed"

    def kind(self, index: int) -> str:
        """The level of the area that names it: 'metro', 'city', 'postal' and so on; 'place' without one."""
        area = int(self.area[index])
        return self.areas.level(area).value if area >= 0 else "place"


class ClusterTree:
    """All zooms, memory-mapped. A cluster lies whole within its parent, and all counts add up."""

    def __init__(self, folder: Path, areas: Areas) -> None:
        columns = {name: load(folder, f"cluster_{name}") for name in COLUMNS}
        first = load(folder, "cluster_first").tolist()
        self._nodes = [
            ClusterLevel(
                zoom, **{name: columns[name][first[zoom] : first[zoom + 1]] for name in COLUMNS}, areas=areas
            )
            for zoom in range(MAX_ZOOM + 1)
        ]
        self._node_of = load(folder, "cluster_of")

    def nodes(self, zoom: int) -> ClusterLevel:
        """The clusters at `zoom`; beyond MAX_ZOOM those of MAX_ZOOM."""
        return self._nodes[max(0, min(zoom, MAX_ZOOM))]

    def node_of(self, zoom: int) -> I32:
        """Place number to cluster index at `zoom`, -1 where unplaced."""
        row: I32 = self._node_of[max(0, min(zoom, MAX_ZOOM))]
        return row

    def counts(self, zoom: int, per_place: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Sum of `per_place` (one number per place) in each cluster; integers stay integers.

        One `bincount` over the places, about a millisecond. Unplaced ones are left out.
        """
        some = np.flatnonzero(per_place != 0)
        inside = self.node_of(zoom)[some] + 1  # the unplaced fall into 0
        total = np.bincount(inside, per_place[some], minlength=len(self.nodes(zoom)) + 1)[1:]
        whole = np.issubdtype(per_place.dtype, np.integer)
        return np.rint(total).astype(np.int64) if whole else total
