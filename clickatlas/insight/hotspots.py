"""Hot spots: areas with more clicks than the baseline gives, beyond chance, alone (tails), with neighbours (Gi*), and in circles (scan)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse, special

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.baseline import Baseline, caveats
from clickatlas.insight.card import (
    LEVEL,
    Card,
    Kind,
    area_filter,
    areas_of,
    count,
    listed,
    names,
    percent,
    times,
)
from clickatlas.insight.chance import (
    F64,
    Spread,
    benjamini_hochberg,
    empirical_bayes,
    ratios,
    scores,
    upper,
)
from clickatlas.insight.contiguity import Contiguity
from clickatlas.insight.gaps import told, weight, zones
from clickatlas.insight.scan import NOTHING, Circles, Scan, scan

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

LEVELS = (Level.REGION, Level.METRO)  # what cards are made of; each has an equal part of the kind's share
SCANNED = (Level.METRO,)  # of these: a circle of regions says little, and costs as much
METHODS = 3  # tails, Gi* and scan: each has an equal part of a level's
LARGE = 1.25  # a hot spot has more than this many times what is expected
MOST = 3  # cards of single areas per level


@dataclass(frozen=True)
class Hotspots:
    """The tested areas as parallel arrays, the most extra clicks first, and the likeliest cluster."""

    level: Level
    baseline: str
    area: I32
    clicks: I64
    expected: F64
    extra: F64  # clicks - expected
    ratio: F64  # clicks / expected, empirical Bayes
    low: F64  # 95 % interval of the plain ratio; for hot spots as wide as being picked out of many asks for
    high: F64
    p: F64
    q: F64
    hot: Flags
    gi: F64  # Getis-Ord Gi*, a z value; NaN of areas without a place among the others
    gi_q: F64
    gi_hot: Flags
    zone: I32  # of areas hot by Gi*: the contiguous set, from 0, the most extra clicks first; else -1
    unexpected: Flags  # hot one way or the other, and never targeted
    cluster: Scan  # members are positions in `area`
    alpha: float  # of each of the three methods
    spread: Spread
    sample: int
    steady: F64  # clicks without those by which one place stands out: what the tests are of
    worth: float  # φ that the intervals are made with


def getis_ord(values: F64, weights: sparse.csr_array) -> F64:
    """Gi* of each area as a z value; `weights` hold each area itself. 0 where the values don't differ.

    Getis and Ord, "The Analysis of Spatial Association by Use of Distance Statistics", Geographical Analysis 24 (1992); in the
    standardised form of Ord and Getis, "Local Spatial Autocorrelation Statistics", Geographical Analysis 27 (1995), equation 14:
    (Σ w x - W x̄) / (s √((n S1 - W²) / (n - 1))).
    """
    n = values.size
    if n < 3:
        return np.zeros(n)
    mean = float(values.mean())
    deviation = float(np.sqrt(max(float((values**2).mean()) - mean**2, 0.0)))
    total = np.asarray(weights.sum(axis=1)).ravel()
    squares = np.asarray(weights.multiply(weights).sum(axis=1)).ravel()
    scale = deviation * np.sqrt(np.maximum(n * squares - total**2, 0) / (n - 1))
    above = weights @ values - total * mean
    return np.asarray(np.divide(above, scale, out=np.zeros(n), where=scale > 1e-12))


def hotspots(
    baseline: Baseline,
    contiguity: Contiguity | None = None,
    circles: Circles | None = None,
    *,
    targeted: Flags | None = None,
    alpha: float = LEVEL[Kind.HOTSPOT] / len(LEVELS),
) -> Hotspots:
    """Test the areas of a baseline; the chance of anything hot where nothing is is at most `alpha`, the three methods together.

    `targeted` has a flag per area number of the atlas; `circles` are of `contiguity.spot` (`Circles.of`), without them nothing is scanned.
    No finding rests on one place, which may be one visitor: the place that stands out most in an area is taken for as its other places
    (see `clump_sizes.of_one_place`). Gi* is of the normal scores of the counts, which don't depend on how many people an area has; p by the normal approximation.
    """
    part, spread = alpha / METHODS, baseline.spread
    shrunk = empirical_bayes(baseline.clicks, baseline.expected, spread.phi)
    order = np.flatnonzero(baseline.tested)
    order = order[np.argsort(-(baseline.clicks[order] - baseline.expected[order]), kind="stable")]
    area, clicks, expected = baseline.area[order], baseline.clicks[order], baseline.expected[order]
    steady = baseline.steady[order]
    likely = np.maximum(expected, baseline.reach[order])
    p = upper(steady, likely, spread)
    q = benjamini_hochberg(p)
    hot = (q <= part) & (clicks > LARGE * expected)
    gi, gi_q, cluster = np.full(area.size, np.nan), np.full(area.size, np.nan), NOTHING
    if contiguity is not None:
        at = contiguity.at(area)
        gi = _gi(contiguity, at, scores(steady, expected, spread))
        gi_q = benjamini_hochberg(special.ndtr(-gi))
        if circles is not None:
            cluster = _scanned(contiguity, circles, at, steady, expected, spread)
    gi_hot = (gi_q <= part) & (clicks > LARGE * expected)
    zone = zones(contiguity, area, gi_hot, clicks - expected)
    found = int(hot.sum())
    plain = ratios(
        clicks, expected, baseline.worth, np.where(hot, 1 - 0.05 * found / max(order.size, 1), 0.95)
    )
    either = hot | gi_hot
    if cluster.p <= part and cluster.observed > LARGE * cluster.expected:
        either[cluster.members] |= (clicks > expected)[cluster.members]
    unexpected = either & ~targeted[area] if targeted is not None else np.zeros(area.size, np.bool_)
    return Hotspots(baseline.level, baseline.name, area, clicks, expected, clicks - expected, shrunk.ratio[order],
                    plain.low, plain.high, p, q, hot, gi, gi_q, gi_hot, zone, unexpected, cluster, part, spread,
                    baseline.sample, steady, baseline.worth)  # fmt: skip


def _gi(contiguity: Contiguity, at: npt.NDArray[np.intp], score: F64) -> F64:
    """Gi* among the tested areas that have a place in the graph, over the edges between them."""
    result = np.full(at.size, np.nan)
    known = np.flatnonzero(at >= 0)
    if known.size < 3:
        return result
    weights = contiguity.matrix(itself=True)[at[known]][:, at[known]].tocsr()
    result[known] = getis_ord(score[known], weights)
    return result


def _scanned(
    contiguity: Contiguity,
    circles: Circles,
    at: npt.NDArray[np.intp],
    clicks: F64,
    expected: F64,
    spread: Spread,
) -> Scan:
    """The scan over all areas of the graph; those that aren't tested have neither clicks nor expectation."""
    c, e = np.zeros(contiguity.area.size), np.zeros(contiguity.area.size)
    known = at >= 0
    c[at[known]], e[at[known]] = clicks[known], expected[known]
    found = scan(c, e, circles, spread)
    if not found.members.size:
        return NOTHING
    back = np.full(contiguity.area.size, -1, np.int32)
    back[at[known]] = np.flatnonzero(known)
    members = back[found.members]
    return Scan(members[members >= 0], found.observed, found.expected, found.llr, found.p, found.ratio,
                found.replicates)  # fmt: skip


def cards(result: Hotspots, atlas: Atlas) -> list[Card]:
    """The hottest areas, and the cluster of the scan, or where there is none the largest of Gi*, if they say more."""
    made = [_area(result, atlas, int(at)) for at in np.flatnonzero(result.hot)[:MOST]]
    named = set(np.flatnonzero(result.hot)[:MOST].tolist())
    cluster = np.asarray(result.cluster.members)
    if result.cluster.p <= result.alpha and _worth(result, cluster) and not set(cluster.tolist()) <= named:
        made.append(_together(result, atlas, cluster, "scan"))
        return made
    for zone in range(int(result.zone.max(initial=-1)) + 1):
        members = np.flatnonzero(result.zone == zone)
        if members.size > 1 and _worth(result, members) and not set(members.tolist()) <= named:
            made.append(_together(result, atlas, members, "gi"))
            break
    return made


def _worth(result: Hotspots, members: npt.NDArray[np.integer]) -> bool:
    """Whether areas are hot taken together, too: neither a few per cent nor one office among them."""
    clicks, expected = result.steady[members].sum(), result.expected[members].sum()
    tail = upper(np.array([clicks]), np.array([expected]), result.spread)[0]
    return bool(clicks > LARGE * expected and tail <= result.alpha)


def _basis(result: Hotspots) -> str:
    return "the people who live there" if result.baseline == "population" else "your other links"


def _area(result: Hotspots, atlas: Atlas, at: int) -> Card:
    area, clicks, expected = result.area[at : at + 1], int(result.clicks[at]), float(result.expected[at])
    untargeted = " It was never targeted." if result.unexpected[at] else ""
    return Card(
        kind=Kind.HOTSPOT,
        sentence=f"{names(atlas, area)[0]} has {times(clicks / expected)} the clicks that {_basis(result)} would give: "
        f"{count(clicks)} instead of {count(expected)}.{untargeted}",
        numbers=_numbers(result, clicks, expected, 1) | {"unexpected": int(result.unexpected[at])},
        interval=(float(result.low[at]), float(result.high[at])),
        of="ratio",
        p=float(result.p[at]),
        q=float(result.q[at]),
        areas=(int(area[0]),),
        filter=area_filter(atlas, area),
        method=told(result.baseline, result.area.size, result.spread, result.alpha, "more"),
        sample=result.sample,
        caveats=caveats(result.baseline),
        weight=weight(clicks - expected, result.sample),
    )


def _together(result: Hotspots, atlas: Atlas, members: npt.NDArray[np.integer], way: str) -> Card:
    """A card of several areas beside each other."""
    area = result.area[members]
    clicks, expected = int(result.clicks[members].sum()), float(result.expected[members].sum())
    most = area[np.argsort(-result.extra[members], kind="stable")]
    unexpected = int(result.unexpected[members].sum())
    never = (
        " None of it was targeted."
        if unexpected and unexpected == int((result.clicks > result.expected)[members].sum())
        else ""
    )
    if way == "scan":
        method = (
            f"Kulldorff's spatial scan statistic: of all circles with up to half of the expected clicks this one stands out most; "
            f"{result.cluster.replicates} simulated maps (Gumbel approximation) tell how often chance does the like."
        )
        p, q = result.cluster.p, None
        area_first = names(atlas, area[:1])[0] if area.size > 1 else ""
        head = (
            f"{areas_of(atlas, area, result.level)} around {area_first}"
            if area.size > 1
            else names(atlas, area)[0]
        )
    else:
        method = (
            "Getis-Ord Gi* of each area and its neighbours (Gabriel graph), normal approximation, with Benjamini-Hochberg's "
            f"false-discovery control at {percent(result.alpha)}."
        )
        p, q = float(special.ndtr(-result.gi[members]).min()), float(result.gi_q[members].max())
        head = (
            f"{areas_of(atlas, area, result.level)} beside each other ({listed(names(atlas, most))})"
            if area.size > 1
            else names(atlas, area)[0]
        )
    plain = ratios(np.array([clicks]), np.array([expected]), result.worth)
    verb = "have" if area.size > 1 else "has"
    return Card(
        kind=Kind.HOTSPOT,
        sentence=f"{head[0].upper()}{head[1:]} {verb} {times(clicks / expected)} the clicks that {_basis(result)} would give: "
        f"{count(clicks)} instead of {count(expected)}.{never}",
        numbers=_numbers(result, clicks, expected, int(area.size)) | {"unexpected": unexpected},
        interval=(float(plain.low[0]), float(plain.high[0])),
        of="ratio",
        p=p,
        q=q,
        areas=tuple(area.tolist()),
        filter=area_filter(atlas, area),
        method=method,
        sample=result.sample,
        caveats=(
            "A circle is chosen because it stands out: its ratio is rather too large than too small.",
            *caveats(result.baseline),
        ),
        weight=weight(clicks - expected, result.sample),
    )


def _numbers(result: Hotspots, clicks: int, expected: float, areas: int) -> dict[str, float | int | str]:
    return {
        "clicks": clicks,
        "expected": round(expected, 1),
        "extra": round(clicks - expected, 1),
        "ratio": clicks / expected,
        "areas": areas,
        "level": result.level.value,
        "baseline": result.baseline,
    }
