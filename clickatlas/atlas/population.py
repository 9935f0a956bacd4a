"""How many people each place stands for: the weight that the cluster tree and the outlines of areas use."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.gazetteer import ZIP_COUNTRIES, Gazetteer
from clickatlas.atlas.records import Content

FLOOR = 25.0  # a place that no source counts anybody in is still somewhere
NEAR = 1.0  # degrees (111 km): a place further from its ZIP or city than this is one of the two by mistake


def zip_of(content: Content, gazetteer: Gazetteer) -> str:
    """The place's ZIP code, where it has one that is known, or ''."""
    return content.postal if content.country in ZIP_COUNTRIES and content.postal in gazetteer.zips else ""


def place_population(
    contents: Sequence[Content],
    nobody: npt.NDArray[np.bool_],
    retired: npt.NDArray[np.bool_],
    gazetteer: Gazetteer,
) -> npt.NDArray[np.float32]:
    """People per place, float32. Those that are marked in `nobody` (the unplaced) stand for nobody.

    A ZIP's residents are shared evenly among its places; elsewhere a city's are. Several answers
    (coordinates, radii) for one city are several places, which would each count its people otherwise. Retired
    places have no share: their people are at the places that took over. Nor has a place far from where its ZIP
    or city is known to be (the database has a Strasbourg in the middle of Paris).
    """
    people = np.zeros(len(contents), np.float32)
    groups: list[tuple[str, int] | None] = []
    for content, skip in zip(contents, (nobody | retired).tolist(), strict=True):
        group: tuple[str, int] | None = None
        if skip:
            pass
        elif code := zip_of(content, gazetteer):
            known = gazetteer.zips[code]
            if near(content, known.lat, known.lon):
                group = (f"zip {code}", known.population or 0)
        elif content.country not in ZIP_COUNTRIES:
            city = gazetteer.cities.get(content.city)
            if city and near(content, city.lat, city.lon):
                group = (content.city, city.population)
        groups.append(group)
    share = Counter(group[0] for group in groups if group)
    for i, group in enumerate(groups):
        if group:
            people[i] = max(group[1] / share[group[0]], FLOOR)
    people[(people == 0) & ~nobody] = FLOOR
    return people


def near(content: Content, lat: float | None, lon: float | None) -> bool:
    """Whether a place is where its ZIP or city is said to be; True when nobody says."""
    if lat is None or lon is None:
        return True
    across = abs(content.lon - lon)
    across = min(across, 360.0 - across) * math.cos(math.radians(lat))
    return abs(content.lat - lat) <= NEAR and across <= NEAR
