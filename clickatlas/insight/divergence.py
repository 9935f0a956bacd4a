"""Two geographies beside each other: where one has more of its clicks than the other, and how far apart they are.

Side A has a of its A clicks in an area, side B has b of its B. The **location quotient** (a / A) / (b / B) is one share
over the other (Isserman, "The location quotient approach to estimating regional economic impacts", Journal of the American
Institute of Planners 43, 1977); an area is held against the clicks of both, or one campaign against all. `ratio`
is its logarithm to base 2, shrunk by an informative Dirichlet prior: see `compare.difference`.

Tests are conditional: were the two alike, of an area's n = a + b clicks the part A / (A + B) would be side A's (Fisher's exact
test's condition). Clicks come in clumps, so n clicks are worth n / φ: see `clumping`. Binomial tails and Jeffreys intervals (Brown, Cai and DasGupta, "Interval estimation for a binomial proportion", Statistical Science 16, 2001)
with n / φ clicks; at φ = 1 the interval agrees with the delta method's for location quotients (Beyene and Moineddin, BMC
Medical Research Methodology 5:32, 2005). No finding rests on one place: tests take
the place that stands out most in an area for one that is as its other places. False discoveries by Benjamini and Hochberg over areas with clicks enough to tell
anything, which a look at n alone decides (Bourgon, Gentleman and Huber, PNAS 107, 2010).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.chance import Spread, benjamini_hochberg
from clickatlas.insight.clumping import Clumped, Parts
from clickatlas.insight.compare import difference
from clickatlas.insight.counts import Counts
from clickatlas.insight.distance import Distance, distance
from clickatlas.insight.groups import Group, states, world

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
# The variance, in clumps, of an area that is tested: one office can't make it differ. More where areas are as small as one.
ENOUGH, ENOUGH_SMALL = 15.0, 60.0
SMALL = (Level.CITY, Level.POSTAL)
REST = 60.0  # clicks' worth of the part of all in what the other places of an area are thought to have
DIFFERS = (
    0.05  # the q up to which a table or a map says that an area differs: of those that do, 1 in 20 by chance
)
MOST = 4000  # areas that the distance tells apart, those with the most clicks


@dataclass(frozen=True)
class Contrast:
    """Areas or groups, parallel arrays. Only those where either side has clicks."""

    area: I64  # area numbers; of groups their positions
    a: I64
    b: I64
    total_a: int  # of all areas that are compared: clicks known at this level
    total_b: int
    quotient: F64  # (a / A) / (b / B); inf where b is 0
    low: F64  # its 95 % interval; 0 and inf where one side has none
    high: F64
    ratio: F64  # log2, shrunk
    z: F64  # of the log-odds ratio, clumps taken into account
    alone: F64  # of side A's clicks, those by which one place makes it differ
    p: F64  # two-sided; NaN with too few clicks to tell anything, or to know how they clump
    q: F64


@dataclass(frozen=True)
class Divergence:
    """Two sides' difference by area and by group, and in all."""

    names: tuple[str, str]
    level: Level
    areas: Contrast  # by q, then the furthest apart first
    world: Contrast  # by `groups.world`
    states: Contrast  # by `groups.states`, within the United States
    distance: Distance
    spread: Spread  # how clicks clump; `areas` 0 where there was too little to learn it from
    shown: Flags | None  # by area number: what may be told of; None for all


def divergence(
    a: Counts,
    b: Counts,
    atlas: Atlas,
    level: Level = Level.REGION,
    *,
    names: tuple[str, str] = ("A", "B"),
    shown: Flags | None = None,
    seed: int = 1,
) -> Divergence:
    """How side A differs from side B at `level`; some 60 ms. Sides without clicks differ nowhere.

    `shown` are the areas, by number, that may be told of. The sides' clicks are to be different ones: of
    overlapping periods or campaigns, differences are understated.
    """
    shown = visible(a, b, shown)
    clumped = Clumped.of(a.clicks, Parts.of(a.clicks + b.clicks, atlas))
    areas, clump = _by_area(a.clicks, b.clicks, atlas, level, clumped, shown)
    order = np.lexsort((-np.abs(areas.z), np.where(np.isnan(areas.q), 2, areas.q)))
    return Divergence(
        names,
        level,
        taken(areas, order),
        _by_group(a.clicks, b.clicks, atlas, world(atlas), clumped, shown),
        _by_group(a.clicks, b.clicks, atlas, states(atlas), clumped, shown),
        _distance(areas, clump, clumped.sure, seed),
        clumped.spread,
        shown,
    )


def contrast(
    area: I64, a: I64, b: I64, total_a: int, total_b: int, clump: F64, *,
    sure: float = 1.0, enough: float = ENOUGH, single: tuple[F64, F64] | None = None,
) -> Contrast:  # fmt: skip
    """The arrays of `Contrast` for clicks a, b; `clump`: so many clicks of each area are worth one.

    Tests take it `sure` times as large, for what isn't known of clumps, intervals the root of that; NaN if nothing is: then there is no p.
    `single`: see `singles`.
    """
    told = difference(a, b, total_a, total_b)
    both, whole = (a + b).astype(np.float64), total_a + total_b
    part = total_a / whole if whole else 0.5
    with np.errstate(divide="ignore", invalid="ignore"):
        # Both margins are given: an area that has most of the clicks can differ but little.
        worth = clump * np.maximum(1 - both / max(1, whole), 1e-12)
        somewhat = np.sqrt(sure) if sure > 1 else 1.0
        mine, others = a / worth / somewhat, b / worth / somewhat
        odds = total_b / max(1, total_a)
        quotient = (a / b) * odds
        low, high = (special.betaincinv(mine + 0.5, others + 0.5, at) for at in (0.025, 0.975))
        low, high = odds * low / (1 - low), odds * high / (1 - high)
        away = a - both * part
        alone = np.zeros(len(a))
        if single is not None:
            alone = np.where(away > 0, np.minimum(away, single[1]), np.maximum(away, single[0]))
        mine, others = (np.maximum(of, 0) / (worth * sure) for of in (a - alone, b + alone))
        few = np.where(others > 0, special.betainc(np.maximum(others, 1e-300), mine + 1, 1 - part), 1.0)
        many = np.where(mine > 0, special.betainc(np.maximum(mine, 1e-300), others + 1, part), 1.0)
    # None on one side: the limit of that side is not known.
    low, high = np.where(a > 0, low, 0.0), np.where(b > 0, high, np.inf)
    between = (both > 0) & (both < whole) & (total_a > 0) & (total_b > 0)
    tested = both * part * (1 - part) * (1 - both / max(1, whole)) / (clump * sure) >= enough
    p = np.where(between & tested, np.minimum(2 * np.minimum(few, many), 1.0), np.nan)
    quotient, low, high = (
        np.where(between, of, none) for of, none in ((quotient, 1.0), (low, 0.0), (high, np.inf))
    )
    z = told.z / np.sqrt(clump)
    return Contrast(area, a, b, total_a, total_b, quotient, low, high, told.ratio, z, alone, p, benjamini_hochberg(p))  # fmt: skip


def location_quotient(local: float, local_whole: float, wide: float, wide_whole: float) -> float:
    """Isserman (1977): the share `local / local_whole` over the share `wide / wide_whole`; NaN without any."""
    if not (local_whole > 0 and wide > 0 and wide_whole > 0):
        return float("nan")
    return (local / local_whole) / (wide / wide_whole)


def _by_area(
    a: I64, b: I64, atlas: Atlas, level: Level, clumped: Clumped, shown: Flags | None
) -> tuple[Contrast, F64]:
    """The areas of a level, and how many clicks of each are worth one."""
    column, enough = np.asarray(atlas.places.area[level]), ENOUGH_SMALL if level in SMALL else ENOUGH
    return of_column(column, a, b, len(atlas.areas), clumped, shown, enough)


def of_column(
    column: npt.NDArray[np.integer],
    a: I64,
    b: I64,
    size: int,
    clumped: Clumped,
    shown: Flags | None,
    enough: float,
) -> tuple[Contrast, F64]:
    """What `column` puts the places into (numbers below `size`, -1 for none): areas, or clusters; and how many clicks are worth one."""
    mine, others = (sums(column, side, size, shown) for side in (a, b))
    area = np.flatnonzero(mine + others)
    clump = clumped.worth(column, area)
    totals = int(mine.sum()), int(others.sum())
    low, high = singles(column, a, b, size, totals)
    found = contrast(
        area, mine[area], others[area], *totals, clump,
        sure=clumped.sure, enough=enough, single=(low[area], high[area]),
    )  # fmt: skip
    return found, clump


def _distance(areas: Contrast, clump: F64, sure: float, seed: int) -> Distance:
    """Over the areas with clicks enough to tell anything, and all others together."""
    both = (areas.a + areas.b).astype(np.float64)
    apart = ~np.isnan(areas.p)
    if not apart.any():
        apart, sure = both > 0, float("nan")
    if np.count_nonzero(apart) > MOST:
        apart &= both >= np.partition(both[apart], -MOST)[-MOST]
    at = np.where(apart, np.cumsum(apart), 0)
    a, b = (np.bincount(at, side).astype(np.int64) for side in (areas.a, areas.b))
    whole = np.bincount(at, both)
    mean = np.divide(np.bincount(at, both * clump), whole, out=np.ones(len(whole)), where=whole > 0)
    alone = np.bincount(at, np.where(apart, areas.alone, 0.0)).astype(np.float64)
    return distance(a, b, mean, sure, seed, alone=alone)


def _by_group(
    a: I64, b: I64, atlas: Atlas, groups: tuple[Group, ...], clumped: Clumped, shown: Flags | None
) -> Contrast:
    """Groups that cover one another are tested together; shares are of all clicks that lie in any of them."""
    column = np.asarray(atlas.places.area[groups[0].level])
    mine, others = (sums(column, side, len(atlas.areas), shown) for side in (a, b))
    covered = np.unique(np.concatenate([group.areas for group in groups]))
    clump = clumped.worth(column, covered)
    both = (mine + others)[covered].astype(np.float64)
    over = []
    for group in groups:  # of the areas in it, by their clicks
        at = np.searchsorted(covered, group.areas)
        clicks = both[at].sum()
        over.append(float((clump[at] * both[at]).sum() / clicks) if clicks else clumped.spread.phi)
    totals = int(mine[covered].sum()), int(others[covered].sum())
    low, high = singles(column, a, b, len(atlas.areas), totals)
    found = contrast(
        np.arange(len(groups)),
        np.array([mine[group.areas].sum() for group in groups], np.int64),
        np.array([others[group.areas].sum() for group in groups], np.int64),
        *totals,
        np.array(over),
        sure=clumped.sure,
        single=(
            np.array([low[group.areas].min() for group in groups]),
            np.array([high[group.areas].max() for group in groups]),
        ),
    )
    return taken(found, np.flatnonzero(found.a + found.b))


@dataclass(frozen=True)
class Inside:
    """The places of each area that have clicks, once for any sides that these are shared out between."""

    place: npt.NDArray[np.intp]  # one area's behind the other's
    starts: npt.NDArray[np.intp]  # where each area's begin
    area: npt.NDArray[np.integer]  # beside `starts`: area numbers
    both: I64  # beside `place`: clicks of either side
    size: int  # of tables by area number

    @classmethod
    def of(cls, column: npt.NDArray[np.integer], both: I64, size: int) -> Inside:
        """`column` has the area number of each place, `both` the clicks."""
        some = np.flatnonzero((column >= 0) & (both > 0))
        some = some[np.argsort(column[some], kind="stable")]
        area = column[some]
        starts = np.flatnonzero(np.diff(area, prepend=-1))
        return cls(some, starts, area[starts], both[some], size)

    def singles(self, a: I64, totals: tuple[int, int]) -> tuple[F64, F64]:
        """By area number, in clicks: how far one place is below side A's part of the area's other places, and how far above.

        Side A's clicks are `a`, by place. Where the others have few clicks, their part is drawn towards side A's part of all.
        """
        low, high = np.zeros(self.size), np.zeros(self.size)
        if not len(self.starts):
            return low, high
        mine, both = a[self.place], self.both
        many = np.diff(self.starts, append=len(both))
        whole_a, whole = (np.repeat(np.add.reduceat(of, self.starts), many) for of in (mine, both))
        usual = totals[0] / max(1, sum(totals))
        away = mine - both * ((whole_a - mine + REST * usual) / (whole - both + REST))
        low[self.area] = np.minimum(0, np.minimum.reduceat(away, self.starts))
        high[self.area] = np.maximum(0, np.maximum.reduceat(away, self.starts))
        return low, high


def singles(
    column: npt.NDArray[np.integer], a: I64, b: I64, size: int, totals: tuple[int, int]
) -> tuple[F64, F64]:
    """`Inside.singles` of two sides' clicks by place."""
    return Inside.of(column, a + b, size).singles(a, totals)


def taken(table: Contrast, rows: npt.NDArray[np.intp]) -> Contrast:
    """Some rows of a table, q values as they were."""
    columns = {name: value[rows] for name, value in vars(table).items() if isinstance(value, np.ndarray)}
    return Contrast(**{**vars(table), **columns})


def sums(column: npt.NDArray[np.integer], clicks: I64, size: int, shown: Flags | None) -> I64:
    """Clicks by area number, of the areas that may be told of."""
    found = np.bincount(column + 1, clicks, minlength=size + 1)[1:].astype(np.int64)
    return found if shown is None else found * shown[: len(found)]


def visible(a: Counts, b: Counts, shown: Flags | None = None) -> Flags | None:
    """What both sides' plans show, and the caller allows."""
    for counts in (a, b):
        if counts.held is not None:
            may = counts.held.visible
            shown = may if shown is None else shown & may
    return shown
