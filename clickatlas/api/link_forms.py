"""What the API takes and shows of a link."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from clickatlas.api.targets import TargetDocument
from clickatlas.api.utm import Utm

Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Title = Annotated[str, StringConstraints(max_length=500)]
Notes = Annotated[str, StringConstraints(max_length=5000)]
Secret = Annotated[str, StringConstraints(min_length=4, max_length=1000)]
DomainName = Annotated[str, StringConstraints(max_length=255)]
Country = Annotated[str, StringConstraints(to_upper=True, pattern="^[A-Za-z]{2}$")]
Region = Annotated[str, StringConstraints(to_upper=True, pattern="^[A-Za-z]{2}-[A-Za-z0-9]{1,3}$")]
Language = Annotated[str, StringConstraints(pattern="^[A-Za-z]{2,3}(-[A-Za-z]{2}|-[0-9]{3})?$")]
Device = Literal["desktop", "mobile", "tablet", "other"]
Status = Literal[301, 302, 307]
MOST = 50


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("is too far away in time") from None


Moment = Annotated[datetime, AfterValidator(_utc)]


class Rule(BaseModel):
    """Who is led elsewhere. Conditions of different kinds all hold; of one kind, any of its values does."""

    model_config = ConfigDict(extra="forbid")
    name: Word = Field(description="What its clicks are listed under; a rule that keeps its name keeps them.")
    url: str = Field(description="Where it leads.", examples=["https://example.com/de"])
    countries: list[Country] = Field(default_factory=list, max_length=300, examples=[["DE", "AT"]])
    regions: list[Region] = Field(default_factory=list, max_length=300, description="ISO 3166-2, as US-MA.")
    devices: list[Device] = Field(default_factory=list, max_length=4)
    languages: list[Language] = Field(
        default_factory=list, max_length=50, description="The one preferred most; de stands for de-AT, too."
    )


class Side(BaseModel):
    """One side of a split."""

    model_config = ConfigDict(extra="forbid")
    name: Word = Field(description="What its clicks are listed under.", examples=["A"])
    url: str | None = Field(
        None, description="Where it leads; the link's own destination where none is given."
    )
    weight: int = Field(1, ge=1, le=10_000, description="Its share is this of the sum of all sides.")


Rules = Annotated[
    list[Rule], Field(max_length=MOST, description="The first that holds for a visitor leads them elsewhere.")
]
Split = Annotated[
    list[Side],
    Field(
        max_length=MOST, description="Who is under no rule is led to one side, by weight; the same all day."
    ),
]


class LinkIn(BaseModel):
    """A new link."""

    model_config = ConfigDict(extra="forbid")
    url: str = Field(description="Where it leads.", examples=["https://example.com/spring"])
    code: str | None = Field(None, description="Its short code; drawn at random where none is given.")
    domain: DomainName | None = Field(
        None,
        description="Which of the workspace's verified domains it is on, or the installation's own host; else the "
        "workspace's primary domain, where it has one.",
    )
    title: Title = ""
    campaign: Name | None = None
    channel: Word | None = Field(None, description="How it is shared: email, social, sms, …")
    tags: list[Word] = Field(default_factory=list, max_length=MOST)
    expires_at: Moment | None = Field(
        None, description="From this moment on it answers 410. UTC unless it says."
    )
    starts_at: Moment | None = Field(None, description="Until this moment it answers 404.")
    max_clicks: int | None = Field(
        None, ge=1, le=10**12, description="After so many clicks by people it answers 410, a second later."
    )
    password: Secret | None = Field(None, description="Whoever follows it is asked for this first.")
    status: Status = Field(
        302, description="Of the redirect. None of them is kept by browsers: all are counted."
    )
    pass_query: bool = Field(False, description="Whether the visitor's query parameters go along.")
    archived: bool = Field(False, description="Put away from the list; it leads on.")
    notes: Notes = ""
    rules: Rules = Field(default_factory=list)
    split: Split = Field(default_factory=list)
    target: TargetDocument | None = Field(None, description="Where it is meant to be clicked.")
    utm: Utm | None = Field(None, description="Campaign parameters to put into the destination.")


class LinkPatch(BaseModel):
    """What to change of a link; what is left out stays."""

    model_config = ConfigDict(extra="forbid")
    url: str | None = None
    code: str | None = None
    domain: DomainName | None = Field(
        None,
        description="Moves it to another of the workspace's verified domains; null, or the installation's own host: "
        "there. The old address leads nowhere then.",
    )
    title: Title | None = None
    campaign: Name | None = None
    channel: Word | None = None
    tags: list[Word] | None = Field(None, max_length=MOST)
    expires_at: Moment | None = None
    starts_at: Moment | None = None
    max_clicks: int | None = Field(None, ge=1, le=10**12)
    password: Secret | None = Field(None, description="A new one; null: none from now on.")
    status: Status | None = None
    pass_query: bool | None = None
    archived: bool | None = None
    notes: Notes | None = None
    rules: Rules | None = None
    split: Split | None = None
    target: TargetDocument | None = Field(
        None, description="Where it is meant to be clicked; null: anywhere."
    )


class LinkFields(BaseModel):
    """What a link is."""

    code: str = Field(
        description="On a domain of the workspace's own with that behind it, as spring@go.example.com: this names the link."
    )
    domain: str | None = Field(
        description="The workspace's own domain that it is on; null: the installation's host."
    )
    short_url: str
    url: str = Field(description="Where it leads, in plain ASCII: a host of other letters is in punycode.")
    host: str = Field(
        description="The destination's host as people write it, in Unicode; an app's scheme, such as `myapp:`."
    )
    title: str
    campaign: str | None
    channel: str | None
    tags: list[str]
    created_at: datetime
    starts_at: datetime | None
    expires_at: datetime | None
    max_clicks: int | None
    spent_at: datetime | None = Field(description="When it had been clicked `max_clicks` times.")
    has_password: bool
    status: int
    pass_query: bool
    archived_at: datetime | None
    notes: str
    sample: bool


class LinkOut(LinkFields):
    """A link."""

    rules: list[Rule]
    split: list[Side]
    target: TargetDocument | None = Field(description="Where it is meant to be clicked; null: anywhere.")


class LinkRow(LinkFields):
    """A link in a list, with its people's clicks."""

    clicks: int
    sparkline: list[int] = Field(description="Clicks of each of the last 30 days (UTC), oldest first.")


class LinkPage(BaseModel):
    """Links, newest first."""

    rows: list[LinkRow]
    next_cursor: str | None
    total: int
