"""The table of areas by the hour of their own day at which they click most."""

from __future__ import annotations

from typing import Any

import numpy as np
from fastapi import APIRouter, Request, Response
from pydantic import Field

from clickatlas.api.columns import Format, FormatDep, number, numbers, places
from clickatlas.api.findings import Asked
from clickatlas.api.geo import LEVELS, Table
from clickatlas.api.hours import steps_of
from clickatlas.api.insight_tables import ADJUSTED, INTERVAL, TESTED, AreaColumns, InsightTable, table_of
from clickatlas.api.insights import AS_CSV, AskedDep, LevelDep, answered
from clickatlas.api.times import among
from clickatlas.atlas.areas import Areas, Level
from clickatlas.insight.circular import by_week
from clickatlas.insight.peaks import Peaks, peaks
from clickatlas.insight.rhythm import HOUR, clocks

router = APIRouter(prefix="/api/insights", tags=["insights"])
FINEST = (Level.COUNTRY, Level.REGION, Level.METRO)


class PeakTable(AreaColumns):
    """The tested areas by how surely their peak is at another hour than everybody else's, the surest first."""

    level: Table
    weeks: int = Field(description="Weeks with clicks that the table rests on: six at least.")
    peak_of_all: float | None = Field(description="Everybody's peak, in hours of each place's own day.")
    phi: float | None = Field(description="Clicks come in clumps of so many.")
    clicks: list[int]
    peak: list[float | None] = Field(
        description="The hour of the place's own day around which clicks lie, 0 to 24 (13.5 is half past one)."
    )
    peak_low: list[float | None] = Field(
        description=f"Lower end {INTERVAL} Below 0: it begins the day before."
    )
    peak_high: list[float | None] = Field(
        description=f"Upper end {INTERVAL} Above 24: it ends the day after."
    )
    shift: list[float | None] = Field(description="Hours that it is later than everybody else's peak.")
    low: list[float | None] = Field(
        description=f"Lower end {INTERVAL} Wider for what was found, as it was picked out of many."
    )
    high: list[float | None] = Field(description=f"Upper end {INTERVAL}")
    p: list[float | None] = Field(description=TESTED)
    q: list[float | None] = Field(description=ADJUSTED)
    found: list[bool] = Field(description="Whether it differs beyond chance, and by half an hour or more.")


@router.get("/peaks", response_model=PeakTable, responses=AS_CSV)
async def peak_hours(
    request: Request, about: AskedDep, level: LevelDep = Table.REGIONS, how: FormatDep = Format.JSON
) -> InsightTable | Response:
    """Where they click at another hour of their own day than everybody does.

    Peaks are circular means of local times, tested week by week with Student's t, Benjamini-Hochberg across areas. Areas of 200 clicks or more;
    those finer than metros lie in their region's; with `min_cell` there are no rows.
    """

    def work() -> InsightTable:
        coarse = LEVELS[level] if LEVELS[level] in FINEST else Level.REGION
        found = peaks_of(about, coarse)
        return peak_table(found, coarse, about.atlas.areas, about.counts.total, about.least)

    return await answered(request, "peaks", how, work)


def peaks_of(about: Asked, level: Level) -> Peaks | None:
    """Peaks by area; None without clicks, and with `min_cell`, as times are blurred then."""
    if about.wanted.holds:
        return None
    return about.kept(("peaks", level), lambda: _peaks(about, level))


def _peaks(about: Asked, level: Level) -> Peaks | None:
    questions = about.opened.questions
    span = questions.span(about.workspace, about.wanted)
    if span is None:
        return None
    asked = questions.ask(about.workspace, about.wanted)
    places = asked.atlas.places
    zone, column = clocks(places), np.asarray(places.area[level], np.int64)
    known = (zone >= 0) & (column >= 0)
    width = len(places.zones)
    # Clicks that can't be told an area or a clock are a group of their own, which is left out.
    pair, group = np.unique(np.where(known, column * width + zone, -1), return_inverse=True)
    # To the next whole day, so that the question stays the same while clicks come in.
    edges = np.arange(span[0] // HOUR * HOUR, span[1] + 24 * HOUR, HOUR, dtype=np.int64)
    found = about.opened.store.group_times(
        asked.selection, edges, asked.kinds, among(asked, group, steps_of(asked.atlas, zone, edges))
    )
    told = pair[found.groups] >= 0
    area, clock = np.divmod(pair[found.groups[told]], width)
    middle = edges[found.buckets[told]] + HOUR // 2
    return peaks(*by_week(area, clock, middle, found.clicks[told], places.zones, int(edges[0])))


def peak_table(found: Peaks | None, level: Level, areas: Areas, total: int, min_cell: int) -> PeakTable:
    """As the API has it; without clicks, or with `min_cell`, a table without rows."""
    about: dict[str, Any] = {"total": total, "min_cell": min_cell, "level": table_of(level)}
    if found is None:
        return PeakTable(
            **about, sample=0, **places(areas, ()), weeks=0, peak_of_all=None, phi=None, clicks=[], peak=[], peak_low=[],
            peak_high=[], shift=[], low=[], high=[], p=[], q=[], found=[],
        )  # fmt: skip
    return PeakTable(
        **about, sample=int(found.clicks.sum()), **places(areas, found.area), weeks=found.weeks,
        peak_of_all=number(found.all), phi=number(found.phi), clicks=numbers(found.clicks), peak=numbers(found.peak),
        peak_low=numbers(found.low), peak_high=numbers(found.high), shift=numbers(found.shift), low=numbers(found.shift_low),
        high=numbers(found.shift_high), p=numbers(found.p), q=numbers(found.q), found=found.found.tolist(),
    )  # fmt: skip
