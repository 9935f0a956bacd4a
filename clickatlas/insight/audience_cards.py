"""Cards of an audience profile: what stands out, one card for each side of life, in words that don't overclaim."""

from __future__ import annotations

import numpy as np

from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.audience import Profile
from clickatlas.insight.card import Card, Kind, area_filter, count, percent

SURE = 0.05  # q value
LEAST = 5.0  # index points from 100 that even the near end of the interval must have
NAMED = 10  # areas that a card shows
# Figures by what they are about, and how a sentence has each: the best one of each group becomes a card.
ABOUT: dict[str, dict[str, str]] = {
    "income": {
        "median_household_income": "the median household income of the ZIP code is {} on average",
        "income_over_200k": "{} of households earn over $200,000",
        "income_under_25k": "{} of households earn under $25,000",
        "below_poverty": "{} of people are below the poverty line",
    },
    "home": {"median_home_value": "the median home value of the ZIP code is {} on average"},
    "education": {
        "bachelors_or_higher": "{} of adults have a bachelor's degree or more",
        "college_enrolled": "{} of people are enrolled in college",
    },
    "tenure": {"owner_occupied": "{} of households own their home"},
    "age": {
        "median_age": "the median age of the ZIP code is {} on average",
        "under_18": "{} of people are under 18",
        "age_18_to_24": "{} of people are 18 to 24",
        "aged_65_plus": "{} of people are 65 or older",
    },
    "household": {
        "with_children": "{} of households have children",
        "no_vehicle": "{} of households have no car",
    },
    "urbanicity": {
        "dense_urban": "{} of people live in dense urban ZIP codes",
        "urban": "{} of people live in urban ZIP codes",
        "suburban": "{} of people live in suburban ZIP codes",
        "rural": "{} of people live in rural ZIP codes",
    },
}
METHOD = (
    "Mean of the ZIP codes' census figures over clicks, each blended over its accuracy radius, held against the same "
    "mean over {}. 95 % interval of a ratio estimator over ZIP codes (Cochran 1977), in which clicks of one "
    "ZIP code share its figures and all of one place may come from another ZIP code within its accuracy radius "
    "(Berkson 1950; {} of the variance); Benjamini-Hochberg over all figures."
)
WHO = "These are the people who live where the clicks come from, not those who clicked (Robinson 1950)."


def cards(profile: Profile, atlas: Atlas) -> list[Card]:
    """At most one card for each of `ABOUT`, the furthest from 100 first; none where chance would do, or little differs."""
    found = []
    for about, phrases in ABOUT.items():
        best = max(phrases, key=lambda name: _clear(profile, profile.number(name)))
        if _clear(profile, profile.number(best)) > 0:
            found.append(_card(profile, atlas, about, best))
    return sorted(found, key=lambda card: -card.weight)


def _clear(profile: Profile, at: int) -> float:
    """How far (on the logarithm's scale) the interval stays `LEAST` away from what is even; 0 for a chance."""
    if not profile.q[at] <= SURE:
        return 0.0
    most, least = profile.even_high[at] + LEAST, profile.even_low[at] - LEAST
    above = np.log(profile.low[at] / most)
    below = np.log(least / profile.high[at]) if least > 0 and profile.high[at] > 0 else 0.0
    return float(max(above, below, 0.0))


def _card(profile: Profile, atlas: Atlas, about: str, name: str) -> Card:
    at = profile.number(name)
    value, reference, index = (float(of[at]) for of in (profile.value, profile.reference, profile.index))
    phrase = ABOUT[about][name].format(_said(name, value))
    sentence = (
        f"Where {count(profile.clicks)} of these clicks come from, {phrase}; "
        f"in {profile.against} it is {_said(name, reference)} (index {round(index)})."
    )
    if profile.against == "the others":
        sentence = sentence.replace("in the others", "for the others")
    pull = profile.parts[:, at] * (1 if index > 100 else -1)
    order = np.argsort(-pull, kind="stable")[:NAMED]
    areas = profile.areas[order[pull[order] > 0]]
    areas = areas[areas >= 0]
    return Card(
        Kind.AUDIENCE,
        sentence,
        numbers={
            "about": about, "figure": name, "value": value, "reference": reference, "index": index,
            "even_low": float(profile.even_low[at]), "even_high": float(profile.even_high[at]), "rough": float(profile.rough[at]),
            "clicks": int(profile.told[at]), "effective": round(float(profile.effective[at])), "zips": profile.zips,
            "untold": profile.untold, "abroad": profile.abroad, "against": profile.against,
        },
        interval=(float(profile.low[at]), float(profile.high[at])),
        of="index",
        p=float(profile.p[at]),
        q=float(profile.q[at]),
        areas=tuple(areas.tolist()),
        filter=area_filter(atlas, areas),
        method=METHOD.format(
            f"the residents of {profile.against}" if profile.against != "the others" else "the others",
            percent(float(profile.rough[at])),
        ),
        sample=profile.clicks,
        caveats=caveats(profile) + _uneven(profile, at),
        weight=float(min(1.0, 0.2 + abs(np.log(index / 100)))),
    )  # fmt: skip


def caveats(profile: Profile) -> tuple[str, ...]:
    """What a reader of the profile should know."""
    told = [WHO, f"Of US ZIP codes only: {count(profile.clicks)} clicks from {count(profile.zips)} of them."]
    if profile.abroad or profile.untold:
        told.append(
            f"Nothing is known of {count(profile.abroad)} clicks from elsewhere "
            f"and of {count(profile.untold)} from the United States that are not known to a ZIP code."
        )
    if profile.radius > 0:
        told.append(
            f"Half the clicks are known no better than to {profile.radius:g} km: differences are drawn smaller, "
            "and the interval is wider for it."
        )
    if not profile.surveyed:
        told.append("The census's own margins of error are not at hand and not in the interval.")
    return tuple(told)


def _uneven(profile: Profile, at: int) -> tuple[str, ...]:
    low, high = round(float(profile.even_low[at])), round(float(profile.even_high[at]))
    if low == high:
        return ()
    return (
        f"The database has more addresses for some residents than for others: by that alone an index could be {low} "
        f"to {high}. Only what is beyond is a finding.",
    )


def _said(name: str, value: float) -> str:
    if name == "median_age":
        return f"{value:.1f} years"
    return f"${round(value, -2):,.0f}" if name.startswith("median_") else percent(value)
