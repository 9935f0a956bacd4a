"""Names of countries, regions, cities and postal codes, matched to the place that stands for them."""

from __future__ import annotations

from functools import cached_property, lru_cache

import numpy as np

from clickatlas.atlas.areas import LEVELS, Level, fold
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.places import NOWHERE

UNKNOWN = frozenset(
    ["", "unknown", "not set", "(not set)", "(unknown)", "other", "others", "n a", "na n", "null", "none", "undefined", "zz", "xx", "t1", "?"]
)  # fmt: skip
# As services write them, where the atlas' English name is another.
ALSO = {
    "usa": "US", "united states of america": "US", "uk": "GB", "great britain": "GB", "england": "GB", "south korea": "KR",
    "korea republic of": "KR", "republic of korea": "KR", "north korea": "KP", "russian federation": "RU", "viet nam": "VN",
    "czech republic": "CZ", "czechia": "CZ", "turkey": "TR", "turkiye": "TR", "hong kong sar china": "HK", "macao": "MO",
    "ivory coast": "CI", "cote divoire": "CI", "burma": "MM", "swaziland": "SZ", "macedonia": "MK", "north macedonia": "MK",
    "the netherlands": "NL", "holland": "NL", "iran islamic republic of": "IR", "taiwan province of china": "TW",
    "republic of moldova": "MD", "bolivia plurinational state of": "BO", "venezuela bolivarian republic of": "VE",
    "united republic of tanzania": "TZ", "syrian arab republic": "SY", "lao peoples democratic republic": "LA", "vatican city": "VA",
    "brunei darussalam": "BN", "cape verde": "CV", "congo kinshasa": "CD", "congo brazzaville": "CG", "palestine": "PS",
}  # fmt: skip


class NameProblem(ValueError):
    """Why a name is no place, in words for its owner."""


class Names:
    """Looks names up in the atlas. The first city costs about 0.5 s, then a look costs microseconds."""

    def __init__(self, atlas: Atlas) -> None:
        self._areas, self._places = atlas.areas, atlas.places
        self.place = lru_cache(maxsize=200_000)(self._place)
        self.coarser = 0

    def _place(self, country: str, region: str, city: str, postal: str) -> int:
        """The number of the place that stands for the finest of these; NOWHERE where all are unknown.

        A city or postal code that the atlas does not have leads to what is above it. Raises `NameProblem`.
        """
        home = self._country(country)
        state = self._region(region, home)
        if home < 0 and state >= 0:
            home = self._areas.above(state, Level.COUNTRY)
        found = self._postal(postal, home) if _is_known(postal) else -1
        if found < 0 and _is_known(city):
            found = self._city(city, home, state)
        if found >= 0:
            return self._standing(found)
        if state >= 0 or home >= 0:
            return self._standing(state if state >= 0 else home)
        for name in (postal, city, region, country):
            if _is_known(name):
                raise NameProblem(f"no place called {name[:60]!r} is known")
        return NOWHERE

    def _country(self, name: str) -> int:
        if not _is_known(name):
            return -1
        plain = fold(name)
        if (code := ALSO.get(plain)) or len(plain) == 2:
            found = self._areas.number(f"country:{code or plain.upper()}")
            return -1 if found is None else found
        return self._countries.get(plain, -1)

    def _region(self, name: str, country: int) -> int:
        if not _is_known(name):
            return -1
        plain = fold(name)
        home = self._areas.code(country) if country >= 0 else ""
        for code in (name.strip().upper(), f"{home}-{name.strip().upper()}"):
            if (found := self._areas.number(f"region:{code}")) is not None:
                return found
        named = self._regions.get(plain, [])
        here = [n for n in named if country < 0 or self._areas.above(n, Level.COUNTRY) == country]
        return here[0] if len(here) == 1 or (here and country >= 0) else -1

    def _city(self, name: str, country: int, region: int) -> int:
        if name.strip().isdigit():  # a GeoNames number, as Short.io has it
            found = self._areas.number(f"city:{name.strip()}")
            return -1 if found is None else found
        named = self._cities.get(fold(name), [])
        if region >= 0:
            named = [n for n in named if self._areas.above(n, Level.REGION) == region] or named
        if country >= 0:
            named = [n for n in named if self._areas.above(n, Level.COUNTRY) == country]
        return max(named, key=lambda n: self._areas.population(n) or 0, default=-1)

    def _postal(self, code: str, country: int) -> int:
        text = code.strip().upper()
        home = self._areas.code(country) if country >= 0 else "US"
        tries = [
            f"postal:{home}-{text}",
            f"postal:{home}-{text.partition(' ')[0]}",
            f"postal:{home}-{text.partition('-')[0]}",
        ]
        if home == "US":
            digits = text.partition("-")[0]
            tries = [f"zip:{digits.zfill(5)}"] if digits.isdigit() and len(digits) <= 5 else []
        return next((n for t in tries if (n := self._areas.number(t)) is not None), -1)

    @lru_cache(maxsize=100_000)  # noqa: B019 - as long as an import
    def _standing(self, area: int) -> int:
        """The place that stands for an area: one that is known to be in it and no finer, the surest last.

        Of a country or region its default, unplaced; of a city the place without a postal code that most addresses have.
        """
        places = self._places
        level = self._areas.level(area)
        inside = (np.asarray(places.area[level]) == area) & ~np.asarray(places.retired)
        numbers = np.flatnonzero(inside)
        if not numbers.size:
            above = self._areas.parent(area)
            return self._standing(above) if above >= 0 else NOWHERE
        finer = LEVELS[LEVELS.index(level) + 1 :]
        if level in (Level.COUNTRY, Level.REGION):
            finer = tuple(one for one in finer if one not in (Level.METRO, Level.COUNTY))
        else:
            finer = tuple(one for one in finer if one is Level.POSTAL)
        depth = np.zeros(numbers.size, np.int64)
        for one in finer:
            depth += np.asarray(places.area[one])[numbers] >= 0
        best = np.lexsort((-np.asarray(places.addresses)[numbers], depth))
        return int(numbers[best[0]])

    @cached_property
    def _countries(self) -> dict[str, int]:
        return {fold(self._areas.name(n)): n for n in self._at(Level.COUNTRY)}

    @cached_property
    def _regions(self) -> dict[str, list[int]]:
        return self._named(Level.REGION)

    @cached_property
    def _cities(self) -> dict[str, list[int]]:
        return self._named(Level.CITY)

    def _named(self, level: Level) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for number in self._at(level):
            found.setdefault(fold(self._areas.name(number)), []).append(number)
        return found

    def _at(self, level: Level) -> list[int]:
        return list(np.flatnonzero(self._areas.levels() == LEVELS.index(level)).tolist())


def _is_known(name: str) -> bool:
    return fold(name) not in UNKNOWN
