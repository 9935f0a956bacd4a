"""The table of weekday against weekend geography."""

from __future__ import annotations

from pydantic import Field

from clickatlas.api.columns import number, numbers, places
from clickatlas.api.geo import Table
from clickatlas.api.insight_tables import ADJUSTED, INTERVAL, TESTED, AreaColumns, table_of
from clickatlas.atlas.areas import Areas, Level
from clickatlas.insight.weekends import ALPHA, Weekends


class WeekendTable(AreaColumns):
    """Areas by how surely their local weekends differ from everybody's, the surest first."""

    level: Table
    weeks: int = Field(description="Whole weeks that the table rests on.")
    share: float | None = Field(
        description="The part of all clicks that comes on local Saturdays and Sundays."
    )
    found: list[bool] = Field(description="Whether the area differs beyond chance.")
    weekday: list[int] = Field(description="Clicks from Monday to Friday, by the place's own clock.")
    weekend: list[int] = Field(description="Clicks on Saturdays and Sundays.")
    ratio: list[float | None] = Field(description="The weekend's part over everybody else's.")
    low: list[float | None] = Field(description=f"Lower end {INTERVAL}")
    high: list[float | None] = Field(description=f"Upper end {INTERVAL}")
    p: list[float | None] = Field(description=TESTED)
    q: list[float | None] = Field(description=ADJUSTED)


def weekend_table(
    found: Weekends | None, level: Level, areas: Areas, total: int, min_cell: int
) -> WeekendTable:
    """As the API has it; without clicks, or with `min_cell`, a table without rows."""
    if found is None:
        return WeekendTable(
            total=total, sample=0, min_cell=min_cell, **places(areas, ()), level=table_of(level), weeks=0, share=None,
            found=[], weekday=[], weekend=[], ratio=[], low=[], high=[], p=[], q=[],
        )  # fmt: skip
    columns = {
        name: numbers(getattr(found, name))
        for name in ("weekday", "weekend", "ratio", "low", "high", "p", "q")
    }
    return WeekendTable(
        total=total, sample=int(found.weekday.sum() + found.weekend.sum()), min_cell=min_cell,
        **places(areas, found.area), level=table_of(level), weeks=found.weeks, share=number(found.share),
        found=(found.q <= ALPHA).tolist(), **columns,
    )  # fmt: skip
