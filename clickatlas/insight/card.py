"""A card: one finding in a sentence, with the uncertainty it has and how it is known.

Chance alone should yield *any* card that claims something out of the ordinary in at most `BUDGET` of campaigns, all
kinds together. Each such kind has a share of that, `LEVEL`: its cards together may be wrong in no more than that part
of campaigns (family-wise, per filter; by Bonferroni the shares add up). Whoever tests several hypotheses for
one kind (areas, levels, methods) divides the share among them. The other kinds describe and carry an interval.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas


class Kind(StrEnum):
    """What a card answers."""

    CONCENTRATION = "concentration"
    GAP = "gap"
    HOTSPOT = "hotspot"
    AUDIENCE = "audience"
    DIFFERENCE = "difference"
    RHYTHM = "rhythm"
    TARGET = "target"
    ODDITY = "oddity"
    LANGUAGE = "language"


BUDGET = (
    0.05  # of campaigns in which nothing happened: those with any gap, hotspot, difference or oddity card
)
LEVEL: Mapping[Kind, float] = MappingProxyType(
    {Kind.GAP: 0.01, Kind.HOTSPOT: 0.01, Kind.DIFFERENCE: 0.01, Kind.ODDITY: 0.01}
)  # a fifth of the budget is left for what the models don't know


@dataclass(frozen=True)
class Card:
    """One finding.

    `interval` holds the 95 % interval of the number that `of` names; `p` is the chance of the like if nothing
    were there, `q` the same after all that was tested; None where nothing was tested. `areas` are area numbers
    of the atlas, `filter` the query parameters that show them on the map. `weight`, 0 to 1, ranks.
    """

    kind: Kind
    sentence: str
    numbers: dict[str, float | int | str] = field(default_factory=dict)
    interval: tuple[float, float] | None = None
    of: str = ""
    p: float | None = None
    q: float | None = None
    areas: tuple[int, ...] = ()
    filter: dict[str, list[str]] = field(default_factory=dict)
    method: str = ""
    sample: int = 0  # clicks it rests on
    caveats: tuple[str, ...] = ()
    weight: float = 0.0
    note: bool = False  # says why there is no finding, and is none


def area_filter(atlas: Atlas, areas: npt.ArrayLike) -> dict[str, list[str]]:
    """Query parameters that select area numbers."""
    return {"area": [atlas.areas.id(int(number)) for number in np.atleast_1d(np.asarray(areas, np.int64))]}


def count(number: float) -> str:
    """``12,345``: a whole number in a sentence."""
    return f"{round(number):,}"


def percent(share: float) -> str:
    """``40 %``, ``0.9 %``, ``0.03 %``, ``less than 0.01 %``: a share (0 to 1) in two digits where it is small."""
    hundred = 100 * share
    if hundred >= 10 or hundred == 0:
        return f"{round(hundred)} %"
    if hundred < 0.01:
        return "less than 0.01 %"
    return f"{hundred:.1f} %" if round(hundred, 1) >= 0.1 else f"{hundred:.2f} %"


def times(ratio: float) -> str:
    """``3.1 times``, ``12 times``: how many times as many."""
    return f"{ratio:.1f} times" if ratio < 10 else f"{count(ratio)} times"


NOUNS = {
    Level.COUNTRY: ("country", "countries"),
    Level.REGION: ("region", "regions"),
    Level.METRO: ("metro", "metros"),
    Level.COUNTY: ("county", "counties"),
    Level.CITY: ("city", "cities"),
    Level.POSTAL: ("postal code", "postal codes"),
}


# Network kinds as people call what is in them; the keys are the API's.
NETWORKS = {"hosting": "data centres", "vpn": "VPNs", "tor": "Tor", "cdn": "CDNs", "bot": "robots"}


def areas_of(atlas: Atlas, areas: npt.NDArray[np.integer], level: Level) -> str:
    """``one metro``, ``12 ZIPs``: so many areas of a level, in words."""
    one, many = NOUNS[level]
    if level is Level.POSTAL and all(atlas.areas.id(n).startswith("zip:") for n in areas.tolist()):
        one, many = "ZIP", "ZIPs"
    elif level is Level.REGION and all(atlas.areas.country(n) == "US" for n in areas.tolist()):
        one, many = "state", "states"
    return f"one {one}" if areas.size == 1 else f"{count(areas.size)} {many}"


def names(atlas: Atlas, areas: npt.NDArray[np.integer]) -> list[str]:
    """Labels of area numbers; a postal code's with its city where it has one."""
    result = []
    for n in areas.tolist():
        city = atlas.areas.above(n, Level.CITY) if atlas.areas.level(n) is Level.POSTAL else -1
        label = atlas.areas.label(n)
        result.append(f"{label} ({atlas.areas.label(city)})" if city >= 0 else label)
    return result


def listed(words: list[str], most: int = 3) -> str:
    """``A``, ``A and B``, ``A, B, C and 4 more``."""
    if len(words) <= 1:
        return "".join(words)
    if len(words) > most:
        return f"{', '.join(words[:most])} and {count(len(words) - most)} more"
    return f"{', '.join(words[:-1])} and {words[-1]}"
