"""What languages, which markets? Accept-Language by country, and countries that come without being asked.

A visitor's first language is what the browser says (`redirect.visitor`). Localisation candidates are a country's clicks in a
language that isn't the workspace's own: their part with Wilson's interval (JASA 22, 1927) for clicks in clumps (Kish, Survey Sampling,
1965, 8.2: a visitor's clicks are in one language), its lower end beyond `LEAST_SHARE`.
An unexpected country is one outside every target whose clicks are beyond what the world's own part of clicks, or the other links',
would give (negative binomial, Benjamini-Hochberg), though nobody aimed there. The store knows languages only of the
clicks it keeps one by one (`kept_since`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight import chance
from clickatlas.insight.card import Card, Kind, area_filter, count, percent, times

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

LEAST = 50  # clicks of a language in a country
LEAST_SHARE = 0.1  # of a country's clicks, at least so much speaks it
MAIN = 0.9  # languages that together have so many of the workspace's clicks are its own, the first one always
Q = 0.01
CARD_RATIO = 1.5

# ISO 639-1 codes of what browsers commonly ask for.
NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German",
    "el": "Greek", "en": "English", "es": "Spanish", "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fr": "French",
    "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese",
    "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "ms": "Malay", "nb": "Norwegian", "nl": "Dutch", "no": "Norwegian",
    "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovenian", "sr": "Serbian",
    "sv": "Swedish", "sw": "Swahili", "ta": "Tamil", "th": "Thai", "tl": "Tagalog", "tr": "Turkish", "uk": "Ukrainian",
    "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip


@dataclass(frozen=True)
class Languages:
    """Clicks by country and language, most first: parallel arrays. `language[i]` is a primary tag such as ``es``."""

    country: I64  # area numbers
    language: list[str]
    clicks: I64
    whole: I64  # the country's clicks of any known language
    share: F64
    low: F64  # 95 % interval of the share
    high: F64
    candidate: Flags  # worth a translation: not the workspace's own, enough clicks, enough of the country
    own: tuple[str, ...]  # the workspace's own languages
    known: int  # clicks whose language is known
    unknown: int
    phi: float  # the design effect that the intervals are made with


def languages(
    country: npt.ArrayLike,
    language: list[str],
    number: npt.ArrayLike,
    *,
    own: tuple[str, ...] = (),
    phi: float = 1.0,
    shown: Flags | None = None,
) -> Languages:
    """From a `number` of clicks by country (area number, -1 not known) and language tag, parallel; regions of a language are one.

    `own` are the languages that the workspace's pages have; not given, the largest are taken, up to nine clicks in ten
    but never a language that is a tenth or less. `phi`: the design effect. 5 ms for 20,000 rows.
    """
    place, clicks = np.asarray(country, np.int64), np.asarray(number, np.int64)
    tags = np.array([primary(tag) for tag in language], np.str_)
    told = tags != ""
    unknown = int(clicks[~told].sum())
    place, clicks, tags = place[told], clicks[told], tags[told]
    names, index = np.unique(tags, return_inverse=True)
    own = tuple(primary(tag) for tag in own) or _own(names, index, clicks)
    here = place >= 0
    if shown is not None:
        here &= shown[place]
    pair, at = np.unique(place[here] * max(1, len(names)) + index[here], return_inverse=True)
    sums = np.bincount(at, weights=clicks[here], minlength=len(pair)).astype(np.int64)
    area, word = pair // max(1, len(names)), pair % max(1, len(names))
    there, which = np.unique(area, return_inverse=True)
    whole = np.bincount(which, weights=sums, minlength=len(there)).astype(np.int64)[which]
    low, high = chance.share_interval(sums, whole, phi=phi)
    mine = np.isin(names, own)[word]
    candidate = ~mine & (sums >= LEAST) & (low >= LEAST_SHARE)
    order = np.lexsort((word, area, -sums))
    return Languages(
        area[order],
        [str(names[number]) for number in word[order].tolist()],
        sums[order],
        whole[order],
        sums[order] / np.maximum(whole[order], 1),
        low[order],
        high[order],
        candidate[order],
        own,
        int(clicks.sum()),
        unknown,
        phi,
    )


def primary(tag: str) -> str:
    """``pt`` of ``pt-BR``."""
    return tag.replace("_", "-").split("-", 1)[0].lower()


def name(language: str) -> str:
    """In English; the tag itself where there is no common name."""
    return NAMES.get(language, language)


def _own(names: npt.NDArray[np.str_], index: npt.NDArray[np.intp], clicks: I64) -> tuple[str, ...]:
    if not len(names):
        return ()
    sums = np.bincount(index, weights=clicks, minlength=len(names))
    order = np.argsort(-sums, kind="stable")
    before = np.cumsum(sums[order]) - sums[order]
    total = max(1.0, float(sums.sum()))
    kept = (before < MAIN * total) & (sums[order] > 0.1 * total)
    kept[0] = True
    return tuple(str(names[number]) for number in order[kept].tolist())


@dataclass(frozen=True)
class Markets:
    """Countries nobody aimed at, the surest first: parallel arrays."""

    country: I64
    clicks: I64
    expected: F64
    ratio: F64
    low: F64  # 95 % interval of the ratio
    high: F64
    p: F64
    q: F64
    total: int


def markets(
    atlas: Atlas,
    clicks: I64,
    *,
    baseline: I64 | None = None,
    targeted: npt.ArrayLike = (),
    shown: Flags | None = None,
) -> Markets:
    """Countries with more clicks than expected that are in no target; `clicks` and `baseline` per place number.

    Expected is the country's part of `baseline` (all my other links) or, without, of the addresses that the database has:
    people with a connection. `targeted` are countries (area numbers) that targets touch. 5 ms.
    """
    column = np.asarray(atlas.places.area[Level.COUNTRY])
    weights = np.asarray(atlas.places.addresses) if baseline is None else baseline
    observed = np.bincount(column + 1, weights=clicks, minlength=len(atlas.areas) + 1)[1:]
    base = np.bincount(column + 1, weights=weights, minlength=len(atlas.areas) + 1)[1:].astype(np.float64)
    countries = np.flatnonzero((base > 0) | (observed > 0))
    aimed = np.isin(countries, np.asarray(targeted, np.int64))
    total = int(observed.sum())
    free = countries[~aimed]
    had, base = observed[free], base[free]
    if baseline is not None:
        base = base + 0.5
    if not had.sum() or not base.sum():
        none, nothing = np.zeros(0, np.int64), np.zeros(0, np.float64)
        return Markets(none, none, nothing, nothing, nothing, nothing, nothing, nothing, total)
    expected = had.sum() * base / base.sum()
    ratio = float(had.sum() / base.sum()) if baseline is not None else 0.0
    spread = chance.dispersion(had, expected, ratio=ratio)
    p = chance.upper(had, expected, spread)
    p = np.where(had < LEAST, 1.0, p)
    q = chance.benjamini_hochberg(p)
    named = had > 0 if shown is None else (had > 0) & shown[free]
    order = np.flatnonzero(named)
    order = order[np.lexsort((order, -had[order], p[order]))]
    rates = chance.ratios(had[order], np.maximum(expected[order], 0.5), spread.phi)
    return Markets(
        free[order].astype(np.int64),
        had[order].astype(np.int64),
        expected[order],
        rates.ratio,
        rates.low,
        rates.high,
        p[order],
        q[order],
        total,
    )


def unexpected(found: Markets) -> Flags:
    """Countries that a card may be about: beyond chance, and by enough to matter."""
    return np.asarray((found.q <= Q) & (found.low >= CARD_RATIO))


def cards(found: Languages, atlas: Atlas, most: int = 3) -> list[Card]:
    """The languages that most clicks are lost on without a translation, one card per language."""
    made: list[Card] = []
    seen: set[str] = set()
    for at in np.flatnonzero(found.candidate).tolist():
        language, area = found.language[at], int(found.country[at])
        if language in seen or len(made) == most:
            continue
        seen.add(language)
        clicks = int(found.clicks[at])
        made.append(
            Card(
                kind=Kind.LANGUAGE,
                sentence=f"{percent(float(found.share[at]))} of clicks from {atlas.areas.name(area)} ask for {name(language)}: "
                f"{count(clicks)} clicks.",
                numbers={
                    "language": language,
                    "clicks": clicks,
                    "share": float(found.share[at]),
                    "country_clicks": int(found.whole[at]),
                },
                interval=(float(found.low[at]), float(found.high[at])),
                of="share",
                areas=(area,),
                filter=area_filter(atlas, [area]),
                method="First language of the browser's Accept-Language; Wilson's interval of its share in the country, for clicks in "
                f"clumps worth {found.phi:.1f} each.",
                sample=int(found.whole[at]),
                caveats=(f"Your own languages are taken to be {', '.join(name(own) for own in found.own)}.",),
                weight=min(0.75, 0.3 + 0.1 * float(np.log10(max(1, clicks)))),
            )
        )
    return made


def market_cards(found: Markets, atlas: Atlas, *, baseline: str, most: int = 2) -> list[Card]:
    """Unexpected countries; `baseline` says what they were held against, such as ``your other links``."""
    sure = np.flatnonzero(unexpected(found))[:most]
    return [
        Card(
            kind=Kind.LANGUAGE,
            sentence=f"{atlas.areas.name(int(found.country[at]))} clicks though nobody aimed there: {count(int(found.clicks[at]))} clicks, "
            f"{times(float(found.ratio[at]))} what {baseline} would give.",
            numbers={
                "clicks": int(found.clicks[at]),
                "expected": float(found.expected[at]),
                "ratio": float(found.ratio[at]),
            },
            interval=(float(found.low[at]), float(found.high[at])),
            of="ratio",
            p=float(found.p[at]),
            q=float(found.q[at]),
            areas=(int(found.country[at]),),
            filter=area_filter(atlas, [int(found.country[at])]),
            method="Clicks by country against a negative binomial with the countries' own spread; Benjamini-Hochberg over "
            "countries that no target touches.",
            sample=found.total,
            caveats=("People by the lists of networks: some of them may be machines nobody listed.",),
            weight=min(0.8, 0.4 + 0.05 * float(np.log2(max(1.0, found.low[at])))),
        )
        for at in sure.tolist()
    ]
