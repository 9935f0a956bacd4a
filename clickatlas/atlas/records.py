"""What a City database says about a network, whatever its maker's layout.

Two layouts are known: MaxMind's (GeoLite2, GeoIP2, DB-IP and IP2Location in MaxMind form), with nested maps
and geoname ids, and the flat one of `@ip-location-db` with `country_code`, `state1`, `city` and so on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple

NOTHING = "-"  # as IP2Location writes it
NO_COORDINATE = 999.0  # sorts and compares, as NaN would not; written to disk as NaN


class Content(NamedTuple):
    """What makes a place that place. Codes, not names: a respelling is no new place.

    `region` is the code below the country ('MA'), `city` the geoname id or, where there is none, a code made
    from the names; '' or 0 where not known.
    """

    country: str
    region: str
    city: str
    postal: str
    lat: float
    lon: float
    radius: int  # kilometres
    zone: str


UNKNOWN = Content("", "", "", "", NO_COORDINATE, NO_COORDINATE, 0, "")


@dataclass
class Names:
    """English names met along the way."""

    country: dict[str, str] = field(default_factory=dict)
    region: dict[tuple[str, str], str] = field(default_factory=dict)  # by (country, region)
    city: dict[str, str] = field(default_factory=dict)


def read(record: Any, names: Names) -> Content:
    """The content of a data record of either layout. Raises nothing: what isn't understood is not known."""
    if not isinstance(record, Mapping):
        return UNKNOWN
    return _flat(record, names) if "country_code" in record else _maxmind(record, names)


def _maxmind(record: Mapping[str, Any], names: Names) -> Content:
    get = record.get
    country = region = city = ""
    # `registered_country` says who holds the network, not where it is: it is no place.
    if found := get("country"):
        country = _known(found.get("iso_code"))
        if country not in names.country:
            names.country[country] = _english(found)
    if found := get("subdivisions"):  # least specific first: England, then a London borough
        found = found[0]
        name = _english(found)
        region = _known(found.get("iso_code")) or (_code(found, country, name) if _says(found, name) else "")
        if (country, region) not in names.region:
            names.region[country, region] = name
    if (found := get("city")) and _says(found, name := _english(found)):
        city = str(found["geoname_id"]) if "geoname_id" in found else _code(found, country, region, name)
        if city not in names.city:
            names.city[city] = name
    postal = _known(found.get("code")) if (found := get("postal")) else ""
    if not (found := get("location")):
        return Content(country, region, city, postal, NO_COORDINATE, NO_COORDINATE, 0, "")
    lat, lon = found.get("latitude", NO_COORDINATE), found.get("longitude", NO_COORDINATE)
    if not (country or city or postal) and lat == lon == 0:
        lat = lon = NO_COORDINATE  # IP2Location's way to say nothing
    zone = found.get("time_zone") or ""
    radius = found.get("accuracy_radius") or 0
    return Content(country, region, city, postal, lat, lon, radius, zone if is_zone(zone) else "")


def is_zone(text: str) -> bool:
    """Whether a time zone is one of IANA's; IP2Location gives offsets, '-04:00', which say nothing of summer."""
    return text[:1].isalpha()


def _says(thing: Mapping[str, Any], name: str) -> bool:
    """Whether a thing is anything: it has an id or a name."""
    return bool(thing.get("geoname_id")) or _known(name) != ""


def _known(text: str | None) -> str:
    """'' for what isn't there, and for IP2Location's dash."""
    return "" if text is None or text == NOTHING else text


def _flat(record: Mapping[str, Any], names: Names) -> Content:
    country = str(record.get("country_code") or "")
    state, town = str(record.get("state1") or ""), str(record.get("city") or "")
    region = _code({}, country, state) if state else ""
    city = _code({}, country, state, town) if town else ""
    names.region.setdefault((country, region), state)
    names.city.setdefault(city, town)
    lat, lon = record.get("latitude"), record.get("longitude")
    return Content(
        country,
        region,
        city,
        str(record.get("postcode") or ""),
        _degrees(lat, 4),  # these files hold 32-bit floats, good for about four decimals
        _degrees(lon, 4),
        0,
        str(record.get("timezone") or ""),
    )


def _english(thing: Mapping[str, Any]) -> str:
    all_names = thing.get("names") or {}
    name = all_names.get("en") or next(iter(all_names.values()), "")
    return str(name)


def _code(thing: Mapping[str, Any], *parts: str) -> str:
    """A stable code: the geoname id, else one made from the names."""
    if thing.get("geoname_id"):
        return f"g{thing['geoname_id']}"
    return "x" + blake2b("\x1f".join(parts).encode(), digest_size=6, person=b"area 1").hexdigest()


def _degrees(value: Any, digits: int) -> float:
    try:
        return round(float(value), digits) + 0.0  # + 0.0: no negative zero in a key
    except (TypeError, ValueError):
        return NO_COORDINATE
