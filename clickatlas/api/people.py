"""Who lives in an area, as a document, and how that compares with the nation."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.nation import NATION, Nation


class Older(BaseModel):
    """Figures that are of an older survey than the rest."""

    vintage: str
    source: str
    figures: list[str]


class People(BaseModel):
    """Who lives in an area. US areas have figures by ZIP code; elsewhere there is the population alone, at most."""

    residents: bool = Field(description="Whether anybody is counted here.")
    reason: str | None = Field(None, description="Why nobody is, where that's known: PO boxes, say.")
    zips: int | None = Field(None, description="ZIP codes that were added up.")
    vintage: str | None = Field(None, description="Which survey the figures are from.")
    source: str
    older: Older | None = Field(None, description="The figures that are of an older survey.")
    population: int | None = None
    households: int | None = None
    housing_units: int | None = Field(None, description="Dwellings, empty ones too.")
    per_km2: float | None = Field(None, description="Residents per km² of land.")
    urbanicity: dict[str, float] | None = Field(
        None,
        description="Share of the residents in ZIP codes of each tier: rural, suburban, urban, dense_urban.",
    )
    shares: dict[str, float | None] | None = Field(None, description="0 to 1, each of its own base.")
    medians: dict[str, float | None] | None = Field(
        None, description="Of a single ZIP code; wider areas have none, as medians can't be added up."
    )
    margins: dict[str, float] | None = Field(
        None, description="Half the 90 % interval of a figure, in the figure's own unit."
    )


class Compared(BaseModel):
    """A figure, and how it is spread over the people, households or adults that it speaks of, by ZIP code."""

    value: float
    p10: float = Field(description="One in ten of them lives in a ZIP code where the figure is at most that.")
    p25: float
    p50: float
    p75: float
    p90: float
    percentile: float = Field(description="How many in 100 of them live where the figure is lower.")


class Against(BaseModel):
    """An area's shares and medians held against those of the nation's ZIP codes."""

    name: str = Field(description="The nation.")
    figures: dict[str, Compared]


def against(atlas: Atlas, area_id: str, figures: dict[str, Any] | None) -> Against | None:
    """None for the nation itself, and for areas that have no figures."""
    if area_id == "country:US" or figures is None:
        return None
    nation, compared = Nation.of(atlas.folder), {}
    for name, value in {**figures.get("shares", {}), **figures.get("medians", {})}.items():
        if value is not None and (spread := nation.spread(name, value)):
            compared[name] = Compared(value=value, **spread._asdict())
    return Against(name=NATION, figures=compared) if compared else None
