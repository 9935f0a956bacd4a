"""How many people each place stands for: the weight that the cluster tree and the outlines of areas use."""

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.contents import Contents
from clickatlas.atlas.gazetteer import ZIP_COUNTRIES, City, Gazetteer, Zip
from clickatlas.atlas.words import Flags, Words

F64 = npt.NDArray[np.float64]

FLOOR = 25.0  # a place that no source counts anybody in is still somewhere
NEAR = 1.0  # degrees (111 km): a place further from its ZIP or city than this is one of the two by mistake


def zips_of(contents: Contents, gazetteer: Gazetteer) -> Words:
    """The ZIP code of each place, where it has one that is known, or ''."""

    def known(country: str, postal: str) -> str:
        return postal if country in ZIP_COUNTRIES and postal in gazetteer.zips else ""

    return contents.country.paired(contents.postal, known)


def place_population(
    contents: Contents, zips: Words, nobody: Flags, retired: Flags, gazetteer: Gazetteer
) -> npt.NDArray[np.float32]:
    """People per place, float32; `zips` is from `zips_of`. Those marked in `nobody` (the unplaced) stand for nobody.

    A ZIP's residents are shared evenly among its places; elsewhere a city's are. Several answers
    (coordinates, radii) for one city are several places, which would each count its people otherwise. Retired
    places have no share: their people are at the places that took over. Nor has a place far from where its ZIP
    or city is known to be (the database has a Strasbourg in the middle of Paris).
    """
    sources: list[Zip | City | None] = [gazetteer.zips.get(code) for code in zips.words]
    sources += [gazetteer.cities.get(code) for code in contents.city.words]
    known = np.array([source is not None for source in sources], bool)
    residents = np.array([source.population or 0 if source else 0 for source in sources], np.float64)
    lat = np.array([source.lat if source else None for source in sources], np.float64)
    lon = np.array([source.lon if source else None for source in sources], np.float64)

    by_zip = ~zips.blank()
    source = np.where(by_zip, zips.of_row, len(zips.words) + contents.city.of_row)
    counts = ~(nobody | retired) & known[source]
    counts &= by_zip | ~contents.country.where(ZIP_COUNTRIES.__contains__)
    counts &= near(contents.lat, contents.lon, lat[source], lon[source])
    source = source[counts]
    people = np.zeros(len(contents), np.float32)
    people[counts] = np.maximum(residents[source] / np.bincount(source)[source], FLOOR)
    people[(people == 0) & ~nobody] = FLOOR
    return people


def near(lat: F64, lon: F64, known_lat: F64, known_lon: F64) -> Flags:
    """Which places are where their ZIP or city is known to be (degrees); so is one of which nobody knows (NaN)."""
    across = np.abs(lon - known_lon)
    across = np.minimum(across, 360.0 - across) * np.cos(np.radians(known_lat))
    near = (np.abs(lat - known_lat) <= NEAR) & (across <= NEAR)
    return near | np.isnan(known_lat) | np.isnan(known_lon)
