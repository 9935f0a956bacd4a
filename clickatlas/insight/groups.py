"""Areas that go by one name: continents and their parts, and the regions and divisions of the United States.

Countries after the United Nations Statistics Division's "Standard country or area codes for statistical use" (M49),
with Taiwan in Eastern Asia and Kosovo in Southern Europe, which that list doesn't have; the Americas are in two, as M49 has it
for "Northern America" and "Latin America and the Caribbean". States after the US Census Bureau's "Census Regions and
Divisions of the United States".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import Areas, Level
from clickatlas.atlas.atlas import Atlas

STATES: dict[str, dict[str, str]] = {
    "the Northeast": {"New England": "CT ME MA NH RI VT", "the Middle Atlantic": "NJ NY PA"},
    "the Midwest": {
        "the East North Central states": "IL IN MI OH WI",
        "the West North Central states": "IA KS MN MO NE ND SD",
    },
    "the South": {
        "the South Atlantic": "DE DC FL GA MD NC SC VA WV",
        "the East South Central states": "AL KY MS TN",
        "the West South Central states": "AR LA OK TX",
    },
    "the West": {
        "the Mountain states": "AZ CO ID MT NV NM UT WY",
        "the Pacific states": "AK CA HI OR WA",
    },
}
COUNTRIES: dict[str, dict[str, str]] = {
    "Africa": {
        "Northern Africa": "DZ EG EH LY MA SD TN",
        "Eastern Africa": "BI DJ ER ET IO KE KM MG MU MW MZ RE RW SC SO SS TF TZ UG YT ZM ZW",
        "Middle Africa": "AO CD CF CG CM GA GQ ST TD",
        "Southern Africa": "BW LS NA SZ ZA",
        "Western Africa": "BF BJ CI CV GH GM GN GW LR ML MR NE NG SH SL SN TG",
    },
    "Latin America and the Caribbean": {
        "the Caribbean": "AG AI AW BB BL BQ BS CU CW DM DO GD GP HT JM KN KY LC MF MQ MS PR SX TC TT VC VG VI",
        "Central America": "BZ CR GT HN MX NI PA SV",
        "South America": "AR BO BR BV CL CO EC FK GF GS GY PE PY SR UY VE",
    },
    "Northern America": {"Northern America": "BM CA GL PM US"},
    "Asia": {
        "Central Asia": "KG KZ TJ TM UZ",
        "Eastern Asia": "CN HK JP KP KR MN MO TW",
        "South-eastern Asia": "BN ID KH LA MM MY PH SG TH TL VN",
        "Southern Asia": "AF BD BT IN IR LK MV NP PK",
        "Western Asia": "AE AM AZ BH CY GE IL IQ JO KW LB OM PS QA SA SY TR YE",
    },
    "Europe": {
        "Eastern Europe": "BG BY CZ HU MD PL RO RU SK UA",
        "Northern Europe": "AX DK EE FI FO GB GG IE IM IS JE LT LV NO SE SJ",
        "Southern Europe": "AD AL BA ES GI GR HR IT ME MK MT PT RS SI SM VA XK",
        "Western Europe": "AT BE CH DE FR LI LU MC NL",
    },
    "Oceania": {
        "Australia and New Zealand": "AU CC CX HM NF NZ",
        "Melanesia": "FJ NC PG SB VU",
        "Micronesia": "FM GU KI MH MP NR PW UM",
        "Polynesia": "AS CK NU PF PN TK TO TV WF WS",
    },
}


@dataclass(frozen=True)
class Group:
    """Areas of one level with a common name."""

    name: str
    level: Level  # of its areas
    wide: bool  # holds other groups
    areas: npt.NDArray[np.int64]  # area numbers


def world(atlas: Atlas) -> tuple[Group, ...]:
    """Continents, each followed by its parts; a continent of one part is that part."""
    return _groups(atlas.folder)[0]


def states(atlas: Atlas) -> tuple[Group, ...]:
    """Regions of the United States, each followed by its divisions."""
    return _groups(atlas.folder)[1]


@lru_cache(maxsize=2)
def _groups(folder: Path) -> tuple[tuple[Group, ...], tuple[Group, ...]]:
    areas = Areas(folder)
    return (
        _made(areas, COUNTRIES, Level.COUNTRY, "country:{}"),
        _made(areas, STATES, Level.REGION, "region:US-{}"),
    )


def _made(areas: Areas, table: dict[str, dict[str, str]], level: Level, form: str) -> tuple[Group, ...]:
    found = []
    for whole, parts in table.items():
        numbers = {part: _numbers(areas, codes, form) for part, codes in parts.items()}
        found.append(Group(whole, level, len(parts) > 1, np.concatenate(list(numbers.values()))))
        if len(parts) > 1:
            found += [Group(part, level, False, own) for part, own in numbers.items()]
    return tuple(found)


def _numbers(areas: Areas, codes: str, form: str) -> npt.NDArray[np.int64]:
    known = (areas.number(form.format(code)) for code in codes.split())
    return np.array([number for number in known if number is not None], np.int64)
