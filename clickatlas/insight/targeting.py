"""Did clicks hit the target? In-target share with an interval, and spill; who inside was not reached is in `unreached`.

A click counts as inside with the chance that its place has (`certainty`). The share is their mean. Its interval is
Wilson's (JASA 22, 1927) for as many independent clicks as give the same variance (Kish, Survey Sampling, 1965, 8.2), which is

    Var = φ (mean of c² - share²) / n + Σ nᵢ² cᵢ (1 - cᵢ) / n²

with chance cᵢ of the nᵢ clicks of place i: clicks come in clumps (design effect φ, `day_clumps`), and where a place is
said to be, all of its clicks are wrong together. Clicks of no place that could be told are left out, and counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import special

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight import chance
from clickatlas.insight.measures import Residents
from clickatlas.insight.target import Target
from clickatlas.insight.unreached import Unreached, unreached

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
SURE = 0.95  # a click is inside with at least this chance, or outside with it; else it is uncertain
MOST = 200  # areas in a list


@dataclass(frozen=True)
class Share:
    """Clicks in a target. `clicks` = `inside` + `uncertain` + `outside`; `untold` ones are in none of them."""

    clicks: int
    inside: int  # certainly
    uncertain: int
    outside: int  # certainly
    untold: int  # known to a country or region at best, or to nothing
    share: float  # expected part inside; NaN without clicks
    low: float  # its 95 % interval
    high: float
    phi: float

    @property
    def bounds(self) -> tuple[float, float]:
        """The share if none, or all, of the uncertain clicks were inside."""
        n = max(1, self.clicks)
        return self.inside / n, (self.inside + self.uncertain) / n


@dataclass(frozen=True)
class Spill:
    """Where clicks outside come from: areas, most first."""

    level: Level
    area: I64
    clicks: F64  # expected number outside
    share: F64  # of all clicks told
    low: F64  # 95 % interval of the share
    high: F64


@dataclass(frozen=True)
class Targeting:
    """The answer: shares of people's clicks (`people`), of those of every network (`everything`), by channel."""

    people: Share
    everything: Share | None
    channels: dict[str, Share]
    apart: dict[str, float]  # p of each channel's share against that of the rest, after Bonferroni
    spill: Spill
    unreached: Unreached | None
    missing: tuple[str, ...] = field(default=())  # the target's areas that the atlas doesn't know
    targets: int = 1  # each click is held against that of its own link
    all_links: bool = True  # whether every link has one; clicks of others are in no figure


def aimed(
    atlas: Atlas,
    target: Target,
    certainty: F32,
    clicks: I64,
    *,
    everything: I64 | None = None,
    channels: Mapping[str, I64] | None = None,
    phi: float = 1.0,
    spill_phi: Mapping[int, float] | None = None,
    level: Level = Level.REGION,
    shown: Flags | None = None,
    people: Residents | None = None,
) -> Targeting:
    """Hold `clicks` (per place number, people's) against a target, whose `certainty` may be kept; 30 ms.

    `everything` are the clicks of all network kinds, `channels` people's by channel, `phi` and by area
    `spill_phi` (where it has none, `phi`) from `day_clumps`; `shown`, a flag per area number, says which areas may be named.
    """
    shares = {name: share(part, certainty, phi) for name, part in (channels or {}).items()}
    return Targeting(
        people=share(clicks, certainty, phi),
        everything=None if everything is None else share(everything, certainty, phi),
        channels=shares,
        apart=_apart(shares),
        spill=_spill(atlas, certainty, clicks, level, shown, phi, spill_phi or {}),
        unreached=unreached(atlas, target, clicks, phi, shown, people or Residents.of(atlas)),
        missing=tuple(area for area in target.areas if atlas.areas.number(area) is None),
    )


def each_its_own(
    atlas: Atlas,
    targets: Sequence[Target],
    certainty: Sequence[F32],
    clicks: Sequence[I64],
    everything: Sequence[I64],
    *,
    channels: Mapping[str, Sequence[I64]] | None = None,
    phi: float = 1.0,
    spill_phi: Mapping[int, float] | None = None,
    level: Level = Level.REGION,
    all_links: bool = True,
) -> Targeting:
    """As `aimed`, of several targets: parallel lists of the certainty of each, and of its own links' clicks per place."""
    sure = np.concatenate(certainty)
    shares = {name: share(np.concatenate(parts), sure, phi) for name, parts in (channels or {}).items()}
    return Targeting(
        people=share(np.concatenate(clicks), sure, phi),
        everything=share(np.concatenate(everything), sure, phi),
        channels=shares,
        apart=_apart(shares),
        spill=_spill(atlas, sure, np.concatenate(clicks), level, None, phi, spill_phi or {}),
        unreached=None,
        missing=tuple(area for one in targets for area in one.areas if atlas.areas.number(area) is None),
        targets=len(targets),
        all_links=all_links,
    )


def blended(certainty: Sequence[F32], clicks: Sequence[I64]) -> F32:
    """By place, how sure it is on average that its clicks are inside; of those that can't be told nothing is outside."""
    whole, inside = np.zeros(len(clicks[0])), np.zeros(len(clicks[0]))
    told = np.zeros(len(clicks[0]), np.bool_)
    for sure, of in zip(certainty, clicks, strict=True):
        inside += of * np.nan_to_num(sure, nan=1.0)
        whole += of
        told |= ~np.isnan(sure) & (of > 0)
    mean = np.divide(inside, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return np.where(told, mean, np.nan).astype(np.float32)


def share(clicks: I64, certainty: F32, phi: float = 1.0) -> Share:
    """The in-target share of `clicks` (per place number)."""
    some = np.flatnonzero(clicks)
    n, c = clicks[some].astype(np.float64), certainty[some].astype(np.float64)
    told = ~np.isnan(c)
    untold = int(n[~told].sum())
    n, c = n[told], c[told]
    total = float(n.sum())
    if not total:
        return Share(0, 0, 0, 0, untold, float("nan"), 0.0, 1.0, phi)
    mean = float((n * c).sum() / total)
    variance = phi * max(float((n * c**2).sum()) / total - mean**2, 0.0) / total
    variance += float((n**2 * c * (1 - c)).sum()) / total**2
    worth = mean * (1 - mean) / variance if variance > 0 else total / phi
    worth = min(worth, total)
    low, high = chance.share_interval(mean * worth, worth)
    inside, outside = int(n[c >= SURE].sum()), int(n[c <= 1 - SURE].sum())
    return Share(
        int(total), inside, int(total) - inside - outside, outside, untold, mean, float(low), float(high), phi
    )


def _apart(shares: Mapping[str, Share]) -> dict[str, float]:
    """p of each channel's share against the rest's (pooled two-sample z, clumped), Bonferroni over channels."""
    told = {name: found for name, found in shares.items() if found.clicks}
    all_ = sum(found.clicks for found in told.values())
    inside = sum(found.clicks * found.share for found in told.values())
    result = {}
    for name, found in told.items():
        rest = all_ - found.clicks
        if not rest or not 0 < inside < all_:
            continue
        other = (inside - found.clicks * found.share) / rest
        pooled = inside / all_
        error = np.sqrt(found.phi * pooled * (1 - pooled) * (1 / found.clicks + 1 / rest))
        z = abs(found.share - other) / error
        result[name] = min(1.0, float(special.erfc(z / np.sqrt(2))) * len(told))
    return result


def _spill(
    atlas: Atlas,
    certainty: F32,
    clicks: I64,
    level: Level,
    shown: Flags | None,
    phi: float,
    phi_of: Mapping[int, float],
) -> Spill:
    """Of one target by place, or of several behind each other; intervals as the in-target share's, each with its area's clumps."""
    column = np.asarray(atlas.places.area[level])
    some = np.flatnonzero((clicks > 0) & ~np.isnan(certainty))
    n, c = clicks[some].astype(np.float64), certainty[some].astype(np.float64)
    area, total = column[some % len(column)], max(1.0, float(n.sum()))

    def sums(weights: F64) -> F64:
        return np.bincount(area + 1, weights, len(atlas.areas) + 1)[1:].astype(np.float64)

    outside = sums(n * (1 - c))
    if shown is not None:
        outside = np.where(shown, outside, 0.0)
    found = np.flatnonzero(outside >= 0.5)
    found = found[np.lexsort((found, -outside[found]))][:MOST]
    share = outside[found] / total
    clumps = np.array([phi_of.get(each, phi) for each in found.tolist()], np.float64)
    variance = clumps * np.maximum(sums(n * (1 - c) ** 2)[found] / total - share**2, 0.0) / total
    variance += sums(n**2 * c * (1 - c))[found] / total**2
    worth = np.divide(share * (1 - share), variance, out=total / clumps, where=variance > 0)
    worth = np.minimum(worth, total)
    low, high = chance.share_interval(share * worth, worth)
    return Spill(level, found, outside[found], share, np.asarray(low), np.asarray(high))
