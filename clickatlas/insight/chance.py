"""What chance does: counts that vary more than Poisson's, many tests at once, ratios and shares of few clicks.

Clicks come in clumps (a person clicks thrice, an office shares a place) and areas differ for reasons that no baseline
knows (where an internet provider's customers are put). So a count O with mean μ is given the variance

    Var O = φ μ + τ² μ²

with φ ≥ 1 for clumps (quasi-Poisson: McCullagh and Nelder, Generalized Linear Models, 1989, 6.2.3) and τ² ≥ 0
for lasting differences between areas (negative binomial: Breslow, "Extra-Poisson variation in log-linear models", Applied
Statistics 33, 1984). Both are estimated from the areas themselves, `dispersion`, so that an area is found only
if it stands out from how areas *here* differ: an empirical null in Efron's sense ("Large-scale simultaneous hypothesis
testing: the choice of a null hypothesis", JASA 99, 2004). Tails are those of the negative binomial with this mean and variance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

F64 = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.generic]

LEAST = 5.0  # expected clicks of an area that the spread is learned from
VISITORS = 400  # one of so many is an office
OFFICE = 12.0  # whose clicks are as many, on average
PUPILS = 4000  # areas that the spread is learned from, or twice as many at most
NONE = -12.0  # a power of 10 that is as good as nothing
CUT = 2.5  # standard deviations: residuals beyond count as this much, so that real findings don't widen the spread
# The mean of min(Z², CUT²) for a standard normal Z.
_WITHIN = float(special.erf(CUT / np.sqrt(2)) - np.sqrt(2 / np.pi) * CUT * np.exp(-(CUT**2) / 2))
MEAN_CUT = _WITHIN + CUT**2 * float(special.erfc(CUT / np.sqrt(2)))


@dataclass(frozen=True)
class Spread:
    """How much counts vary around what is expected: `phi` for clumps, `tau2` for lasting differences."""

    phi: float = 1.0
    tau2: float = 0.0
    areas: int = 0  # that it was learned from
    offices: float = 0.0  # large clumps per expected click; see `offices`
    office: float = 0.0  # clicks of one, on average

    def variance(self, expected: F64) -> F64:
        """Of counts with these means."""
        return np.asarray(self.phi * expected + self.tau2 * expected**2)


def benjamini_hochberg(p: npt.ArrayLike) -> F64:
    """q values: the false-discovery rate at which each hypothesis is rejected first; NaN stays NaN, and isn't counted.

    Benjamini and Hochberg, "Controlling the False Discovery Rate", J. R. Statist. Soc. B 57 (1995). If nothing
    is there at all, the chance of any q ≤ α is at most α (Simes 1986), so it holds the family-wise error then, too.
    """
    p = np.asarray(p, np.float64)
    result = np.full(p.shape, np.nan)
    told = np.flatnonzero(~np.isnan(p))
    if not told.size:
        return result
    order = told[np.argsort(p[told], kind="stable")]
    stepped = p[order] * told.size / np.arange(1, told.size + 1)
    result[order] = np.minimum(np.minimum.accumulate(stepped[::-1])[::-1], 1.0)
    return result


def dispersion(observed: Numbers, expected: F64, *, ratio: float = 0.0) -> Spread:
    """φ and τ² of areas with at least `LEAST` expected clicks, robustly; no spread where there are fewer than 10.

    `ratio`: where the expectation was itself counted, this campaign's clicks over those it was taken from; its
    own noise makes φ 1 + ratio at least. Solves Σ (ψ(z²) / c - 1) w = 0 with z² = (O - μ)² / Var O, Huber's ψ(z²) = min(z², CUT²),
    c its normal mean, once with w = 1 and once with w = log μ from its mean: Pearson's χ² made robust (Huber, Robust
    Statistics, 1981, 5.2, "proposal 2"), at small means and at large ones.
    """
    expected = np.asarray(expected, np.float64)
    use = expected >= LEAST
    least = 1.0 + ratio
    if int(use.sum()) < 10:
        return Spread(least, 0.0, 0)
    mu, clicks = expected[use], np.asarray(observed, np.float64)[use]
    if mu.size > PUPILS:  # some of them, of all sizes, tell as much as 70,000 postal codes
        some = np.lexsort((clicks, mu))[:: mu.size // PUPILS]
        mu, clicks = mu[some], clicks[some]
    square = (clicks - mu) ** 2
    slope = np.log(mu)
    slope = slope - slope.mean()

    def clumps(kappa: float) -> float:
        """φ where the variance is φ (μ + κ μ²)."""
        return _robust_mean(square / (mu + kappa * mu**2))

    def tilt(power: float) -> float:
        """Above 0 where large means vary more than the model has it, κ being that power of 10."""
        pearson = square / (mu + 10.0**power * mu**2)
        return float(np.minimum(pearson / _robust_mean(pearson), CUT**2) @ slope)

    if tilt(NONE) <= 0:
        return Spread(max(least, clumps(0.0)), 0.0, int(use.sum()))
    kappa = 10.0 ** _falls(tilt, 4.0)
    phi = clumps(kappa)
    if phi >= least:
        return Spread(phi, phi * kappa, int(use.sum()))
    # Fewer clumps than chance alone makes: all that is left is lasting.
    rest = lasting(square, mu, least)
    return Spread(least, rest, int(use.sum()))


def lasting(square: F64, mu: F64, phi: float) -> float:
    """τ² for a given φ: where the mean of ψ(z²) is what it should be; 0 where φ alone is enough."""

    def left(tau2: float) -> float:
        return float(np.minimum(square / (phi * mu + tau2 * mu**2), CUT**2).mean()) - MEAN_CUT

    return 0.0 if left(0.0) <= 0 else float(10.0 ** _falls(lambda power: left(10.0**power), 6.0))


def _robust_mean(squares: F64) -> float:
    """φ that solves Σ min(z² / φ, CUT²) = n c: a sum that is concave in 1 / φ, so Newton's steps from below end at it, in some five."""
    size, whole = squares.size, float(squares.sum())
    if not whole > 0:
        return 1e-9
    aim, inverse = size * MEAN_CUT, size * MEAN_CUT / whole
    for _ in range(40):
        inside = squares <= CUT**2 / inverse
        step = (aim - CUT**2 * (size - np.count_nonzero(inside))) / float(squares @ inside)
        if step <= inverse * (1 + 1e-9):
            break
        inverse = step
    return max(1 / inverse, 1e-9)


def _falls(left: Callable[[float], float], most: float) -> float:
    """The power of 10 up to `most` where a falling function is 0, to a hundredth of a per cent."""
    low, high = NONE, most
    for _ in range(18):
        middle = (low + high) / 2
        low, high = (middle, high) if left(middle) > 0 else (low, middle)
    return (low + high) / 2


def offices(clicks: Numbers, expected: F64) -> tuple[float, float]:
    """How many large clumps there are per expected click, and how large they are: from counts of single places.

    Where hardly a click is expected, several are one clump. The tail of these counts is taken for exponential beyond its largest few
    (peaks over a threshold: Pickands, Annals of Statistics 3, 1975, with shape 0). A campaign may be too small to show any, so no
    less is assumed than an office of `OFFICE` clicks in every `VISITORS` visitors.
    """
    alone = (expected > 0) & (expected <= 1)
    several = np.asarray(clicks, np.float64)[alone]
    several = np.sort(several[several > 1])[::-1]
    top = int(np.clip(several.size // 100, 10, 50))
    if several.size <= top:
        return 1 / VISITORS, OFFICE
    threshold = float(several[top])
    size = max(OFFICE, float((several[:top] - threshold).mean() + 0.5) * (1 + 1 / top**0.5))
    seen = top / float(expected[alone].sum()) * float(np.exp(min(threshold / size, 50)))
    return max(1 / VISITORS, seen), size


def lower(observed: Numbers, expected: F64, spread: Spread) -> F64:
    """The chance of as few or fewer; 1 where nothing is expected."""
    return _cdf(np.floor(np.asarray(observed, np.float64)), np.asarray(expected, np.float64), spread)


def upper(observed: Numbers, expected: F64, spread: Spread) -> F64:
    """The chance of as many or more; where nothing is expected 0 for any click, 1 for none."""
    below, mean = np.broadcast_arrays(
        np.ceil(np.asarray(observed, np.float64)) - 1, np.asarray(expected, np.float64)
    )
    tail = _cdf(below, mean, spread, rest=True)
    if not spread.offices > 0:
        return tail
    # NB + M ≥ O, with M > t in a share λ exp(-t / s) of areas, is no likelier than either bound says.
    rate = np.minimum(spread.offices * mean, 1.0)
    bound = np.minimum(_chernoff(below + 1, mean, spread), 1.0)
    # Where the counts' own tail is longer than an office's there is no such bound; it is wanted where the tail is small only.
    at = np.flatnonzero((bound.ravel() >= 1) & (tail.ravel() < 0.05) & (mean.ravel() > 0))
    if at.size:
        own, least = mean.ravel()[at], below.ravel()[at]
        steps = [_cdf(least - k * spread.office, own, spread, rest=True) + np.exp(-k) for k in range(1, 25)]
        bound.ravel()[at] = np.minimum(np.minimum.reduce(steps), 1.0)
    return np.asarray(np.minimum(np.where(mean > 0, tail + rate * bound, tail), 1.0))


def scores(observed: Numbers, expected: F64, spread: Spread) -> F64:
    """Counts as standard normal scores, by the mid-p of their tails; 0 where nothing is expected, within ±8."""
    few, many = lower(observed, expected, spread), upper(observed, expected, spread)
    middle = (few + 1 - many) / 2
    # The far tails are told apart by the smaller of the two, not by 1 - 1e-17.
    tail = np.maximum(np.where(few < many, few, many) / 2, 1e-300)
    far = np.where(few < many, special.ndtri(tail), -special.ndtri(tail))
    with np.errstate(invalid="ignore"):
        score = np.where((middle > 1e-6) & (middle < 1 - 1e-6), special.ndtri(middle), far)
    return np.where(np.asarray(expected) > 0, np.clip(score, -8, 8), 0.0)


def _cdf(count: F64, mean: F64, spread: Spread, *, rest: bool = False) -> F64:
    """P(X ≤ count), or with `rest` P(X > count), of the negative binomial with the spread's variance."""
    some = np.maximum(mean, 1e-300)
    over = np.maximum(spread.phi - 1 + spread.tau2 * some, 0.0)  # Var / μ - 1
    at = np.maximum(count, 0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        size = some / over
        if rest:
            tail = np.where(over > 1e-9, special.betainc(at + 1, size, over / (1 + over)),
                            special.gammainc(at + 1, some))  # fmt: skip
        else:
            tail = np.where(over > 1e-9, special.betainc(size, at + 1, 1 / (1 + over)),
                            special.gammaincc(at + 1, some))  # fmt: skip
    tail = np.where(count < 0, 1.0 if rest else 0.0, tail)
    nothing = (count < 0) if rest else (count >= 0)
    return np.asarray(np.where(mean > 0, tail, nothing.astype(np.float64)))


def _chernoff(count: F64, mean: F64, spread: Spread) -> F64:
    """E exp((X - count) / s), which P(X + M ≥ count) is at most, for M exponential with mean s; inf where it has no bound."""
    over = np.maximum(spread.phi - 1 + spread.tau2 * mean, 0.0)
    grow = np.expm1(1 / spread.office)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        left = 1 - over * grow
        log = np.where(over > 1e-9, -mean / over * np.log(np.maximum(left, 1e-300)), mean * grow)
        bound = np.exp(np.minimum(log - count / spread.office, 700))
    return np.where(left > 0, bound, np.inf)


@dataclass(frozen=True)
class Rates:
    """Likely ratios to what was expected, by area, with their 95 % intervals."""

    ratio: F64
    low: F64
    high: F64


def empirical_bayes(observed: Numbers, expected: F64, phi: float = 1.0, level: float = 0.95) -> Rates:
    """Ratios O / μ drawn to 1 as far as they are unsure; an area without expectation is at 1.

    Gamma-Poisson, the prior's variance by the method of moments: Marshall, "Mapping Disease and Mortality Rates Using
    Empirical Bayes Estimators", Applied Statistics 40 (1991), with all areas, the extraordinary ones too; see also
    Clayton and Kaldor, Biometrics 43 (1987). φ clicks of a clump are worth one. The interval is the posterior's.
    """
    strength = prior(observed, expected, phi)
    return _posterior(
        np.asarray(observed, np.float64), np.asarray(expected, np.float64), strength, phi, level
    )


def prior(observed: Numbers, expected: F64, phi: float = 1.0) -> float:
    """The strength of that prior, 1 / its variance: so many expected clicks are believed as much; 1e9 where areas don't differ."""
    real, _ = unevenness(observed, expected, Spread(phi))
    return min(1 / real, 1e9) if real > 0 else 1e9


def unevenness(observed: Numbers, expected: F64, spread: Spread) -> tuple[float, float]:
    """Variance of areas' own ratios by the method of moments (below 0 where chance was milder than φ says), and its error.

    The error is chance's around the usual areas, half as much again for counts' long tails; a few extraordinary areas don't add to it.
    """
    mu = np.asarray(expected, np.float64)
    use = mu >= LEAST
    if not use.any():
        return 0.0, 0.0
    clicks, mu = np.asarray(observed, np.float64)[use], mu[use]
    whole = float(mu.sum())
    real = float((mu * (clicks / mu - 1) ** 2).sum()) / whole - spread.phi * mu.size / whole
    error = 1.5 * float(np.sqrt(2 * ((spread.phi + spread.tau2 * mu) ** 2).sum())) / whole
    return real, error


def ratios(observed: Numbers, expected: F64, phi: float | F64 = 1.0, level: float | F64 = 0.95) -> Rates:
    """Ratios O / μ as they are, with intervals that know of φ alone; gamma posterior under Jeffreys' prior.

    The truth that these speak of is the area's own rate, the lasting difference included: τ² isn't noise to it.
    """
    shape = np.asarray(observed, np.float64) / phi + 0.5
    scale = np.maximum(np.asarray(expected, np.float64), 1e-300) / phi
    half = (1 - level) / 2
    with np.errstate(over="ignore"):
        low, high = special.gammaincinv(shape, half) / scale, special.gammaincinv(shape, 1 - half) / scale
    known = np.asarray(expected) > 0
    plain = np.divide(np.asarray(observed, np.float64), expected, out=np.ones(shape.shape), where=known)
    none = np.asarray(observed, np.float64) <= 0
    return Rates(plain, np.where(known & ~none, low, 0.0), np.where(known, high, np.inf))


def exact_ratios(observed: Numbers, expected: F64, phi: float = 1.0, level: float = 0.95) -> Rates:
    """Ratios O / μ with the intervals of all means that the negative binomial's tails don't refuse (Clopper and Pearson 1934, for its
    counts): they hold far out, too, where many intervals are to hold at once and clicks are few. 2 ms for 168 of them."""
    counts, mu = np.asarray(observed, np.float64), np.asarray(expected, np.float64)
    spread, half = Spread(phi), (1 - level) / 2
    plain = np.divide(counts, mu, out=np.ones(counts.shape), where=mu > 0)
    reach = 1 + 12 * np.sqrt(phi * (counts + phi)) + counts + 12 * phi
    ends = []
    for tail, first, last in ((upper, np.zeros(counts.shape), counts), (lower, counts, counts + reach)):
        low, high = first, last
        for _ in range(40):
            middle = (low + high) / 2
            refused = tail(counts, middle, spread) < half
            # Of as many or more the chance grows with the mean, of as few or fewer it falls.
            up = refused if tail is upper else ~refused
            low, high = np.where(up, middle, low), np.where(up, high, middle)
        ends.append((low + high) / 2)
    scale = np.where(mu > 0, mu, 1.0)
    return Rates(
        plain,
        np.where((mu > 0) & (counts > 0), ends[0] / scale, 0.0),
        np.where(mu > 0, ends[1] / scale, np.inf),
    )


def _posterior(observed: F64, expected: F64, strength: float, phi: float, level: float) -> Rates:
    shape = observed / phi + strength
    scale = expected / phi + strength
    half = (1 - level) / 2
    return Rates(
        np.asarray(shape / scale),
        np.asarray(special.gammaincinv(shape, half) / scale),
        np.asarray(special.gammaincinv(shape, 1 - half) / scale),
    )


def share_interval(
    part: npt.ArrayLike, whole: npt.ArrayLike, *, phi: float = 1.0, level: float = 0.95, exact: bool = False
) -> tuple[F64, F64]:
    """Interval of the share part / whole of clicks that come in clumps; (0, 1) where there are none.

    Wilson, "Probable inference", JASA 22 (1927); with `exact` Clopper and Pearson, Biometrika 26 (1934). φ is the design
    effect (Kish, Survey Sampling, 1965): so many clicks are worth one.
    """
    k, n = np.asarray(part, np.float64) / phi, np.asarray(whole, np.float64) / phi
    half = (1 - level) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        if exact:
            low = np.where(k > 0, special.betaincinv(np.maximum(k, 1e-9), n - k + 1, half), 0.0)
            high = np.where(k < n, special.betaincinv(k + 1, np.maximum(n - k, 1e-9), 1 - half), 1.0)
        else:
            z2 = float(special.ndtri(half)) ** 2
            share = k / n
            centre = (share + z2 / (2 * n)) / (1 + z2 / n)
            reach = np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n**2))) / (1 + z2 / n)
            low, high = centre - reach, centre + reach
    return np.where(n > 0, np.clip(low, 0, 1), 0.0), np.where(n > 0, np.clip(high, 0, 1), 1.0)
