"""Which areas each place belongs to, and the table of all areas: made at build."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import LEVELS, Level, save_search, save_texts
from clickatlas.atlas.files import save
from clickatlas.atlas.gazetteer import ZIP_COUNTRIES, Gazetteer
from clickatlas.atlas.metros import Metros, find_metros, metro_of
from clickatlas.atlas.outlines import above, outline
from clickatlas.atlas.population import zip_of
from clickatlas.atlas.records import Content, Names

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

    def level(self, ids: Sequence[str]) -> list[str]:
        """Add a level: `ids` has the id of every place's area, '' for none. Returns the new areas' ids."""
        first = len(self.ids)
        number = {area_id: first + i for i, area_id in enumerate(sorted(set(ids) - {""}))}
        number[""] = -1
        self.first.append(first)
        self.place_area.append(np.array([number[area_id] for area_id in ids], np.int32))
        del number[""]
        self.ids += number
        return list(number)

    def add(self, name: str, label: str = "", people: int | None = None) -> None:
        """Describe the next area of the level just added."""
        self.names.append(name)
        self.labels.append(label)
        self.people.append(-1 if people is None else people)


def find_parents(
    contents: Sequence[Content],
    unplaced: npt.NDArray[np.bool_],
    lat: F64,
    lon: F64,
    names: Names,
    gazetteer: Gazetteer,
) -> Parents:
    """Areas at all six levels for `contents` (one per place)."""
    parents = Parents()
    zips = [zip_of(content, gazetteer) for content in contents]
    metros = find_metros(gazetteer.cities)
    middle = metro_of(metros, [c.country for c in contents], np.where(unplaced, np.nan, lat), lon)
    _countries(parents, contents, names, gazetteer)
    _regions(parents, contents, names, gazetteer)
    _metros(parents, contents, zips, metros, middle, gazetteer)
    _counties(parents, zips, gazetteer)
    _cities(parents, contents, names, gazetteer)
    _postals(parents, contents, gazetteer)
    return parents


def _countries(parents: Parents, contents: Sequence[Content], names: Names, gazetteer: Gazetteer) -> None:
    states = _residents(gazetteer, "state")
    territories = ZIP_COUNTRIES - {"US"}
    for area_id in parents.level([f"country:{c.country}" if c.country else "" for c in contents]):
        code = area_id[8:]
        known = gazetteer.countries.get(code)
        people = known.population if known else None
        if code == "US":  # of the same census as its ZIPs, so that rates add up
            people = sum(count for state, count in states.items() if state not in territories)
        elif code in territories:
            people = states.get(code, people)
        parents.add(names.country.get(code) or (known.name if known else code), people=people)


def _regions(parents: Parents, contents: Sequence[Content], names: Names, gazetteer: Gazetteer) -> None:
    states = _residents(gazetteer, "state")
    at = {f"region:{c.country}-{c.region}": (c.country, c.region) for c in contents}
    ids = [f"region:{c.country}-{c.region}" if c.region and c.country else "" for c in contents]
    for area_id in parents.level(ids):
        country, region = at[area_id]
        people = states.get(region) if country == "US" else None
        parents.add(names.region.get((country, region)) or region, people=people)


def _metros(
    parents: Parents,
    contents: Sequence[Content],
    zips: Sequence[str],
    metros: Metros,
    middle: I32,
    gazetteer: Gazetteer,
) -> None:
    cities = {f"metro:{c.country}-{i}": c for i, c in zip(metros.ids, metros.cities, strict=True)}
    numbered = list(cities)
    ids = [f"metro:{code}" if (code := gazetteer.zips[z].metro if z else "") else "" for z in zips]
    for i in np.flatnonzero(middle >= 0).tolist():
        if contents[i].country not in ZIP_COUNTRIES:
            ids[i] = numbered[middle[i]]
    names = {z.metro: z.metro_name for z in gazetteer.zips.values()}
    residents = _residents(gazetteer, "metro")
    for area_id in parents.level(ids):
        if city := cities.get(area_id):
            parents.spot[len(parents.names)] = (city.lat, city.lon)
            parents.add(city.name, f"{city.name} metro")
        else:
            name = names[area_id[6:]]
            parents.add(name, f"{short_metro(name)} metro", residents[area_id[6:]])


def _counties(parents: Parents, zips: Sequence[str], gazetteer: Gazetteer) -> None:
    names = {z.county: z.county_name for z in gazetteer.zips.values()}
    residents = _residents(gazetteer, "county")
    for area_id in parents.level(
        [f"county:{code}" if (code := gazetteer.zips[z].county if z else "") else "" for z in zips]
    ):
        parents.add(names[area_id[7:]], people=residents[area_id[7:]])


def _cities(parents: Parents, contents: Sequence[Content], names: Names, gazetteer: Gazetteer) -> None:
    for area_id in parents.level([f"city:{c.city}" if c.city else "" for c in contents]):
        known = gazetteer.cities.get(area_id[5:])
        if known:
            parents.spot[len(parents.names)] = (known.lat, known.lon)
        name = names.city.get(area_id[5:]) or (known.name if known else area_id[5:])
        parents.add(name, people=known.population if known else None)


def _postals(parents: Parents, contents: Sequence[Content], gazetteer: Gazetteer) -> None:
    for area_id in parents.level([postal_id(c) for c in contents]):
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


def postal_id(content: Content) -> str:
    """`zip:02139`, `postal:GB-RG12`, or '' without a postal code or without a country to tell it by."""
    if not content.postal or not content.country:
        return ""
    if content.country in ZIP_COUNTRIES and len(content.postal) == 5:
        return f"zip:{content.postal}"
    return f"postal:{content.country}-{content.postal}"


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
