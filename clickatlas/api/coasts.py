"""East against West: the local hours of the day on either side of the United States."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import Field

from clickatlas.api.columns import Format, FormatDep, number, numbers
from clickatlas.api.insight_tables import ADJUSTED, INTERVAL, TESTED, InsightTable
from clickatlas.api.insights import AS_CSV, AskedDep, answered
from clickatlas.api.times import PLACE, rhythm_of
from clickatlas.insight.rhythms import Apart

router = APIRouter(prefix="/api/insights", tags=["insights"])


class CoastTable(InsightTable):
    """The 24 hours of the day by each place's own clock. East: Northeast and South Atlantic states; West: the census region."""

    east: int = Field(description="Clicks of the East.")
    west: int = Field(description="Clicks of the West.")
    shift: float | None = Field(
        description="Hours that the East's day is later than the West's, each by its own clock; null without clicks of both."
    )
    shift_low: float | None = Field(description=f"Lower end {INTERVAL}")
    shift_high: float | None = Field(description=f"Upper end {INTERVAL}")
    shift_p: float | None = Field(description=TESTED)
    hour: list[int]
    share_east: list[float | None] = Field(description="Of the East's clicks, those in this hour.")
    share_west: list[float | None] = Field(description="Of the West's.")
    ratio: list[float | None] = Field(description="share_east / share_west.")
    low: list[float | None] = Field(description=f"Lower end {INTERVAL}")
    high: list[float | None] = Field(description=f"Upper end {INTERVAL}")
    p: list[float | None] = Field(description=TESTED)
    q: list[float | None] = Field(description=ADJUSTED)


@router.get("/coasts", response_model=CoastTable, responses=AS_CSV)
async def coasts(request: Request, about: AskedDep, how: FormatDep = Format.JSON) -> InsightTable | Response:
    """Whether the East and the West of the United States click at other hours of their own clocks.

    Circular means of the hours, and hour by hour two-proportion z tests for clicks in clumps, Benjamini-Hochberg over the 24. With `min_cell`,
    or without clicks of both, there are no rows.
    """

    def work() -> InsightTable:
        found = rhythm_of(about, PLACE)
        return coast_table(found.coasts if found else None, about.counts.total, about.least)

    return await answered(request, "coasts", how, work)


def coast_table(found: Apart | None, total: int, min_cell: int) -> CoastTable:
    """As the API has it."""
    if found is None:
        return CoastTable(
            total=total, sample=0, min_cell=min_cell, east=0, west=0, shift=None, shift_low=None, shift_high=None, shift_p=None,
            hour=[], share_east=[], share_west=[], ratio=[], low=[], high=[], p=[], q=[],
        )  # fmt: skip
    return CoastTable(
        total=total, sample=found.total_a + found.total_b, min_cell=min_cell, east=found.total_a, west=found.total_b,
        shift=number(found.shift), shift_low=number(found.shift_low), shift_high=number(found.shift_high),
        shift_p=number(found.shift_p), hour=list(range(24)), share_east=numbers(found.a), share_west=numbers(found.b),
        ratio=numbers(found.ratio), low=numbers(found.low), high=numbers(found.high), p=numbers(found.p), q=numbers(found.q),
    )  # fmt: skip
