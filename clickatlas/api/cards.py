"""Cards as a document: what each finding says, where it lies, and how it is known."""

from __future__ import annotations

from typing import TypeVar, cast

from pydantic import BaseModel, Field

from clickatlas.api.columns import number
from clickatlas.api.geo import Bbox
from clickatlas.atlas.areas import Areas
from clickatlas.insight.areas import degrees
from clickatlas.insight.baseline import Name
from clickatlas.insight.card import Card, Kind
from clickatlas.insight.ranking import LEAST_CLICKS

T = TypeVar("T")
MOST_AREAS = 400  # of one card: a dead zone may have more counties than anybody looks at


class InsightArea(BaseModel):
    """An area that a card is about."""

    id: str = Field(description="Such as country:US, region:US-MA, metro:14460, county:25017, zip:02139.")
    name: str
    lat: float | None
    lon: float | None
    bbox: Bbox | None


class InsightCard(BaseModel):
    """One finding, and how it is known."""

    kind: Kind
    sentence: str = Field(description="The finding in words, in English.")
    numbers: dict[str, float | int | str] = Field(
        description="The figures that the sentence is made of, by name."
    )
    of: str = Field(
        description="The name of the figure in `numbers` that `interval` belongs to; empty without one."
    )
    interval: tuple[float, float] | None = Field(description="95 % interval of that figure.")
    p: float | None = Field(
        description="The chance of the like if nothing were there; null: nothing was tested."
    )
    q: float | None = Field(description="The same after all that was tested with it (false discoveries).")
    areas: list[InsightArea] = Field(description=f"The areas it is about, {MOST_AREAS} at most.")
    areas_total: int = Field(description="How many there are.")
    filter: dict[str, list[str]] = Field(description="Filter parameters that show it on the map.")
    method: str = Field(description="How do we know: the method by its standard name, in a sentence or two.")
    sample: int = Field(description="The clicks it rests on.")
    caveats: list[str] = Field(description="When not to trust it.")


class Insights(BaseModel):
    """What stands out, the most telling first."""

    total: int = Field(description="Clicks that the filter lets through.")
    needed: int = Field(
        description="With fewer clicks than this there are no cards: nothing could be said for sure."
    )
    baseline: Name = Field(
        description="What clicks were held against: population, or others (all other links' clicks)."
    )
    min_cell: int = Field(description="No card names an area with fewer clicks; 0: any may be named.")
    compared: bool = Field(description="Whether a second filter (`b.`) was given.")
    cards: list[InsightCard]
    notes: list[str] = Field(description="What couldn't be said, and why, in English.")


def shown(card: Card, areas: Areas) -> InsightCard:
    """A sound card (`ranking.sound`) as the document has it."""
    return InsightCard(
        kind=card.kind,
        sentence=card.sentence,
        numbers={name: rounded(value) for name, value in card.numbers.items()},
        of=card.of,
        interval=None if card.interval is None else (rounded(card.interval[0]), rounded(card.interval[1])),
        p=rounded(card.p),
        q=rounded(card.q),
        areas=[
            InsightArea(
                id=areas.id(number),
                name=areas.name(number),
                lat=degrees(areas.lat(number)),
                lon=degrees(areas.lon(number)),
                bbox=areas.bbox(number),  # type: ignore[arg-type]
            )
            for number in card.areas[:MOST_AREAS]
        ],
        areas_total=len(card.areas),
        filter=card.filter,
        method=card.method,
        sample=card.sample,
        caveats=list(card.caveats),
    )


def empty(baseline: Name, *, min_cell: int, compared: bool, total: int) -> Insights:
    """The answer where nothing can be said."""
    return Insights(
        total=total,
        needed=LEAST_CLICKS,
        baseline=baseline,
        min_cell=min_cell,
        compared=compared,
        cards=[],
        notes=[],
    )


def rounded(value: T) -> T:
    """What isn't whole in six significant digits."""
    return cast("T", number(value)) if isinstance(value, float) else value
