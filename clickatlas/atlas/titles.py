"""What each cluster is called: after the area that it comes closest to being."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import Level

I32 = npt.NDArray[np.int32]
F64 = npt.NDArray[np.float64]


class Gathered(NamedTuple):
    """A zoom's clusters: the spot that each stands on, and the cluster of every spot."""

    spot: npt.NDArray[np.intp]  # the heaviest cluster first
    of_spot: I32


STREETS = 11  # from this zoom on a postal code says more than the town's name
OWN = 0.5  # a cluster needs more than this share of a wide area's people to bear its name: so only one does
MATCH = 0.8  # a region or country lends its name only to a cluster that is hardly less, and hardly more,
POOR = 0.6  # and only where nothing narrower matches better than this
PREFER = 0.8  # the first of the levels below is taken if it matches at least this much as well as the best
NAMING = {
    False: (Level.CITY, Level.METRO, Level.POSTAL),
    True: (Level.POSTAL, Level.CITY),
}
WIDE = (Level.METRO, Level.REGION, Level.COUNTRY)


def titles(
    tree: list[Gathered], spot_of_place: I32, head: npt.NDArray[np.intp], areas: dict[Level, I32], weight: F64
) -> list[I32]:
    """The area that names each cluster, by zoom; -1 where its heaviest place belongs to none.

    Only areas of the place on which the cluster stands (`head`, by spot) come into question, so that a name is
    always where it belongs on the map. Of those the one that matches best, by the Jaccard index of the people:
    those in both cluster and area over those in either. So a cluster around Boston that swallowed the suburbs
    is "Boston metro", one that is only its middle is "Boston", and one ZIP that is all alone is "02139".
    `spot_of_place` is -1 for places that are in no cluster.
    """
    placed = np.flatnonzero(spot_of_place >= 0)
    spot, people = spot_of_place[placed], weight[placed]
    here = {level: areas[level][placed] for level in (*NAMING[False], Level.REGION, Level.COUNTRY)}
    whole = {level: np.bincount(area[area >= 0], people[area >= 0]) for level, area in here.items()}
    names = []
    for zoom, gathered in enumerate(tree):
        cluster = gathered.of_spot[spot]
        size = np.bincount(cluster, people, minlength=gathered.spot.size)
        best = {}
        for level in here:
            area = areas[level][head[gathered.spot]]
            both = np.bincount(
                cluster, np.where(here[level] == area[cluster], people, 0.0), minlength=area.size
            )
            all_of_it = np.append(whole[level], 0.0)[area]  # the last one for those in none
            either = size + all_of_it - both
            match = np.where((area >= 0) & (either > 0), both / np.maximum(either, 1e-9), 0.0)
            if level in WIDE:
                match[both <= OWN * all_of_it] = 0.0
            best[level] = (area, match)
        names.append(_choose(best, zoom >= STREETS))
    return names


def _choose(best: dict[Level, tuple[I32, F64]], streets: bool) -> I32:
    """One area per cluster from those of each level and how well they match."""
    narrow = np.max([best[level][1] for level in NAMING[streets]], axis=0)
    name = np.full(narrow.size, -1, np.int32)
    for level in (Level.COUNTRY, Level.REGION, Level.METRO):  # where nothing narrower is known at all
        name = np.where(best[level][0] >= 0, best[level][0], name)
    for level in reversed(NAMING[streets]):
        area, match = best[level]
        name = np.where((match > 0) & (match >= PREFER * narrow), area, name)
    for level in (Level.REGION, Level.COUNTRY):
        area, match = best[level]
        name = np.where((match >= MATCH) & (narrow < POOR), area, name)
    return name.astype(np.int32)
