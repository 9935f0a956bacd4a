"""Unexpected countries: those that click though no link is aimed at them."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import Field

from clickatlas.api.columns import Format, FormatDep, numbers, places
from clickatlas.api.insight_tables import ADJUSTED, INTERVAL, TESTED, AreaColumns, InsightTable
from clickatlas.api.insights import AS_CSV, AskedDep, answered
from clickatlas.api.tongues import markets_of
from clickatlas.atlas.areas import Areas
from clickatlas.errors import not_found
from clickatlas.insight.languages import Markets, unexpected

router = APIRouter(prefix="/api/insights", tags=["insights"])


class MarketTable(AreaColumns):
    """Countries that no target touches, the surest first."""

    baseline: str = Field(
        description="others: your other links' countries; population: the internet addresses that each has."
    )
    clicks: list[int]
    expected: list[float | None] = Field(description="What the baseline would give.")
    ratio: list[float | None] = Field(description="clicks / expected.")
    low: list[float | None] = Field(description=f"Lower end {INTERVAL}")
    high: list[float | None] = Field(description=f"Upper end {INTERVAL}")
    p: list[float | None] = Field(description=f"{TESTED} 1 below 50 clicks.")
    q: list[float | None] = Field(description=ADJUSTED)
    found: list[bool] = Field(description="Whether it is unexpected beyond chance: what a card says.")


@router.get("/markets", response_model=MarketTable, responses=AS_CSV)
async def markets(request: Request, about: AskedDep, how: FormatDep = Format.JSON) -> InsightTable | Response:
    """Countries that click though nobody aimed there, beyond what your other links, or addresses, would give.

    Negative binomial with the countries' own spread, Benjamini-Hochberg over the countries that no target touches. 404 where a link
    of the filter has no target: then nothing is off target.
    """

    def work() -> InsightTable:
        found = markets_of(about)
        if found is None:
            raise not_found(
                "Not every one of these links has a target, or with min_cell not the same.",
                remedy="Give a link or a campaign one with PATCH /api/links/CODE or /api/campaigns/NAME, and choose it.",
            )
        return market_table(found, about.baseline_used, about.atlas.areas, about.counts.total, about.least)

    return await answered(request, "markets", how, work)


def market_table(found: Markets, baseline: str, areas: Areas, total: int, min_cell: int) -> MarketTable:
    """As the API has it."""
    names = ("clicks", "expected", "ratio", "low", "high", "p", "q")
    return MarketTable(
        total=total, sample=found.total, min_cell=min_cell, **places(areas, found.country), baseline=baseline,
        **{name: numbers(getattr(found, name)) for name in names}, found=unexpected(found).tolist(),
    )  # fmt: skip
