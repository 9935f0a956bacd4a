"""Places of the atlas before that the new City database no longer knows."""

from pathlib import Path

import numpy as np

from clickatlas.atlas.areas import Areas, Level
from clickatlas.atlas.files import about
from clickatlas.atlas.places import Places
from clickatlas.atlas.records import NO_COORDINATE, Content, Names


def retired_contents(folder: Path, known: set[int], names: Names) -> list[Content]:
    """Contents of the places in the atlas at `folder` whose keys are not in `known`, in order of content.

    What they belong to is read back from the old atlas's area ids; its names fill the gaps in `names`.
    """
    places, areas = Places(folder, about(folder)["zones"]), Areas(folder)
    gone = [n for n, key in enumerate(places.key.tolist()) if n > 1 and key not in known]

    def code(number: int, level: Level) -> str:
        area = int(places.area[level][number])
        return areas.code(area) if area >= 0 else ""

    contents = []
    for number in gone:
        country, city = code(number, Level.COUNTRY), code(number, Level.CITY)
        region = code(number, Level.REGION).removeprefix(f"{country}-")
        postal = code(number, Level.POSTAL).removeprefix(f"{country}-")
        lat, lon = float(places.lat[number]), float(places.lon[number])
        zone = int(places.zone[number])
        contents.append(
            Content(
                country,
                region,
                city,
                postal,
                NO_COORDINATE if np.isnan(lat) else lat,
                NO_COORDINATE if np.isnan(lon) else lon,
                int(places.radius[number]),
                places.zones[zone] if zone >= 0 else "",
            )
        )
        above = places.areas_of(number)
        if Level.COUNTRY in above:
            names.country.setdefault(country, areas.name(above[Level.COUNTRY]))
        if Level.REGION in above:
            names.region.setdefault((country, region), areas.name(above[Level.REGION]))
        if Level.CITY in above:
            names.city.setdefault(city, areas.name(above[Level.CITY]))
    return sorted(contents)
