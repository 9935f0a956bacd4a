"""What each question finds for what was asked, worked out once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from clickatlas.api.aims import aimed_at, targeted
from clickatlas.api.findings import Asked
from clickatlas.api.offers import Offer, counted, offered
from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.errors import invalid
from clickatlas.insight import gaps, hotspots
from clickatlas.insight.audience import Profile, profile
from clickatlas.insight.concentration import Concentration, concentration
from clickatlas.insight.contiguity import Contiguity
from clickatlas.insight.counts import Counts
from clickatlas.insight.divergence import Divergence, divergence
from clickatlas.insight.resonance import Resonance, resonance
from clickatlas.insight.scan import Circles

MOST_OFFERS = 4  # cards
SCANNED = (Level.METRO, Level.COUNTY)  # a circle of regions says little, and finer ones have too many


@lru_cache(maxsize=12)
def neighbours(folder: Path, level: Level) -> Contiguity:
    """Which areas of a level lie beside each other; a tenth of a second, of postal codes 2 s, once per atlas."""
    return Contiguity.of(Atlas.open(folder), level)


@lru_cache(maxsize=8)
def circles(folder: Path, level: Level) -> Circles:
    """The circles that a scan looks through; 0.3 s, once per atlas."""
    return Circles.of(neighbours(folder, level).spot)


def gaps_of(about: Asked, level: Level) -> gaps.Gaps:
    """Areas with fewer clicks than they should have."""
    return about.kept(
        ("gaps", level),
        lambda: gaps.gaps(about.held_against(level), neighbours(about.atlas.folder, level)),
    )


def hotspots_of(about: Asked, level: Level) -> hotspots.Hotspots:
    """Areas with more clicks than they should have; unexpected where every link has a target and none is there."""
    return about.kept(
        ("hotspots", level, aimed_at(about)),
        lambda: hotspots.hotspots(
            about.held_against(level),
            neighbours(about.atlas.folder, level),
            circles(about.atlas.folder, level) if level in SCANNED else None,
            targeted=targeted(about),
        ),
    )


def audience(about: Asked, area: int | None = None) -> Profile:
    """Who lives where the clicks come from, against the second filter, else other links where asked, else residents."""
    against: Counts | int | None = area
    name = ""
    if about.other_side is not None:
        against, name = about.other_side, "the others"
    elif area is None and about.baseline == "others" and about.others is not None:
        against, name = about.others, "the others"
    usual = about.others.clicks if about.others is not None and about.others.held is None else None
    return about.kept(
        ("audience", area),
        lambda: profile(about.counts, about.atlas, against, name=name, usual=usual, people=about.people),
    )


def concentration_of(about: Asked, level: Level) -> Concentration:
    """How unevenly clicks lie over areas."""
    return about.kept(("concentration", level), lambda: concentration(about.expectation, level))


def differences_of(about: Asked, level: Level) -> Divergence:
    """How the second filter's clicks differ; raises `Problem` (422) without one."""
    other = about.other_side
    if other is None:
        raise invalid(
            "There is nothing to differ from.",
            remedy="Give a second filter: parameters that begin with b., such as b.channel=email.",
            field="b.link",
        )
    names = about.names
    return about.kept(
        ("differences", level),
        lambda: divergence(about.counts, other, about.atlas, level, names=names),
    )


def offers_of(about: Asked, by: Offer, level: Level, known: Mapping[str, Counts] | None = None) -> Resonance:
    """Which channels, tags or campaigns do well where, each against all others; their clicks may be `known`."""

    def make() -> Resonance:
        counts: Mapping[str, Counts | None] = known or {
            name: counted(about, by, name) for name in offered(about, by)
        }
        found = {name: one for name, one in counts.items() if one is not None}
        return resonance(found if len(found) > 1 else {}, about.counts, about.atlas, level)

    return about.kept(("offers", by, level), make)
