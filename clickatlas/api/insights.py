"""Insights: what stands out in a filter's clicks, and the full table behind each question."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Depends, Query, Request, Response

from clickatlas.api import makers
from clickatlas.api.aims import aims_of, targeting_of
from clickatlas.api.caller import CallerDep, HouseDep
from clickatlas.api.cards import Insights, empty, shown
from clickatlas.api.columns import Format, FormatDep, as_csv
from clickatlas.api.deck import cards_of
from clickatlas.api.filters import FilterDep, SecondFilterDep
from clickatlas.api.findings import Asked
from clickatlas.api.geo import LEVELS, Table
from clickatlas.api.hours import Clock
from clickatlas.api.insight_figures import (
    Audience,
    LanguageTable,
    OddityTable,
    RhythmTable,
    TargetRows,
    TargetTable,
    audience_table,
    language_table,
    oddity_table,
    rhythm_table,
    target_table,
)
from clickatlas.api.insight_tables import (
    ConcentrationTable,
    DifferenceTable,
    GapTable,
    HotspotTable,
    InsightTable,
    OfferTable,
    concentration_table,
    difference_table,
    gap_table,
    hotspot_table,
    offer_table,
)
from clickatlas.api.insight_weekends import WeekendTable, weekend_table
from clickatlas.api.offers import Offer
from clickatlas.api.targets import TargetDocument
from clickatlas.api.times import oddities_end, oddities_of, rhythm_of, weekends_of
from clickatlas.api.tongues import languages_of
from clickatlas.atlas.areas import Level
from clickatlas.errors import not_found
from clickatlas.insight.ranking import LEAST_CLICKS, allowed, ranked, sound

T = TypeVar("T", bound=InsightTable)
router = APIRouter(prefix="/api/insights", tags=["insights"])


def asked(
    request: Request,
    wanted: FilterDep,
    second: SecondFilterDep,
    opened: HouseDep,
    who: CallerDep,
    baseline: Annotated[
        Literal["population", "others"] | None,
        Query(
            description="What clicks are held against: residents, or the clicks of all other links. Unless given, "
            "other links where they have ten times as many clicks, else residents."
        ),
    ] = None,
) -> Asked:
    """What a request asks about."""
    compared = any(name.startswith("b.") for name in request.query_params)
    return Asked(opened, who.workspace, wanted, second if compared else None, baseline)


AskedDep = Annotated[Asked, Depends(asked)]
AS_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}


async def answered(
    request: Request,
    name: str,
    how: Format,
    work: Callable[[], T],
    rows: Callable[[T], dict[str, list[Any]]] = InsightTable.columns,
) -> InsightTable | Response:
    """A table as it was asked for, worked out beside everything else."""

    def make() -> InsightTable | Response:
        table = work()
        return table if how is Format.JSON else as_csv(name, rows(table))

    found: InsightTable | Response = await request.app.state.thinking.run(make)
    return found


LevelDep = Annotated[Table, Query(description="Which areas.")]
ClockDep = Annotated[
    Clock, Query(description="reader: the zone `tz`; place: each click in its own place's zone.")
]


@router.get("")
async def insights(
    request: Request,
    about: AskedDep,
    level: Annotated[
        Table | None,
        Query(description="Cards about areas of this level; those that fit each question unless given."),
    ] = None,
    clock: ClockDep = Clock.PLACE,
) -> Insights:
    """Cards: what stands out, the most telling first.

    Nothing is called a finding that chance alone would often produce: over campaigns in which nothing happened,
    one in twenty has any card that says otherwise. With a second filter (parameters that begin with `b.`) the cards
    say how the two differ. What is found may be half a minute old.
    """
    found: Insights = await request.app.state.thinking.run(lambda: cards_document(about, level, clock))
    return found


def cards_document(about: Asked, level: Table | None = None, clock: Clock = Clock.PLACE) -> Insights:
    """The answer; worked out once and then remembered, also for a while under a stream of clicks."""
    name = ("cards", level, clock, aims_of(about))  # a target may change without a click
    return about.kept(name, lambda: _cards(about, LEVELS[level] if level else None, clock))


def _cards(about: Asked, level: Level | None, clock: Clock) -> Insights:
    counts = about.counts
    baseline = about.baseline_used
    answer = empty(
        baseline,
        min_cell=about.least,
        compared=about.second is not None,
        total=counts.total,
    )
    if counts.total < LEAST_CLICKS:
        return answer
    visible = None if counts.held is None else counts.held.visible
    made = allowed(cards_of(about, level, clock), visible)
    found = [shown(card, about.atlas.areas) for card in ranked(map(sound, made))]
    return answer.model_copy(update={"cards": found, "notes": [card.sentence for card in made if card.note]})


@router.get("/concentration", response_model=ConcentrationTable, responses=AS_CSV)
async def concentration(
    request: Request, about: AskedDep, level: LevelDep = Table.POSTAL_CODES, how: FormatDep = Format.JSON
) -> InsightTable | Response:
    """How unevenly clicks lie over areas: Lorenz curve, Gini, Herfindahl-Hirschman, the fewest areas with 40 %.

    Few clicks seem more concentrated than they are, so figures are those of the areas' own rates (empirical Bayes).
    """

    def work() -> InsightTable:
        found = makers.concentration_of(about, LEVELS[level])
        return concentration_table(found, about.atlas.areas, about.counts.total, about.least)

    return await answered(request, "concentration", how, work)


@router.get("/differences", response_model=DifferenceTable, responses=AS_CSV)
async def differences(
    request: Request, about: AskedDep, level: LevelDep = Table.REGIONS, how: FormatDep = Format.JSON
) -> InsightTable | Response:
    """How two filters differ: the second one's parameters begin with `b.`.

    Location quotients, shrunk log-odds and conditional binomial tests for clicks in clumps, Benjamini-Hochberg across
    areas; over all areas the Jensen-Shannon distance with a permutation test.
    """

    def work() -> InsightTable:
        found = makers.differences_of(about, LEVELS[level])
        return difference_table(found, about.atlas.areas, about.counts.total, about.least)

    return await answered(request, "differences", how, work)


@router.get("/rhythm", response_model=RhythmTable, responses=AS_CSV)
async def rhythm(
    request: Request, about: AskedDep, clock: ClockDep = Clock.PLACE, how: FormatDep = Format.JSON
) -> InsightTable | Response:
    """When they click: the hours of the week, each with an interval.

    Through all changes of clocks. With `min_cell` by the reader's clock only, no moment told closer than that.
    """

    def work() -> InsightTable:
        return rhythm_table(rhythm_of(about, clock), about.counts.total, about.least)

    return await answered(request, "rhythm", how, work)


@router.get("/weekends", response_model=WeekendTable, responses=AS_CSV)
async def weekends(
    request: Request, about: AskedDep, level: LevelDep = Table.REGIONS, how: FormatDep = Format.JSON
) -> InsightTable | Response:
    """Where they click on weekends more, or less, than everybody does, by each place's own clock.

    Week by week, as quasi-binomial counts. Areas finer than regions lie in their region's; with `min_cell` there are no rows.
    """

    def work() -> InsightTable:
        coarse = LEVELS[level] if LEVELS[level] in (Level.COUNTRY, Level.REGION) else Level.REGION
        found = weekends_of(about, coarse)
        return weekend_table(found, coarse, about.atlas.areas, about.counts.total, about.least)

    return await answered(request, "weekends", how, work)


@router.get("/target", response_model=TargetTable, responses=AS_CSV)
async def target(
    request: Request,
    about: AskedDep,
    rows: Annotated[
        TargetRows,
        Query(
            alias="table",
            description="With format=csv, which rows: spill (areas that clicks outside come from), share (one row: the share and who was "
            "not reached), channels, or silent (areas of the target that hardly anybody clicked in). JSON has all of them.",
        ),
    ] = TargetRows.SPILL,
    how: FormatDep = Format.JSON,
) -> InsightTable | Response:
    """Did clicks hit the target that their link or campaign has?

    A click counts as inside with the chance that its place's accuracy radius gives it. Where the filter's links have
    several targets, each click is held against that of its own link, and those of links without one are left out. 404
    where none has; with `min_cell` also where they don't all have the same.
    """

    def work() -> TargetTable:
        aims, found = aims_of(about), targeting_of(about)
        if aims is None or found is None:
            raise not_found(
                "These links have no target, or with min_cell not all of them the same.",
                remedy="Give a link or a campaign one with PATCH /api/links/CODE or /api/campaigns/NAME, and choose it.",
            )
        return target_table(
            found, TargetDocument.of_target(aims.union), about.atlas.areas, about.counts.total, about.least
        )

    name = "target" if rows is TargetRows.SPILL else f"target-{rows}"
    return await answered(request, name, how, work, lambda table: table.rows(rows))


@router.get("/oddities", response_model=OddityTable, responses=AS_CSV)
async def oddities(
    request: Request, about: AskedDep, level: LevelDep = Table.COUNTRIES, how: FormatDep = Format.JSON
) -> InsightTable | Response:
    """Areas that jump against their own history, and whether that is people or machines.

    The last seven days against up to half a year of weeks before (Farrington et al. 1996).
    """

    def work() -> InsightTable:
        found, end = oddities_of(about, LEVELS[level]), oddities_end(about)
        return oddity_table(
            found,
            end or 0,
            LEVELS[level],
            about.atlas.areas,
            about.counts.total,
            about.least,
        )

    return await answered(request, "oddities", how, work)


@router.get("/gaps", response_model=GapTable, responses=AS_CSV)
async def gaps(
    request: Request, about: AskedDep, level: LevelDep = Table.METROS, how: FormatDep = Format.JSON
) -> InsightTable | Response:
    """Areas with fewer clicks than their people, or your other links, would give, and the dead zones that they form.

    Lower tail of the negative binomial with the spread estimated from the areas themselves, empirical-Bayes ratios,
    Benjamini-Hochberg across areas. Only areas with at least 5 expected clicks are tested.
    """

    def work() -> InsightTable:
        found = makers.gaps_of(about, LEVELS[level])
        return gap_table(found, about.atlas.areas, about.counts.total, about.least)

    return await answered(request, "gaps", how, work)


@router.get("/hotspots", response_model=HotspotTable, responses=AS_CSV)
async def hotspots(
    request: Request, about: AskedDep, level: LevelDep = Table.METROS, how: FormatDep = Format.JSON
) -> InsightTable | Response:
    """Areas with more clicks than they should have: alone, with their neighbours, and in circles.

    Upper tail as for gaps; Getis-Ord Gi* with the neighbours; for metros and counties Kulldorff's
    spatial scan statistic too.
    """

    def work() -> InsightTable:
        found = makers.hotspots_of(about, LEVELS[level])
        return hotspot_table(found, about.atlas.areas, about.counts.total, about.least)

    return await answered(request, "hotspots", how, work)


@router.get("/audience", response_model=Audience, responses=AS_CSV)
async def audience(
    request: Request,
    about: AskedDep,
    against: Annotated[
        str | None,
        Query(
            max_length=80,
            description="An area id: hold the profile against its residents. The nation's unless given; with a second "
            "filter, or `baseline=others`, against those clicks.",
        ),
    ] = None,
    how: FormatDep = Format.JSON,
) -> InsightTable | Response:
    """Who lives where the clicks come from: income, education, tenure, age and urbanicity as an index.

    Census figures of US ZIP codes, weighted by clicks and blended over each click's accuracy radius. They tell of the
    people who live there, not of those who clicked (ecological inference).
    """

    def work() -> InsightTable:
        area = None if against is None else about.atlas.areas.number(against)
        if against is not None and area is None:
            raise not_found(
                f"The atlas has no area {against!r}.", remedy="Find one with GET /api/areas?search=NAME."
            )
        return audience_table(makers.audience(about, area), about.counts.total, about.least)

    return await answered(request, "audience", how, work)


@router.get("/languages", response_model=LanguageTable, responses=AS_CSV)
async def languages(
    request: Request, about: AskedDep, how: FormatDep = Format.JSON
) -> InsightTable | Response:
    """Which languages the browsers of each country ask for, and which would be worth a translation.

    Known only of clicks that are kept one by one (`keep_clicks_days`).
    """

    def work() -> InsightTable:
        found = languages_of(about)
        return language_table(found, about.atlas.areas, about.counts.total, about.least)

    return await answered(request, "languages", how, work)


@router.get("/offers", response_model=OfferTable, responses=AS_CSV)
async def offers(
    request: Request,
    about: AskedDep,
    by: Annotated[Offer, Query(description="What to tell offers apart by.")] = Offer.CHANNEL,
    level: LevelDep = Table.REGIONS,
    how: FormatDep = Format.JSON,
) -> InsightTable | Response:
    """Which channels, tags or campaigns do well where: each against all the others, area by area."""

    def work() -> InsightTable:
        found = makers.offers_of(about, by, LEVELS[level])
        return offer_table(found, by, about.atlas.areas, about.counts.total, about.least)

    return await answered(request, "offers", how, work)
