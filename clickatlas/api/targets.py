"""A target as the API takes and shows it: areas, circles, and a drawn shape in GeoJSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from clickatlas.atlas.atlas import Atlas
from clickatlas.errors import invalid
from clickatlas.insight.target import Target

MOST_AREAS, MOST_CIRCLES, MOST_RINGS, MOST_POSITIONS = 5000, 50, 100, 2000

Longitude = Annotated[float, Field(ge=-360, le=360, allow_inf_nan=False)]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Position = tuple[Longitude, Latitude]
Ring = Annotated[list[Position], Field(min_length=4, max_length=MOST_POSITIONS)]
Rings = Annotated[list[Ring], Field(min_length=1, max_length=MOST_RINGS)]


class CircleDocument(BaseModel):
    """All within so many km of a point."""

    model_config = ConfigDict(extra="forbid")
    lat: Latitude
    lon: Longitude
    km: Annotated[float, Field(ge=0.1, le=20_000, allow_inf_nan=False)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")

    def _closed(self, polygons: Sequence[Sequence[Sequence[Position]]]) -> Self:
        rings = [ring for polygon in polygons for ring in polygon]
        if any(ring[0] != ring[-1] for ring in rings):
            raise ValueError("has a ring that doesn't end where it begins")
        if len(rings) > MOST_RINGS or sum(len(ring) for ring in rings) > MOST_POSITIONS:
            raise ValueError(f"has more than {MOST_RINGS} rings or {MOST_POSITIONS} positions")
        return self


class Polygon(_Shape):
    """A GeoJSON polygon: its outside, then holes. Sides are straight on the Mercator map."""

    type: Literal["Polygon"]
    coordinates: Rings = Field(
        description=f"Closed rings of [lng, lat]; {MOST_POSITIONS} positions at most in all. "
        "Longitudes may go past 180 to cross the date line."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        return self._closed([self.coordinates])


class MultiPolygon(_Shape):
    """Several of them."""

    type: Literal["MultiPolygon"]
    coordinates: Annotated[list[Rings], Field(min_length=1, max_length=MOST_RINGS)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        return self._closed(self.coordinates)


class TargetDocument(BaseModel):
    """Where clicks are meant to come from. What lies in any of its parts is inside; it has one at least."""

    model_config = ConfigDict(extra="forbid")
    areas: list[Annotated[str, Field(min_length=1, max_length=80)]] = Field(
        default_factory=list,
        max_length=MOST_AREAS,
        description="Area ids such as country:US, region:US-MA, metro:14460, zip:02139.",
        examples=[["metro:14460", "zip:10001"]],
    )
    circles: list[CircleDocument] = Field(default_factory=list, max_length=MOST_CIRCLES)
    shape: Annotated[Polygon | MultiPolygon, Field(discriminator="type")] | None = Field(
        None, description="A GeoJSON geometry (RFC 7946)."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not (self.areas or self.circles or self.shape):
            raise ValueError("has no part: give areas, circles or a shape, or null for no target")
        self.areas = list(dict.fromkeys(self.areas))
        return self

    @classmethod
    def of(cls, document: dict[str, Any] | None) -> TargetDocument | None:
        """As it was stored."""
        return None if document is None else cls.model_validate(document)

    @classmethod
    def of_target(cls, target: Target) -> TargetDocument:
        """What `Target.read` reads back as the same; of several together it may be longer than one may be."""
        shape = None
        if target.polygons:
            polygons = [[closed(ring) for ring in rings] for rings in target.polygons]
            shape = MultiPolygon.model_construct(type="MultiPolygon", coordinates=polygons)
        circles = [CircleDocument(lat=each.lat, lon=each.lon, km=each.km) for each in target.circles]
        return cls.model_construct(areas=list(target.areas), circles=circles, shape=shape)


def closed(ring: Sequence[float]) -> list[Position]:
    """Flat degrees as a ring of GeoJSON, the first position again at its end."""
    positions = list(zip(ring[::2], ring[1::2], strict=True))
    return [*positions, positions[0]]


def checked_target(atlas: Atlas, target: TargetDocument | None) -> None:
    """Raises `Problem` (422) where the target names an area that the atlas doesn't know."""
    for area in target.areas if target else ():
        if atlas.areas.number(area) is None:
            raise invalid(
                f"The atlas has no area {area!r}.",
                remedy="Find one with GET /api/areas?search=NAME.",
                field="target.areas",
            )
