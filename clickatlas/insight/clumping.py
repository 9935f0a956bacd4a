"""How the clicks of two sides clump: what an area's clicks are worth when it is asked whether the sides differ there.

A visitor clicks once or thrice, an office dozens of times, always on one side. Of a part with n clicks, npq is the variance of
side A's if each went by itself, with p A's share; clumps make it φ npq, with φ the mean size of the clump that a click is in.
φ is learned from how cities *within* a region share out their clicks between the sides, so that a real difference between
regions, the finding itself, isn't taken for clumps: φ = Σ (a - np)² / Σ npq over all parts, however small (after
Fletcher, "Estimating overdispersion when fitting a generalized linear model to sparse data", Biometrika 99, 2012: Pearson's
mean of ratios is unstable there); large parts count alike. Large parts that are far off count only so far. Lasting differences of cities (τ², see
`chance.dispersion`) reach an area as far as few cities make it up: φ + τ² Σ (npq)² / Σ npq.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.chance import LEAST, Spread, dispersion

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
PARTS = 30  # with more clicks than one, at least, to learn from
FAR = 100.0  # squared standard deviations: large parts further off count as this much


@dataclass(frozen=True)
class Parts:
    """Cities within regions, of all clicks that are to be shared out between sides."""

    part: npt.NDArray[np.intp]  # by place: its part; -1 without clicks
    region: I64  # by part: a number for its region, from 0 on
    both: I64  # by place: clicks of either side

    @classmethod
    def of(cls, both: I64, atlas: Atlas) -> Parts:
        """About 20 ms where most places have clicks."""
        region, city = (
            np.asarray(atlas.places.area[level]).astype(np.int64) for level in (Level.REGION, Level.CITY)
        )
        some = np.flatnonzero(both)
        size = len(atlas.areas) + 1
        keys, inverse = np.unique((region[some] + 1) * size + city[some] + 1, return_inverse=True)
        part = np.full(len(both), -1, np.intp)
        part[some] = inverse
        return cls(part, np.unique(keys // size, return_inverse=True)[1].astype(np.int64), both)

    def sums(self, clicks: I64) -> F64:
        """Clicks by part."""
        return np.asarray(
            np.bincount(self.part[self.places], clicks[self.places], len(self.region)), np.float64
        )

    @cached_property
    def places(self) -> npt.NDArray[np.intp]:
        """Those with clicks."""
        return np.flatnonzero(self.part >= 0)

    @cached_property
    def whole(self) -> F64:
        """Clicks of either side, by part."""
        return self.sums(self.both)

    def lasting(self, column: npt.NDArray[np.integer], rows: I64) -> F64:
        """Σ n² / Σ n over the parts of each area number of `rows`; `column` has the area number of each place."""
        some = np.flatnonzero((column >= 0) & (self.part >= 0))
        size, parts = int(rows.max(initial=-1)) + 1, max(1, len(self.region))
        some = some[column[some] < size]
        pairs, inverse = np.unique(
            column[some].astype(np.int64) * parts + self.part[some], return_inverse=True
        )
        both = np.bincount(inverse, self.both[some], len(pairs))
        squares, whole = (np.bincount(pairs // parts, of, size) for of in (both**2, both))
        return np.asarray(np.divide(squares, whole, out=np.zeros(size), where=whole > 0)[rows])


@dataclass(frozen=True)
class Clumped:
    """What is known of the clumps of one side's clicks and the other's. `sure` is NaN where nothing is."""

    parts: Parts
    spread: Spread
    sure: float  # φ and τ² may be so many times as large: two standard errors up
    share: float  # side A's of all

    @classmethod
    def of(cls, a: I64, parts: Parts) -> Clumped:
        """Side A's clicks are `a`, by place; side B's are the others of `parts`. About 7 ms."""
        mine, both = parts.sums(a), parts.whole
        whole = float(both.sum())
        spread, sure = learned(mine, both - mine, parts.region)
        if np.isnan(sure):  # sides that have hardly a region in common: whole cities are taken for clumps
            spread, sure = learned(mine, both - mine, np.zeros_like(parts.region))
        return cls(parts, spread, sure, float(mine.sum()) / whole if whole else 0.5)

    def worth(self, column: npt.NDArray[np.integer], rows: I64) -> F64:
        """So many clicks are worth one, by area number of `rows`."""
        if self.spread.tau2 == 0:
            return np.full(len(rows), self.spread.phi)
        return self.drawn(self.parts.lasting(column, rows))

    def drawn(self, lasting: F64) -> F64:
        """The same from `Parts.lasting`."""
        return np.asarray(self.spread.phi + self.spread.tau2 * self.share * (1 - self.share) * lasting)


def learned(a: F64, b: F64, within: I64) -> tuple[Spread, float]:
    """φ and τ² of how the parts within each wider area (numbers from 0 on) share out their clicks, and how much larger they may be."""
    whole_a, whole_b = np.bincount(within, a)[within], np.bincount(within, b)[within]
    both, whole = a + b, np.maximum(whole_a + whole_b, 1)
    share = whole_a / whole
    usual = both * share * (1 - share) * (1 - both / whole)
    square = (a - both * share) ** 2
    parts = int(((usual > 0) & (both > 1)).sum())
    if parts < PARTS:
        return Spread(), float("nan")
    with np.errstate(divide="ignore", invalid="ignore"):
        robust = dispersion(usual + np.sqrt(square), usual)
    modelled = robust.variance(usual)
    square = np.where(usual >= LEAST, np.minimum(square, FAR * modelled), square)
    # Of a part as large as the smallest that could be told alone, on: each counts as much as the next.
    weight = np.minimum(1.0, LEAST / np.maximum(usual, LEAST))
    square, modelled = weight * square, weight * modelled
    more = max(float(square.sum() / modelled.sum()), 1 / robust.phi)
    # Of a ratio of sums, by linearisation (Cochran 1977, 6.3).
    error = float(np.sqrt(((square - more * modelled) ** 2).sum()) / (more * modelled.sum()))
    return Spread(robust.phi * more, robust.tau2 * more, parts), 1 + 2 * error
