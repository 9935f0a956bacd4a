"""The contents of all records of a City file in MaxMind's own layout, column by column."""

from typing import NamedTuple

import numpy as np

from clickatlas.atlas.contents import Contents
from clickatlas.atlas.records import NO_COORDINATE, NOTHING, Names, is_zone
from clickatlas.atlas.section import F64, At, Section, Unusual
from clickatlas.atlas.words import Words


class Things(NamedTuple):
    """What the records say under one name: distinct things, and the thing of every record."""

    codes: list[str]
    english: list[str]
    of_record: At

    def words(self) -> Words:
        """The codes as a column."""
        return Words.of(self.codes, self.of_record)


class Spots(NamedTuple):
    """What the distinct locations say."""

    lat: F64
    lon: F64
    radius: At  # km
    zone: Words


def read_columns(section: Section, records: At, names: Names) -> Contents:
    """The content of each record, as `records.read` gives it, in an eighth of the time.

    Raises `Unusual` when the file isn't laid out as MaxMind's are; then nothing has been added to `names`.
    """
    found = section.fields(
        section.records(records),
        ("country", "subdivisions", "city", "postal", "location", "country_code", "latitude"),
    )
    if (found["country_code"] >= 0).any() or (found["latitude"] >= 0).any():
        raise Unusual
    countries = _things(section, found["country"], "iso_code")
    regions = _things(section, section.first(found["subdivisions"]), "iso_code", instead="geoname_id")
    cities = _things(section, found["city"], "", instead="geoname_id")
    postals, of_postal = np.unique(found["postal"], return_inverse=True)
    postal = section.texts(section.fields(postals, ("code",))["code"])
    spots, of_spot = np.unique(found["location"], return_inverse=True)
    spot = _spots(section, spots)
    if NOTHING in {*countries.codes, *regions.codes, *regions.english, *cities.english, *postal}:
        raise Unusual
    if not all(is_zone(zone) for zone in spot.zone.words if zone):
        raise Unusual

    for code, english in zip(countries.codes, countries.english, strict=True):
        if code:
            names.country.setdefault(code, english)
    for code, english in zip(cities.codes, cities.english, strict=True):
        if code:
            names.city.setdefault(code, english)
    pair = countries.of_record * len(regions.codes) + regions.of_record
    _, first = np.unique(pair, return_index=True)
    for record in np.sort(first).tolist():  # in the order of the file: of two spellings the first one counts
        country, region = countries.of_record[record], regions.of_record[record]
        if code := regions.codes[region]:
            names.region.setdefault((countries.codes[country], code), regions.english[region])
    return Contents(
        countries.words(),
        regions.words(),
        cities.words(),
        Words.of(postal, of_postal),
        spot.lat[of_spot],
        spot.lon[of_spot],
        spot.radius[of_spot],
        spot.zone.take(of_spot),
    )


def _things(section: Section, at: At, code: str, instead: str = "") -> Things:
    """Code and English name of the maps at `at` (-1: none); `instead` is a number to go by without a code.

    A bare number is a code of its own in `code` = '', else it is marked with a 'g': see `records.read`.
    """
    maps, of_record = np.unique(at, return_inverse=True)
    fields = section.fields(maps, [name for name in (code, instead, "names") if name])
    english = section.texts(section.fields(fields["names"], ("en",))["en"])
    codes = section.texts(fields[code]) if code else [""] * maps.size
    if instead:
        numbers = section.unsigned(fields[instead])
        numbered = [f"g{number}" if code else str(number) for number in numbers.tolist()]
        codes = [mine or (number if there >= 0 else "") for mine, number, there
                 in zip(codes, numbered, maps.tolist(), strict=True)]  # fmt: skip
        if ((fields[instead] < 0) & (maps >= 0) & np.array([not c or c in ("g0", "0") for c in codes])).any():
            raise Unusual
    if any(there >= 0 and mine and not name for there, mine, name in zip(maps, codes, english, strict=True)):
        raise Unusual
    return Things(codes, english, of_record)


def _spots(section: Section, maps: At) -> Spots:
    """Latitude, longitude, radius and time zone of location maps."""
    fields = section.fields(maps, ("latitude", "longitude", "accuracy_radius", "time_zone"))
    zones, of_zone = np.unique(fields["time_zone"], return_inverse=True)
    return Spots(
        section.doubles(fields["latitude"], NO_COORDINATE),
        section.doubles(fields["longitude"], NO_COORDINATE),
        section.unsigned(fields["accuracy_radius"]),
        Words.of(section.texts(zones), of_zone),
    )
