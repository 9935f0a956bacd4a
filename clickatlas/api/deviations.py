"""One area held against what it should have: the row that the tables of gaps and hot spots have of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from clickatlas.api import makers
from clickatlas.api.columns import number
from clickatlas.api.findings import Asked
from clickatlas.api.insight_tables import ADJUSTED, INTERVAL, TESTED
from clickatlas.api.insights import AskedDep
from clickatlas.atlas.areas import Level
from clickatlas.errors import not_found
from clickatlas.insight.baseline import Name, caveats
from clickatlas.insight.gaps import Gaps, told
from clickatlas.insight.hotspots import Hotspots

router = APIRouter(prefix="/api/insights", tags=["insights"])
NEIGHBOURS = " Getis-Ord Gi* tells whether it is hot together with the areas beside it."
Said = Literal["more", "fewer", "usual", "unknown"]


class Deviation(BaseModel):
    """Whether an area has more or fewer clicks than it should, and how sure that is."""

    id: str
    name: str
    level: Level
    baseline: Name = Field(
        description="population: what residents would give; others: what your other links do."
    )
    said: Said = Field(
        description="more, fewer: a hot spot or a gap, beyond chance after all areas of the level. usual: what there is, "
        "chance would often make. unknown: too few clicks expected to tell, or not to be told."
    )
    together: bool = Field(description="Whether it is hot only taken together with its neighbours (Gi*).")
    zone: int = Field(description="Areas beside each other that are so, itself among them; 0: it isn't.")
    clicks: int | None
    expected: float | None
    ratio: float | None = Field(description="clicks / expected.")
    low: float | None = Field(
        description=f"Lower end {INTERVAL} Wider for what was found, as it was picked out of many."
    )
    high: float | None = Field(description=f"Upper end {INTERVAL}")
    p: float | None = Field(description=TESTED)
    q: float | None = Field(description=ADJUSTED)
    tested: int = Field(description="Areas of the level that were tested.")
    sample: int = Field(description="Clicks that it rests on.")
    method: str = Field(description="How do we know.")
    caveats: list[str] = Field(description="When not to trust it.")


@router.get("/areas/{area_id}")
async def deviation(
    request: Request,
    about: AskedDep,
    area_id: Annotated[
        str,
        Path(
            max_length=80, description="Such as country:US, metro:14460, zip:02139.", examples=["metro:14460"]
        ),
    ],
) -> Deviation:
    """Whether one area has more or fewer clicks than it should: its row of the gaps' and the hot spots' table.

    The same tests as for cards: what is said of it holds after all areas of its level were looked at.
    """
    found: Deviation = await request.app.state.thinking.run(lambda: deviation_of(about, area_id))
    return found


def deviation_of(about: Asked, area: str) -> Deviation:
    """The answer; raises `Problem` (404) where the atlas has no such area."""
    areas = about.atlas.areas
    numbered = areas.number(area)
    if numbered is None:
        raise not_found(
            f"The atlas has no area {area!r}.", remedy="Find one with GET /api/areas?search=NAME."
        )
    level, held = areas.level(numbered), about.held_against(areas.level(numbered))
    known: dict[str, Any] = {
        "id": area, "name": areas.name(numbered), "level": level, "baseline": held.name, "sample": held.sample,
        "tested": int(held.tested.sum()), "caveats": list(caveats(held.name)),
    }  # fmt: skip
    if not held.tested[held.area == numbered].any():  # then neither table has it
        return Deviation(
            **known, said="unknown", together=False, zone=0, clicks=None, expected=None, ratio=None, low=None,
            high=None, p=None, q=None, method="",
        )  # fmt: skip
    gap, hot = makers.gaps_of(about, level), makers.hotspots_of(about, level)
    of_gap, of_hot = (int(np.flatnonzero(table.area == numbered)[0]) for table in (gap, hot))
    return Deviation(**known, **_row(gap, of_gap, hot, of_hot))


def _row(gap: Gaps, of_gap: int, hot: Hotspots, of_hot: int) -> dict[str, Any]:
    """What the tables' rows say: that of gaps where there are fewer clicks than expected, else that of hot spots."""
    fewer = bool(gap.clicks[of_gap] < gap.expected[of_gap])
    alone, together = bool(hot.hot[of_hot]), bool(hot.gi_hot[of_hot])
    said: Said = "fewer" if gap.gap[of_gap] else "more" if alone or together else "usual"
    table, at = (gap, of_gap) if fewer else (hot, of_hot)
    zone = int(table.zone[at])
    spread, tested, alpha = table.spread, table.area.size, table.alpha
    return {
        "said": said,
        "together": together and not alone and said == "more",
        "zone": int((table.zone == zone).sum()) if zone >= 0 and said != "usual" else 0,
        "clicks": int(table.clicks[at]),
        "expected": number(float(table.expected[at])),
        "ratio": number(float(table.clicks[at] / table.expected[at])),
        "low": number(float(table.low[at])),
        "high": number(float(table.high[at])),
        "p": number(float(table.p[at])),
        "q": number(float(table.q[at])),
        "method": told(table.baseline, tested, spread, alpha, "fewer" if fewer else "more")
        + (NEIGHBOURS if together and not alone else ""),
    }
