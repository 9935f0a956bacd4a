"""Cards of a difference between two sides, and of what resonates where: only what passed its test is said."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.card import LEVEL, Card, Kind, area_filter, listed, percent, times
from clickatlas.insight.divergence import Contrast, Divergence
from clickatlas.insight.groups import Group, states, world
from clickatlas.insight.resonance import Resonance

# Parts of the level that all difference cards of a filter share.
AREAS, GROUPS, APART = 0.4, 0.2, 0.2  # groups twice: the world's, and the United States'
LEAST = 1.2  # times the other's share, shrunk: less is no news, however sure
UNNAMED = ("A", "B", "the others", "all others")
NAMED = 3  # areas that a sentence names
KEPT = 20  # areas that a card shows
ROWS = npt.NDArray[np.intp]

BINOMIAL = (
    "Of an area's clicks the part of one side, tested against its part of all (conditional binomial test with {phi} clicks "
    "per clump, learned from how cities within a region differ), Benjamini-Hochberg over {tests} areas; "
    "the location quotient (Isserman 1977) is one share over the other, its 95 % interval Jeffreys'."
)
SHANNON = (
    "Jensen-Shannon distance (Lin 1991) between the shares by area, against {draws} random deals of the same clumps of clicks "
    "to the sides (permutation test, gamma tail)."
)
KNOWN = "Shares are of the clicks known at this level, {a} and {b}."
CLUMPS = "Clicks come in clumps, {phi} to one here: what a single place makes differ isn't shown."


def cards(found: Divergence, atlas: Atlas, *, part: float = 1.0) -> list[Card]:
    """What differs: groups of states and of countries, areas on either side, and all in all.

    `part`: this call's share of `card.LEVEL`, where several pairs of sides are asked about.
    """
    level = LEVEL[Kind.DIFFERENCE] * part
    made = [
        _groups(found, found.states, states(atlas), atlas, GROUPS * level, " US"),
        _groups(found, found.world, world(atlas), atlas, GROUPS * level, ""),
        *(_side(found, atlas, side, AREAS * level) for side in (0, 1)),
        _apart(found, APART * level),
    ]
    return sorted((card for card in made if card), key=lambda card: -card.weight)


def resonating(
    found: Resonance, atlas: Atlas, by: str = "channel", *, part: float = 1.0, most: int = 5
) -> list[Card]:
    """For each offer the areas where it has clearly more of its clicks than the others, the surest first.

    `by`: what offers are told apart by. `part`: this sort's share of `card.LEVEL`, where several are asked about.
    """
    level = LEVEL[Kind.DIFFERENCE] * part
    made = []
    tests = sum(int((~np.isnan(table.p)).sum()) for table in found.against)
    for name, table, spread in zip(found.names, found.against, found.spread, strict=True):
        rows = passed(table, level, 0)[:KEPT]
        if len(rows):
            first = int(rows[0])
            named = listed([atlas.areas.label(n) for n in table.area[rows].tolist()], NAMED)
            sentence = (
                f"{'The tag ' if by == 'tag' else ''}“{name}” resonates in {named}: {atlas.areas.label(int(table.area[first]))} has "
                f"{_shares(table, first, 'its clicks', 'of all others')}."
            )
            card = _card(sentence, table, rows, atlas, tests, (name, "all others"), spread.phi)
            card.numbers.update(by=by)
            made.append(card)
    return sorted(made, key=lambda card: -card.weight)[:most]


def passed(table: Contrast, level: float, side: int) -> ROWS:
    """Rows in which `side` (0: A) has more of its clicks, q at most `level`, the surest first."""
    sign = 1 if side == 0 else -1
    with np.errstate(invalid="ignore"):
        rows = np.flatnonzero((table.q <= level) & (sign * table.ratio >= np.log2(LEAST)))
    return rows[np.argsort(-np.abs(table.z[rows]), kind="stable")]


def _side(found: Divergence, atlas: Atlas, side: int, level: float) -> Card | None:
    table = found.areas
    rows = passed(table, level, side)[:KEPT]
    if not len(rows):
        return None
    first = int(rows[0])
    name, other = found.names[side], found.names[1 - side]
    label = atlas.areas.label
    sentence = f"{label(int(table.area[first]))} has {_shares(table, first, f'the clicks of {quoted(name)}', f'of those of {quoted(other)}', side)}"
    if len(rows) > 1:
        more = listed([label(n) for n in table.area[rows[1:]].tolist()], NAMED)
        sentence += f"; more of {quoted(name)} is also in {more}"
    tests = int((~np.isnan(table.p)).sum())
    return _card(sentence + ".", table, rows, atlas, tests, found.names, found.spread.phi)


def _groups(
    found: Divergence, table: Contrast, groups: tuple[Group, ...], atlas: Atlas, level: float, where: str
) -> Card | None:
    """ "Email lights up the Midwest, Instagram the Northeast": of groups that passed, the wide before their parts."""
    said, rows = [], np.zeros(0, np.intp)
    for side in (0, 1):
        mine = _widest(passed(table, level, side), table, groups)
        if not len(mine):
            continue
        first = int(mine[0])
        names = listed([groups[n].name for n in table.area[mine].tolist()], NAMED)
        share, others = _share(table, first, side), _share(table, first, 1 - side)
        which = f" {groups[int(table.area[first])].name} has" if len(mine) > 1 else ""
        said.append(
            f"{quoted(found.names[side])} lights up {names} ({which.strip() + ' ' if which else ''}{percent(share)} of its{where} clicks, "
            f"{percent(others)} of those of {quoted(found.names[1 - side])})"
        )
        rows = np.concatenate((rows, mine))
    if not said:
        return None
    rows = rows[np.argsort(-np.abs(table.z[rows]), kind="stable")]
    members = np.concatenate([groups[n].areas for n in table.area[rows].tolist()])
    if found.shown is not None:
        members = members[found.shown[members]]
    tests = int((~np.isnan(table.p)).sum())
    card = _card("; ".join(said) + ".", table, rows, atlas, tests, found.names, found.spread.phi, members)
    group = groups[int(table.area[rows[0]])]
    card.numbers.update(group=group.name, level=group.level.value)
    return card


def quoted(name: str) -> str:
    """A side in a sentence: names that somebody gave are in quotation marks."""
    return name if name in UNNAMED else f"“{name}”"


def _widest(rows: ROWS, table: Contrast, groups: tuple[Group, ...]) -> ROWS:
    """Without the groups that lie in another of `rows`."""
    wide = [groups[n] for n in table.area[rows].tolist() if groups[n].wide]
    kept = [
        row for row in rows.tolist()
        if (own := groups[int(table.area[row])]).wide
        or not any(np.isin(own.areas, other.areas).all() for other in wide)
    ]  # fmt: skip
    return np.array(kept, np.intp)


def _apart(found: Divergence, level: float) -> Card | None:
    distance, (name, other) = found.distance, found.names
    if not (distance.p <= level and distance.beyond > 0):
        return None
    value, chance = f"{distance.value:.2g}", f"{distance.by_chance:.2g}"
    return Card(
        Kind.DIFFERENCE,
        f"{quoted(name)} and {quoted(other)} reach different places: the geographies are {value} apart on a scale of 0 to 1, "
        f"where chance alone would make {chance}.",
        numbers={"distance": distance.value, "by_chance": distance.by_chance, "beyond": distance.beyond,
                 "clicks_a": found.areas.total_a, "clicks_b": found.areas.total_b, "a": name, "b": other},
        of="distance",
        p=distance.p,
        q=distance.p,
        method=SHANNON.format(draws=distance.draws),
        sample=found.areas.total_a + found.areas.total_b,
        caveats=(*_caveats(found.areas, found.spread.phi),
                 "Small samples are always some way apart; compare with what chance alone makes."),
        weight=float(min(1.0, 0.3 + distance.beyond)),
    )  # fmt: skip


def _card(
    sentence: str, table: Contrast, rows: ROWS, atlas: Atlas, tests: int, names: tuple[str, str],
    phi: float, areas: npt.NDArray[np.int64] | None = None,
) -> Card:  # fmt: skip
    first = int(rows[0])
    shown = table.area[rows] if areas is None else areas
    quotient, low, high = (float(of[first]) for of in (table.quotient, table.low, table.high))
    side = 0 if table.ratio[first] >= 0 else 1
    if side:  # of the side that has more
        quotient, low, high = _over(quotient), _over(high), _over(low)
    return Card(
        Kind.DIFFERENCE,
        sentence,
        numbers={
            "a": names[0], "b": names[1], "clicks_a": int(table.a[first]), "clicks_b": int(table.b[first]),
            "share_a": _share(table, first, 0), "share_b": _share(table, first, 1),
            "more": names[side], "quotient": quotient, "z": float(table.z[first]),
        },
        interval=(low, high),
        of="quotient",
        p=float(table.p[first]),
        q=float(table.q[first]),
        areas=tuple(shown.tolist()),
        filter=area_filter(atlas, shown),
        method=BINOMIAL.format(phi=f"{phi:.1f}", tests=tests),
        sample=table.total_a + table.total_b,
        caveats=_caveats(table, phi),
        weight=float(min(1.0, 0.3 + abs(table.ratio[first]) * min(1.0, abs(table.z[first]) / 10) / 3)),
    )  # fmt: skip


def _caveats(table: Contrast, phi: float) -> tuple[str, ...]:
    known = KNOWN.format(a=f"{table.total_a:,}", b=f"{table.total_b:,}")
    return known, CLUMPS.format(phi=f"{phi:.1f}")


def _over(number: float) -> float:
    return 1 / number if number > 0 else float("inf")


def _share(table: Contrast, row: int, side: int) -> float:
    part, whole = ((table.a, table.total_a), (table.b, table.total_b))[side]
    return float(part[row] / max(1, whole))


def _shares(table: Contrast, row: int, mine: str, others: str, side: int = 0) -> str:
    share, rest = _share(table, row, side), _share(table, row, 1 - side)
    said = f"{percent(share)} of {mine} and {percent(rest)} {others}"
    return f"{said}, {times(share / rest)} the share" if rest > 0 else said
