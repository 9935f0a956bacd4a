"""What ten million clicks come to, as arrays, through each single question of the insights, against the tenth of a second it may take."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from bench import sample
from bench.table import alternate, milliseconds, row, seconds, show
from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.locate import Locator
from clickatlas.insight import oddity
from clickatlas.insight.certainty import certainty
from clickatlas.insight.languages import languages, markets
from clickatlas.insight.measures import Residents
from clickatlas.insight.rhythm import QUARTER
from clickatlas.insight.rhythms import by_week, rhythm
from clickatlas.insight.target import Circle, Target
from clickatlas.insight.targeting import aimed

CLICKS = 10_000_000
ROUNDS = 7
LIMIT = 0.1  # seconds; of a second for all of them, two at a time
Work = Callable[[], object]


def main() -> None:
    """Measure and print."""
    atlas = sample.atlas()
    random = np.random.default_rng(1)
    places = random.multinomial(CLICKS, _weight(atlas)).astype(np.int64)
    parts = {
        "two years by 60 clocks": _rhythm(random),
        "27 weeks of 6 network kinds, by region": _oddities(atlas, random),
        "languages of 240 countries, unexpected ones": _languages(atlas, places, random),
        "a target of two states and a circle": _target(atlas, places),
        "opening the locator": lambda: Locator.open(atlas.folder),
    }
    for work in parts.values():
        work()  # what is remembered of the atlas
    figures = alternate({name: lambda work=work: seconds(work) for name, work in parts.items()}, ROUNDS)  # type: ignore[misc]
    limit = (f"the limit of {LIMIT:g} s", [LIMIT] * ROUNDS)
    show(
        f"Insights, question by question, on what {CLICKS:,} clicks come to (less is better)",
        [row(name, taken, milliseconds, limit) for name, taken in figures.items()],
        (f"median of {ROUNDS} rounds; without the store's part, which `insights` has",),
    )


def _weight(atlas: Atlas) -> npt.NDArray[np.float64]:
    weight = np.where(
        np.asarray(atlas.places.unplaced), 0.0, np.asarray(atlas.places.addresses, np.float64)
    ) * (Residents.of(atlas).place > 0)
    return np.asarray(weight / weight.sum())


def _rhythm(random: np.random.Generator) -> Work:
    start = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp() * 1000)
    times = np.arange(0, 730 * 96, dtype=np.int64) * QUARTER + start
    clicks = random.integers(0, 300, len(times))
    clocks = [(times[::6], clicks[::6], "Europe/Berlin")] * 60
    return lambda: rhythm(by_week(clocks, int(times[0]), int(times[-1])))


def _oddities(atlas: Atlas, random: np.random.Generator) -> Work:
    column = np.asarray(atlas.places.area[Level.REGION])
    sums = np.bincount(column + 1, np.sqrt(np.asarray(atlas.places.addresses)), len(atlas.areas) + 1)[1:]
    area = np.flatnonzero(sums)
    found = random.poisson(sums[area] / sums.sum() * CLICKS / 27, (27, len(area)))
    kinds = dict.fromkeys(("residential", "hosting", "vpn", "tor", "cdn", "bot"), found // 2)
    return lambda: oddity.cards(oddity.oddities(Level.REGION, area, kinds), atlas)


def _languages(atlas: Atlas, places: npt.NDArray[np.int64], random: np.random.Generator) -> Work:
    country = random.integers(0, 240, 20_000)
    tags = [f"{a}{b}-XX" for a in "abcdefghij" for b in "klmnopqrst"] * 200
    clicks = random.integers(1, 1000, 20_000)
    return lambda: (languages(country, tags, clicks), markets(atlas, places, baseline=places * 2))


def _target(atlas: Atlas, places: npt.NDArray[np.int64]) -> Work:
    target = Target(("region:US-MA", "region:US-NY"), (Circle(42.36, -71.06, 40.0),))
    sure, people = certainty(atlas, target), Residents.of(atlas)
    channels = {"email": places // 2, "social": places - places // 2}
    return lambda: aimed(atlas, target, sure, places, everything=places * 2, channels=channels, people=people)
