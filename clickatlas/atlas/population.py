"""How many people each place stands for: the weight that the cluster tree and the outlines of areas use."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.gazetteer import ZIP_COUNTRIES, Gazetteer
from clickatlas.atlas.records import Content

FLOOR = 25.0  # a place that no source counts anybody in is still somewhere


def zip_of(content: Content, gazetteer: Gazetteer) -> str:
    """The place's ZIP code, where it has one that is known, or ''."""
    return content.postal if content.country in ZIP_COUNTRIES and content.postal in gazetteer.zips else ""


def place_population(
    contents: Sequence[Content], unplaced: npt.NDArray[np.bool_], gazetteer: Gazetteer
) -> npt.NDArray[np.float32]:
    """People per place, float32. Unplaced places stand for nobody.

    A ZIP's residents are shared evenly among its places; elsewhere a city's are. Several answers
    (coordinates, radii) for one city are several places, which would each count its people otherwise.
    """
    people = np.zeros(len(contents), np.float32)
    groups: list[tuple[str, int] | None] = []
    for content, skip in zip(contents, unplaced.tolist(), strict=True):
        group: tuple[str, int] | None = None
        if skip:
            pass
        elif code := zip_of(content, gazetteer):
            group = (f"zip {code}", gazetteer.zips[code].population or 0)
        elif content.country not in ZIP_COUNTRIES and (city := gazetteer.cities.get(content.city)):
            group = (content.city, city.population)
        groups.append(group)
    share = Counter(group[0] for group in groups if group)
    for i, group in enumerate(groups):
        if group:
            people[i] = max(group[1] / share[group[0]], FLOOR)
    people[(people == 0) & ~unplaced] = FLOOR
    return people
