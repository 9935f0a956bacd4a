"""Cards about a target: how much of it was hit, by which channel, what spilled, and who was not reached."""

from __future__ import annotations

import math

from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.card import NETWORKS, Card, Kind, area_filter, count, percent
from clickatlas.insight.targeting import Share, Targeting

LEAST = 100  # clicks: below, a share is too rough for a card
ALPHA = 0.01
MOSTLY = 0.5  # share of residents: where the income of more is known, the card tells it
CAVEAT = "Each click is inside with the chance that its place's accuracy radius (67 %) gives it; a border is not sharp."
METHOD = (
    "Mean chance of being inside, with Wilson's interval for clicks in clumps "
    "(design effect {phi:.1f}) and places that may lie wrong as a whole."
)


def cards(found: Targeting, atlas: Atlas) -> list[Card]:
    """The target's cards; none below 100 clicks."""
    people = found.people
    if people.clicks < LEAST:
        return []
    made = [_hit(found)]
    made += _channels(found)
    if (
        len(found.spill.area)
        and found.spill.share[0] >= 0.02
        and found.spill.clicks[0] >= 10 * math.sqrt(people.phi)
    ):
        made.append(_spilled(found, atlas))
    if found.unreached is not None and found.unreached.p < ALPHA:
        made.append(_quiet(found, atlas))
    return made


def _numbers(found: Share) -> dict[str, float | int | str]:
    return {
        "table": "share",
        "share": found.share,
        "clicks": found.clicks,
        "inside": found.inside,
        "uncertain": found.uncertain,
        "outside": found.outside,
        "untold": found.untold,
    }


def _hit(found: Targeting) -> Card:
    people = found.people
    numbers = _numbers(people)
    unsure = people.uncertain / people.clicks
    whose = "your clicks" if found.all_links else "the clicks of links that have a target"
    what = "the target" if found.targets == 1 else "their link's own target"
    sentence = f"{percent(people.share)} of {whose} hit {what}"
    sentence += f"; {percent(unsure)} are too near its border to be certain." if unsure >= 0.005 else "."
    every = found.everything
    if every is not None and every.clicks:
        numbers["share_all_networks"] = every.share
        if abs(every.share - people.share) >= 0.02:
            sentence += f" With {NETWORKS['hosting']}, {NETWORKS['vpn']} and {NETWORKS['bot']} it would be {percent(every.share)}."
    return Card(
        kind=Kind.TARGET,
        sentence=sentence,
        numbers=numbers,
        interval=(people.low, people.high),
        of="share",
        method=METHOD.format(phi=people.phi),
        sample=people.clicks,
        caveats=_caveats(people),
        weight=0.9,
    )


def _caveats(found: Share) -> tuple[str, ...]:
    if not found.untold:
        return (CAVEAT,)
    return (CAVEAT, f"{count(found.untold)} clicks are known to a country or region only and left out.")


def _channels(found: Targeting) -> list[Card]:
    """The channels that hit most and least, where each is beyond chance."""
    beyond = sorted(
        (found.channels[name].share, name)
        for name, p in found.apart.items()
        if p < ALPHA and found.channels[name].clicks >= LEAST
    )
    if len(beyond) < 2 or beyond[-1][0] - beyond[0][0] < 0.05:
        return []
    worst, best = beyond[0][1], beyond[-1][1]
    high, low = found.channels[best], found.channels[worst]
    aim = "the target" if found.targets == 1 else "its links' own targets"
    return [
        Card(
            kind=Kind.TARGET,
            sentence=f"{best} hits {aim} with {percent(high.share)} of its clicks, {worst} with {percent(low.share)}.",
            numbers={
                "table": "channels",
                "share": high.share,
                "other_share": low.share,
                "clicks": high.clicks,
                "other_clicks": low.clicks,
            },
            interval=(high.low, high.high),
            of="share",
            p=max(found.apart[best], found.apart[worst]),
            q=max(found.apart[best], found.apart[worst]),
            filter={"channel": [best]},
            method="Each channel's in-target share against that of the others: two-sample z test for clicks in clumps, "
            "Bonferroni over channels.",
            sample=high.clicks + low.clicks,
            caveats=(CAVEAT,),
            weight=min(0.85, 0.5 + high.share - low.share),
        )
    ]


def _spilled(found: Targeting, atlas: Atlas) -> Card:
    spill, area = found.spill, int(found.spill.area[0])
    outside = max(1.0, found.people.clicks * (1 - found.people.share))
    return Card(
        kind=Kind.TARGET,
        sentence=f"Most of what misses the target comes from {atlas.areas.name(area)}: {percent(float(spill.share[0]))} of your clicks.",
        numbers={
            "table": "spill",
            "clicks": float(spill.clicks[0]),
            "share": float(spill.share[0]),
            "of_spill": float(spill.clicks[0]) / outside,
        },
        areas=(area,),
        interval=(float(spill.low[0]), float(spill.high[0])),
        of="share",
        filter=area_filter(atlas, [area]),
        method="Expected clicks outside the target by area, each share with Wilson's interval for clicks in clumps "
        f"(design effect {found.people.phi:.1f}) and places that may lie wrong as a whole.",
        sample=found.people.clicks,
        caveats=(CAVEAT,),
        weight=0.4 + min(0.3, float(spill.share[0])),
    )


def _quiet(found: Targeting, atlas: Atlas) -> Card:
    quiet = found.unreached
    assert quiet is not None
    weighed = quiet.income_known > MOSTLY
    numbers: dict[str, float | int | str] = {
        "table": "silent",
        "people": round(quiet.people),
        "unreached": round(quiet.unreached),
        "unreached_low": round(quiet.unreached_low),
        "unreached_high": round(quiet.unreached),
        "by_chance": round(quiet.by_chance),
        "areas": quiet.areas,
        "without": quiet.without,
        "income_known": quiet.income_known,
    }
    if quiet.income_known:
        numbers["unreached_income"] = quiet.unreached_income
        numbers["unreached_income_low"] = quiet.unreached_income_low
    return Card(
        kind=Kind.TARGET,
        sentence=f"{percent(quiet.unreached / quiet.people)} of the target's residents"
        + (f" ({percent(quiet.unreached_income)} weighed by income)" if weighed else "")
        + " live where nobody clicked; "
        f"{percent(quiet.by_chance / quiet.people)} would by chance.",
        numbers=numbers,
        interval=(quiet.low / quiet.people, quiet.high / quiet.people),
        of="by_chance",
        p=quiet.p,
        q=quiet.p,
        areas=tuple(quiet.area.tolist()),
        filter=area_filter(atlas, quiet.area[:20]) if len(quiet.area) else {},
        method="Residents of postal areas (cities where there are none) without a click, against Poisson "
        "counts of clumps of clicks; the areas named pass Benjamini-Hochberg at 5 %."
        + (" Weighed by income: residents times their ZIP's median household income." if weighed else ""),
        sample=found.people.clicks,
        caveats=("The database puts some customers of an area at the next city's centre.",),
        weight=0.5 + 0.3 * (quiet.unreached - quiet.by_chance) / quiet.people,
    )
