"""The tables of questions that are not about areas held against areas: audience, rhythm, target, oddities."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, Field

from clickatlas.api.columns import number, numbers, places
from clickatlas.api.geo import Table
from clickatlas.api.hours import Clock
from clickatlas.api.insight_tables import ADJUSTED, INTERVAL, TESTED, AreaColumns, InsightTable, table_of
from clickatlas.api.targets import TargetDocument
from clickatlas.api.times import Times
from clickatlas.atlas.areas import Areas, Level
from clickatlas.insight.audience import Profile
from clickatlas.insight.languages import Languages, name
from clickatlas.insight.oddity import ALPHA, PEOPLE, Oddities
from clickatlas.insight.rhythms import Peak
from clickatlas.insight.targeting import Targeting


class Audience(InsightTable):
    """Who lives where the clicks come from, by census figure. They live there; they are not those who clicked."""

    against: str = Field(description="What it is held against.")
    zips: int = Field(description="ZIP codes that the clicks come from.")
    abroad: int = Field(description="Clicks from outside the United States: nothing is known of them here.")
    untold: int = Field(description="Clicks of the United States that are not known to a ZIP code.")
    radius: float | None = Field(description="Km within which half the clicks are known, and no better.")
    surveyed: bool = Field(description="Whether the intervals hold the census's own margins of error.")
    figure: list[str]
    value: list[float | None] = Field(description="The mean over clicks: shares 0 to 1, dollars, years.")
    reference: list[float | None] = Field(description="The same of what it is held against.")
    index: list[float | None] = Field(description="100 × value / reference.")
    low: list[float | None] = Field(
        description=f"Lower end {INTERVAL} Null: too few clicks or ZIP codes to say."
    )
    high: list[float | None] = Field(description=f"Upper end {INTERVAL}")
    rough: list[float | None] = Field(
        description="The part of the interval's variance that the accuracy radius adds: 0 to 1."
    )
    even_low: list[float | None] = Field(
        description="The lowest index that an audience just like the reference could have, as the database has more addresses "
        "for some residents than for others. 100 against other clicks."
    )
    even_high: list[float | None] = Field(description="The highest; p is of an index between the two.")
    p: list[float | None] = Field(description=TESTED)
    q: list[float | None] = Field(description=ADJUSTED)
    clicks: list[int] = Field(description="Clicks whose surroundings tell the figure.")
    effective: list[float | None] = Field(
        description="So many independent clicks would be as sure (Kish 1965)."
    )


def audience_table(found: Profile, total: int, min_cell: int) -> Audience:
    """As the API has it."""
    return Audience(
        total=total,
        sample=found.clicks,
        min_cell=min_cell,
        against=found.against,
        zips=found.zips,
        abroad=found.abroad,
        untold=found.untold,
        radius=number(found.radius),
        surveyed=found.surveyed,
        figure=list(found.names),
        value=numbers(found.value),
        reference=numbers(found.reference),
        index=numbers(found.index),
        low=numbers(found.low),
        high=numbers(found.high),
        rough=numbers(found.rough),
        even_low=numbers(found.even_low),
        even_high=numbers(found.even_high),
        p=numbers(found.p),
        q=numbers(found.q),
        clicks=[round(told) for told in found.told.tolist()],
        effective=numbers(found.effective),
    )


class PeakHour(BaseModel):
    """An hour of the week, a weekday, or an hour of the day that stands out beyond chance."""

    weekday: int | None = Field(description="0 is Monday; null: every day.")
    hour: int | None = Field(description="Null: the whole day.")
    clicks: int
    ratio: float = Field(description="Over the average hour, or the average day.")
    low: float = Field(description="Lower end of the interval that holds for all that could be named (95 %).")
    high: float = Field(description="Upper end.")
    p: float = Field(description="The chance of the like if nothing recurred, after all that could be named.")


class Peaks(BaseModel):
    """What recurs beyond chance; null where nothing does."""

    week: PeakHour | None = Field(
        description="An hour of one weekday, more than hour and weekday alone make it."
    )
    hour: PeakHour | None = Field(description="An hour of the day.")
    weekday: PeakHour | None = Field(description="A weekday.")


class RhythmTable(InsightTable):
    """The 168 hours of the week, Monday 0:00 first."""

    clock: Clock
    weeks: int = Field(description="Whole weeks that the table rests on.")
    phi: float | None = Field(description="Clicks come in clumps of so many.")
    peaks: Peaks
    weekday: list[int] = Field(description="0 is Monday.")
    hour: list[int]
    clicks: list[int]
    ratio: list[float | None] = Field(description="Clicks over those of the average hour.")
    low: list[float | None] = Field(
        description="Lower end of the interval that holds for all hours at once (95 %)."
    )
    high: list[float | None] = Field(description="Upper end.")


class TargetRows(StrEnum):
    """Which of a target's figures a spreadsheet has."""

    SPILL = "spill"
    SHARE = "share"
    CHANNELS = "channels"
    SILENT = "silent"


SHARE = (
    "share", "low", "high", "inside", "uncertain", "outside", "untold", "share_all_networks", "residents", "unreached",
    "unreached_low", "unreached_high", "unreached_by_chance", "income_known", "unreached_income", "unreached_income_low",
)  # fmt: skip


class TargetTable(AreaColumns):
    """Whether clicks hit their target: the figures, and the areas that clicks outside it come from."""

    target: TargetDocument = Field(description="The target itself; of several all that is in any of them.")
    targets: int = Field(description="How many there are: each click is held against that of its own link.")
    all_links: bool = Field(
        description="Whether every link has one; else clicks of the others are in no figure."
    )
    share: float | None = Field(description="Of the clicks, inside the target.")
    low: float | None = Field(description=f"Lower end {INTERVAL}")
    high: float | None = Field(description=f"Upper end {INTERVAL}")
    inside: int = Field(description="Clicks certainly inside.")
    uncertain: int = Field(description="Clicks that may be inside or outside, by their accuracy radius.")
    outside: int = Field(description="Clicks certainly outside.")
    untold: int = Field(description="Clicks of no place that could be told.")
    share_all_networks: float | None = Field(description="The share with hosting, VPNs and bots.")
    channels: dict[str, tuple[float | None, float | None, float | None]] = Field(
        description="By channel: share, and the ends of its interval."
    )
    residents: float | None = Field(
        description="People who live in the target. Null where it can't be told who was not reached."
    )
    unreached: float | None = Field(description="Of them, those in areas without any click.")
    unreached_low: float | None = Field(
        description="At least so many: those in areas where having no click is hardly chance."
    )
    unreached_high: float | None = Field(
        description="At most so many: all in areas without any click, as `unreached` is; some had none by chance alone."
    )
    unreached_by_chance: float | None = Field(
        description="How many that would be if clicks came as people live."
    )
    income_known: float | None = Field(
        description="Share of the residents whose area has a known median household income: US ZIP codes."
    )
    unreached_income: float | None = Field(
        description="`unreached` weighed by income: of residents times median household income, the share in areas without any "
        "click. Null where no income is known."
    )
    unreached_income_low: float | None = Field(description="`unreached_low` weighed by income, a share.")
    silent: dict[str, float | None] = Field(
        description="Areas of the target, by id, with so few clicks that chance would hardly do it; their residents."
    )
    clicks: list[float | None] = Field(description="Clicks outside, an expected number.")
    part: list[float | None] = Field(description="Of all clicks.")
    part_low: list[float | None] = Field(description=f"Lower end {INTERVAL}")
    part_high: list[float | None] = Field(description=f"Upper end {INTERVAL}")

    def rows(self, table: TargetRows) -> dict[str, list[Any]]:
        """One of its parts as columns."""
        match table:
            case TargetRows.SHARE:
                return {name: [getattr(self, name)] for name in SHARE}
            case TargetRows.CHANNELS:
                ends = zip(*self.channels.values(), strict=True) if self.channels else ((), (), ())
                columns = zip(("share", "low", "high"), ends, strict=True)
                return {"channel": list(self.channels)} | {name: list(of) for name, of in columns}
            case TargetRows.SILENT:
                return {"ids": list(self.silent), "residents": list(self.silent.values())}
        return self.columns()


class OddityTable(AreaColumns):
    """Areas by how surely they jumped against their own history, the surest first."""

    level: Table
    days: int = Field(description="How long a piece of time is.")
    begins: datetime | None = Field(description="When the last piece begins: null without clicks.")
    ends: datetime | None = Field(description="When it ends.")
    pieces: int = Field(
        description="Pieces of history that the last one is held against; below 6 nothing is said."
    )
    clicks: list[int] = Field(description="In the last piece, of all network kinds.")
    expected: list[float | None]
    ratio: list[float | None]
    low: list[float | None] = Field(description=f"Lower end {INTERVAL}")
    high: list[float | None] = Field(description=f"Upper end {INTERVAL}")
    p: list[float | None] = Field(description=TESTED)
    q: list[float | None] = Field(description=ADJUSTED)
    found: list[bool] = Field(description="Whether it jumped beyond chance: what a card says.")
    people: list[int] = Field(description="Of the clicks, those of residential networks.")
    machines: list[float | None] = Field(description="The part of the jump that isn't people: 0 to 1.")


def _peak(found: Peak | None) -> PeakHour | None:
    if found is None:
        return None
    figures = {name: float(f"{getattr(found, name):.6g}") for name in ("ratio", "low", "high", "p")}
    return PeakHour(weekday=found.weekday, hour=found.hour, clicks=found.clicks, **figures)


def rhythm_table(found: Times | None, total: int, min_cell: int) -> RhythmTable:
    """As the API has it; without clicks a table without rows."""
    if found is None:
        return RhythmTable(
            total=total, sample=0, min_cell=min_cell, clock=Clock.READER, weeks=0, phi=None,
            peaks=Peaks(week=None, hour=None, weekday=None), weekday=[], hour=[],
            clicks=[], ratio=[], low=[], high=[],
        )  # fmt: skip
    told = found.rhythm
    return RhythmTable(
        total=total, sample=told.total, min_cell=min_cell, clock=Clock.PLACE if found.local else Clock.READER,
        weeks=told.weeks, phi=number(told.phi),
        peaks=Peaks(week=_peak(told.peak), hour=_peak(told.hour), weekday=_peak(told.weekday)), weekday=[at // 24 for at in range(168)],
        hour=[at % 24 for at in range(168)], clicks=numbers(told.clicks.ravel()), ratio=numbers(told.ratio.ravel()),
        low=numbers(told.low.ravel()), high=numbers(told.high.ravel()),
    )  # fmt: skip


def target_table(
    found: Targeting, target: TargetDocument, areas: Areas, total: int, min_cell: int
) -> TargetTable:
    """As the API has it."""
    people, reach = found.people, found.unreached
    return TargetTable(
        total=total, sample=people.clicks, min_cell=min_cell, **places(areas, found.spill.area),
        target=target, targets=found.targets, all_links=found.all_links, share=number(people.share), low=number(people.low), high=number(people.high), inside=people.inside,
        uncertain=people.uncertain, outside=people.outside, untold=people.untold,
        share_all_networks=number(found.everything.share) if found.everything else None,
        channels={
            name: (number(of.share), number(of.low), number(of.high)) for name, of in found.channels.items()
        },
        residents=number(reach.people) if reach else None,
        unreached=number(reach.unreached) if reach else None,
        unreached_low=number(reach.unreached_low) if reach else None,
        unreached_high=number(reach.unreached) if reach else None,
        unreached_by_chance=number(reach.by_chance) if reach else None,
        income_known=number(reach.income_known) if reach else None,
        unreached_income=number(reach.unreached_income) if reach else None,
        unreached_income_low=number(reach.unreached_income_low) if reach else None,
        silent={
            areas.id(area): number(living)
            for area, living in (zip(reach.area.tolist(), reach.population.tolist(), strict=True) if reach else ())
        },
        clicks=numbers(found.spill.clicks), part=numbers(found.spill.share), part_low=numbers(found.spill.low), part_high=numbers(found.spill.high),
    )  # fmt: skip


def oddity_table(
    found: Oddities | None, end: int, level: Level, areas: Areas, total: int, min_cell: int
) -> OddityTable:
    """As the API has it; `end` (ms) is that of the last piece. Without clicks a table without rows."""
    if found is None:
        return OddityTable(
            total=total, sample=0, min_cell=min_cell, **places(areas, ()), level=table_of(level), days=7, pieces=0,
            begins=None, ends=None, found=[], clicks=[], expected=[], ratio=[], low=[], high=[], p=[], q=[], people=[], machines=[],
        )  # fmt: skip
    people = found.now[found.kinds.index(PEOPLE)]
    columns = {
        name: numbers(getattr(found, name))
        for name in ("clicks", "expected", "ratio", "low", "high", "p", "q")
    }
    return OddityTable(
        total=total, sample=found.total, min_cell=min_cell, **places(areas, found.area), level=table_of(level),
        days=found.days, pieces=found.pieces, begins=datetime.fromtimestamp(end / 1000 - found.days * 86_400, UTC),
        ends=datetime.fromtimestamp(end / 1000, UTC), found=(found.q <= ALPHA).tolist(), **columns, people=numbers(people),
        machines=[number(found.machines(at)) for at in range(len(found.area))],
    )  # fmt: skip


class LanguageTable(AreaColumns):
    """Countries by language, the most clicks first; of clicks kept one by one."""

    own: str = Field(description="The workspace's own languages, with commas: most clicks ask for them.")
    unknown: int = Field(description="Clicks whose language is not known.")
    language: list[str] = Field(description="Primary tag, such as es.")
    language_name: list[str]
    clicks: list[int]
    share: list[float | None] = Field(description="Of the country's clicks.")
    low: list[float | None] = Field(description=f"Lower end {INTERVAL}")
    high: list[float | None] = Field(description=f"Upper end {INTERVAL}")
    candidate: list[bool] = Field(description="Worth a translation: not one of your own, and enough clicks.")


def language_table(found: Languages, areas: Areas, total: int, min_cell: int) -> LanguageTable:
    """As the API has it."""
    return LanguageTable(
        total=total, sample=found.known, min_cell=min_cell, **places(areas, found.country), own=", ".join(found.own),
        unknown=found.unknown, language=list(found.language), language_name=[name(one) for one in found.language],
        clicks=numbers(found.clicks), share=numbers(found.share), low=numbers(found.low), high=numbers(found.high),
        candidate=found.candidate.tolist(),
    )  # fmt: skip
