"""Everything that is known about one address: what `clickatlas atlas where` prints."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from clickatlas.atlas.areas import LEVELS, Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.figures import FIGURES
from clickatlas.atlas.kinds import NetworkKind
from clickatlas.atlas.places import NOWHERE, PRIVATE

PLURAL = {
    Level.COUNTRY: "countries",
    Level.REGION: "regions",
    Level.METRO: "metros",
    Level.COUNTY: "counties",
    Level.CITY: "cities",
    Level.POSTAL: "postal codes",
}
ORIGINS = {
    "npm": "from npm",
    "pypi": "from PyPI",
    "maxmind": "from MaxMind by licence key",
    "census": "from the Census API",
    "file": "a file of your own",
}
COUNTS = tuple(figure.name for figure in FIGURES if figure.kind == "count")
UNIT = {figure.name: figure.unit for figure in FIGURES}  # '' for shares


@dataclass(frozen=True)
class Parent:
    """An area that the place belongs to."""

    id: str
    level: Level
    name: str


@dataclass(frozen=True)
class Where:
    """A place and what it belongs to."""

    address: str
    place: int  # number in this atlas
    key: int  # the same in every atlas that knows the place
    known: str  # 'placed', 'unplaced', 'private' or 'nowhere'
    parents: list[Parent]  # the widest first
    lat: float | None
    lon: float | None
    radius: int | None  # km
    zone: str | None  # IANA time zone
    flag: str
    kind: NetworkKind
    people: dict[str, Any] | None  # of the narrowest area that figures are known for
    people_of: str  # that area's id

    def text(self) -> str:
        """For a terminal."""
        return "\n".join(self._lines())

    def _lines(self) -> list[str]:
        lines = [f"{self.address}  {self.flag}".rstrip()]
        if self.known == "nowhere":
            return [*lines, "  no place: the City database doesn't know this address (or it is none)"]
        if self.known == "private":
            return [*lines, "  a private or reserved address: it has no place"]
        lines += [
            f"  {parent.level.value:<10}{parent.name}  ({parent.id})" for parent in reversed(self.parents)
        ]
        if self.lat is not None:
            lines.append(f"  {'position':<10}{self.lat}, {self.lon}, within {self.radius or '?'} km")
        if self.known == "unplaced":
            lines.append("  unplaced: too coarse to be a spot; counted in the tables, never drawn on the map")
        lines.append(f"  {'zone':<10}{self.zone or '?'}")
        lines.append(f"  {'network':<10}{self.kind.name.lower()}")
        lines.append(f"  {'place key':<10}{self.key:016x}")
        return lines + self._people_lines()

    def _people_lines(self) -> list[str]:
        people = self.people
        if not people:
            return []
        head = f"  people of {self.people_of}"
        if not people["residents"]:
            return [head, f"    no residents: {people.get('reason', 'nobody is counted here')}"]
        lines = [head]
        margins, older = people.get("margins", {}), people.get("older", {})
        for name, value in _figures(people).items():
            if value is not None:
                line = f"    {name.replace('_', ' '):<26}{_written(name, value):>14}"
                line += f" ± {_written(name, margins[name])}" if name in margins else ""
                lines.append(line + (" *" if name in older.get("figures", ()) else ""))
        if people.get("per_km2"):
            lines.append(f"    {'residents per km²':<26}{people['per_km2']:>14,.0f}")
        for tier, share in people.get("urbanicity", {}).items():
            lines.append(f"    {'in ' + tier.replace('_', ' ') + ' ZIP codes':<26}{share:>14.1%}")
        lines.append(f"    {people['vintage']}: {people['source']}")
        if margins:
            lines.append("    ±: half the 90 % interval")
        if older:
            lines.append(f"    * {older['vintage']}: {older['source']}")
        return lines


def _figures(people: dict[str, Any]) -> dict[str, float | None]:
    """Counts, medians and shares of a figures document, in the order in which one reads them."""
    counts: dict[str, float | None] = {name: people.get(name) for name in COUNTS}
    return {**counts, **people.get("medians", {}), **people.get("shares", {})}


def _written(name: str, value: float) -> str:
    """A figure, or its margin, as a person writes it."""
    if name in COUNTS:
        return f"{value:,.0f}"
    if UNIT[name] == "USD":
        return f"${value:,.0f}"
    return f"{value:.1f}" if UNIT[name] else f"{value:.1%}"


def where(atlas: Atlas, address: str) -> Where:
    """Look up `address`; whatever isn't one is 'nowhere'."""
    number = atlas.locator.place_of(address)
    places, areas = atlas.places, atlas.areas
    above = places.areas_of(number)
    parents = [Parent(areas.id(area), level, areas.name(area)) for level, area in above.items()]
    unplaced = bool(places.unplaced[number])
    known = {NOWHERE: "nowhere", PRIVATE: "private"}.get(number, "unplaced" if unplaced else "placed")
    people, people_of = None, ""
    for parent in reversed(parents):
        if people := atlas.people.figures(parent.id):
            people_of = parent.id
            break
    lat, zone = float(places.lat[number]), int(places.zone[number])
    return Where(
        address=address,
        place=number,
        key=int(places.key[number]),
        known=known,
        parents=parents,
        lat=lat if lat == lat else None,
        lon=float(places.lon[number]) if lat == lat else None,
        radius=int(places.radius[number]) or None,
        zone=places.zones[zone] if zone >= 0 else None,
        flag=next((areas.flag(area) for area in above.values()), ""),
        kind=NetworkKind(atlas.locator.kind_of(address)),
        people=people,
        people_of=people_of,
    )


def describe(atlas: Atlas) -> str:
    """What the atlas is made from and how much is in it: what `clickatlas atlas show` prints."""
    places, levels = atlas.places, np.bincount(atlas.areas.levels(), minlength=len(LEVELS))
    age = (datetime.now(UTC) - atlas.built).days
    areas = ", ".join(
        f"{count:,} {PLURAL[level]}" for level, count in zip(LEVELS, levels.tolist(), strict=True)
    )
    lines = [
        f"atlas {atlas.version}",
        f"  City database of {atlas.built:%d %B %Y}, {age} days old",
        f"  {len(places):,} places, {int(places.unplaced.sum()):,} of them too coarse for a spot on the map, "
        f"{int(places.retired.sum()):,} kept from an atlas before",
        f"  {areas}",
        "made from",
    ]
    for source in atlas.sources:
        origin = ORIGINS.get(source.registry, source.registry)
        lines.append(f"  {source.name}: {source.package} {source.version}, {origin} ({source.licence})")
        lines.append(f"    {source.attribution}")
    return "\n".join(lines)
