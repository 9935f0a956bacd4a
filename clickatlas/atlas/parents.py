"""Which areas each place belongs to, and the table of all areas: made at build."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import LEVELS, Level, save_search, save_texts
from clickatlas.atlas.contents import Contents
from clickatlas.atlas.files import save
from clickatlas.atlas.gazetteer import ZIP_COUNTRIES, Gazetteer
from clickatlas.atlas.metros import Metros, find_metros, metro_of
from clickatlas.atlas.outlines import above, outline
from clickatlas.atlas.records import Names
from clickatlas.atlas.words import Words

I32 = npt.NDArray[np.int32]
F64 = npt.NDArray[np.float64]


class Parents:
    """The areas found so far, in order of level, and for each level the area of every place."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.names: list[str] = []
        self.labels: list[str] = []
        self.people: list[int] = []  # -1 where not known
        self.spot: dict[int, tuple[float, float]] = {}  # where a source knows better than the places do
        self.first: list[int] = []  # number of each level's first area
        self.place_area: list[I32] = []

    def level(self, ids: Words) -> list[str]:
        """Add a level: `ids` has the id of every place's area, '' for none. Returns the new areas' ids."""
        first = len(self.ids)
        number = ids.numbers()
        self.first.append(first)
        self.place_area.append(np.where(number >= 0, first + number, -1).astype(np.int32))
        new = [area_id for area_id in ids.words if area_id]
        self.ids += new
        return new

    def add(self, name: str, label: str = "", people: int | None = None) -> None:
        """Describe the next area of the level just added."""
        self.names.append(name)
        self.labels.append(label)
        self.people.append(-1 if people is None else people)


def find_parents(
    contents: Contents,
    zips: Words,
    unplaced: npt.NDArray[np.bool_],
    lat: F64,
    lon: F64,
    names: Names,
    gazetteer: Gazetteer,
) -> Parents:
    """Areas at all six levels for `contents` (one per place), with the ZIP codes from `zips_of`."""
    parents = Parents()
    metros = find_metros(gazetteer.cities)
    middle = metro_of(metros, contents.country, np.where(unplaced, np.nan, lat), lon)
    _countries(parents, contents, names, gazetteer)
    _regions(parents, contents, names, gazetteer)
    _metros(parents, contents, zips, metros, middle, gazetteer)
    _counties(parents, zips, gazetteer)
    _cities(parents, contents, names, gazetteer)
    _postals(parents, contents, gazetteer)
    return parents


def _countries(parents: Parents, contents: Contents, names: Names, gazetteer: Gazetteer) -> None:
    states = _residents(gazetteer, "state")
    territories = ZIP_COUNTRIES - {"US"}
    for area_id in parents.level(contents.country.renamed(lambda code: code and f"country:{code}")):
        code = area_id[8:]
        known = gazetteer.countries.get(code)
        people = known.population if known else None
        if code == "US":  # of the same census as its ZIPs, so that rates add up
            people = sum(count for state, count in states.items() if state not in territories)
        elif code in territories:
            people = states.get(code, people)
        parents.add(names.country.get(code) or (known.name if known else code), people=people)


def _regions(parents: Parents, contents: Contents, names: Names, gazetteer: Gazetteer) -> None:
    states = _residents(gazetteer, "state")
    at: dict[str, tuple[str, str]] = {}

    def region_id(country: str, region: str) -> str:
        area_id = f"region:{country}-{region}" if country and region else ""
        at[area_id] = country, region
        return area_id

    for area_id in parents.level(contents.country.paired(contents.region, region_id)):
        country, region = at[area_id]
        people = states.get(region) if country == "US" else None
        parents.add(names.region.get((country, region)) or region, people=people)


def _metros(
    parents: Parents,
    contents: Contents,
    zips: Words,
    metros: Metros,
    middle: I32,
    gazetteer: Gazetteer,
) -> None:
    cities = {f"metro:{c.country}-{i}": c for i, c in zip(metros.ids, metros.cities, strict=True)}
    in_us = zips.renamed(lambda z: f"metro:{code}" if (code := gazetteer.zips[z].metro if z else "") else "")
    elsewhere = (middle >= 0) & ~contents.country.where(ZIP_COUNTRIES.__contains__)
    ids = Words.of([*cities, *in_us.words], np.where(elsewhere, middle, len(cities) + in_us.of_row))
    names = {z.metro: z.metro_name for z in gazetteer.zips.values()}
    residents = _residents(gazetteer, "metro")
    for area_id in parents.level(ids):
        if city := cities.get(area_id):
            parents.spot[len(parents.names)] = (city.lat, city.lon)
            parents.add(city.name, f"{city.name} metro")
        else:
            name = names[area_id[6:]]
            parents.add(name, f"{short_metro(name)} metro", residents[area_id[6:]])


def _counties(parents: Parents, zips: Words, gazetteer: Gazetteer) -> None:
    names = {z.county: z.county_name for z in gazetteer.zips.values()}
    residents = _residents(gazetteer, "county")
    for area_id in parents.level(
        zips.renamed(lambda z: f"county:{code}" if (code := gazetteer.zips[z].county if z else "") else "")
    ):
        parents.add(names[area_id[7:]], people=residents[area_id[7:]])


def _cities(parents: Parents, contents: Contents, names: Names, gazetteer: Gazetteer) -> None:
    for area_id in parents.level(contents.city.renamed(lambda code: code and f"city:{code}")):
        known = gazetteer.cities.get(area_id[5:])
        if known:
            parents.spot[len(parents.names)] = (known.lat, known.lon)
        name = names.city.get(area_id[5:]) or (known.name if known else area_id[5:])
        parents.add(name, people=known.population if known else None)


def _postals(parents: Parents, contents: Contents, gazetteer: Gazetteer) -> None:
    for area_id in parents.level(contents.country.paired(contents.postal, postal_id)):
        kind, _, code = area_id.partition(":")
        known = gazetteer.zips.get(code) if kind == "zip" else None
        if known and known.lat is not None and known.lon is not None:
            parents.spot[len(parents.names)] = (known.lat, known.lon)
        parents.add(code if kind == "zip" else code[3:], people=known.population if known else None)


def _residents(gazetteer: Gazetteer, by: str) -> dict[str, int]:
    """Counts add: the residents of a state, metro or county are those of its ZIPs."""
    total: dict[str, int] = {}
    for code in gazetteer.zips.values():
        key: str = getattr(code, by)
        total[key] = total.get(key, 0) + (code.population or 0)
    return total


def postal_id(country: str, postal: str) -> str:
    """`zip:02139`, `postal:GB-RG12`, or '' without a postal code or without a country to tell it by."""
    if not postal or not country:
        return ""
    if country in ZIP_COUNTRIES and len(postal) == 5:
        return f"zip:{postal}"
    return f"postal:{country}-{postal}"


def short_metro(name: str) -> str:
    """The first city of a CBSA's name: 'Boston-Cambridge-Newton, MA-NH' is 'Boston'."""
    cities, _, _ = name.partition(",")
    for keep in ("Winston-Salem",):  # a hyphen of its own
        if cities.startswith(keep):
            return keep
    return cities.partition("--")[0].partition("-")[0].partition("/")[0].strip()


def save_parents(
    folder: Path, parents: Parents, lat: F64, lon: F64, people: npt.NDArray[np.float32], addresses: F64
) -> None:
    """Write the area table and the areas of every place."""
    count = len(parents.ids)
    level = np.zeros(count, np.int8)
    spot, box = np.full((count, 2), np.nan), np.full((count, 4), np.nan)
    importance = np.zeros(count)
    # An unplaced answer says where an area lies only when nothing better does.
    weight = np.where(people > 0, people.astype(np.float64), 1e-6)
    weight[np.isnan(lat)] = 0.0
    for i, column in enumerate(parents.place_area):
        first = parents.first[i]
        last = parents.first[i + 1] if i + 1 < len(LEVELS) else count
        level[first:last] = i
        own = np.where(column >= 0, column - first, -1).astype(np.int32)
        spot[first:last], box[first:last] = outline(own, last - first, lat, lon, weight, i)
        use = own >= 0
        importance[first:last] = np.bincount(own[use], people[use], minlength=last - first)
        save(folder, f"place_{LEVELS[i]}", column)
    for number, place in parents.spot.items():
        west, south, east, north = box[number]
        inside = south <= place[0] <= north and (place[1] - west) % 360 <= (east - west) % 360
        if inside or np.isnan(west) or LEVELS[level[number]] is Level.METRO:
            spot[number] = place
    save_texts(folder, parents.ids, parents.names, parents.labels)
    save_search(folder, parents.ids, parents.names, importance)
    save(folder, "area_level", level)
    save(folder, "area_above", above(parents.place_area, parents.first, count, weight + addresses * 1e-9))
    save(folder, "area_spot", spot)
    save(folder, "area_bbox", box)
    save(folder, "area_population", np.array(parents.people, np.int64))
