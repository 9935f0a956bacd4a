"""What the API takes and shows of a share: a public map."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy.orm import Session

from clickatlas.api.link_forms import Moment, Secret, Word
from clickatlas.api.views import ViewName
from clickatlas.clicks.filter import devices, moment, network_kinds, shapes, zone_info
from clickatlas.clicks.origins import origins
from clickatlas.errors import invalid
from clickatlas.links import shares
from clickatlas.links.models import Share

Names = Annotated[list[Word], Field(max_length=1000)]
Traits = Annotated[list[Annotated[str, StringConstraints(max_length=200)]], Field(max_length=1000)]
Text = Annotated[str, StringConstraints(max_length=10_000)]
_ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?")


def _origin(text: str) -> str:
    found = text.strip().lower().rstrip("/")
    if not _ORIGIN.fullmatch(found):
        raise ValueError("is no origin such as https://www.example.com or https://*.example.com")
    return found


Origin = Annotated[str, StringConstraints(max_length=200), AfterValidator(_origin)]


class ShareFilter(BaseModel):
    """Which clicks a share shows, for good. Of each kind any of its values; all of them where none is given."""

    model_config = ConfigDict(extra="forbid")
    link: Names = Field(
        default_factory=list, description="Link codes. A link that gets another code stays in."
    )
    campaign: list[Annotated[str, StringConstraints(min_length=1, max_length=200)]] = Field(
        default_factory=list, max_length=1000
    )
    channel: Names = Field(default_factory=list)
    tag: Names = Field(default_factory=list)
    device: list[Literal["desktop", "mobile", "tablet", "other"]] = Field(default_factory=list, max_length=4)
    network: list[Word] = Field(
        default_factory=list, max_length=10, description="Network kinds; people only unless given."
    )
    origin: Traits = Field(default_factory=list, description="Where clicks come from, as everywhere.")
    referrer: Traits = Field(default_factory=list, description="Hosts of referring pages.")
    browser: Traits = Field(default_factory=list)
    system: Traits = Field(default_factory=list)
    language: Traits = Field(default_factory=list)
    area: Names = Field(default_factory=list, description="Area ids such as country:US.")
    within: list[Text] = Field(default_factory=list, max_length=20, description="Drawn areas, as everywhere.")
    days: int | None = Field(
        None,
        ge=1,
        le=36_500,
        description="The last so many whole days, moving on; instead of `from` and `to`.",
    )
    start: date | None = Field(None, alias="from", description="First day, in the zone `tz`.")
    end: date | None = Field(None, alias="to", description="Last day.")
    tz: Annotated[str, StringConstraints(max_length=100)] = Field("UTC", description="IANA zone of days.")
    today: bool = Field(
        False,
        description="Whether today's clicks show at once. Else the map moves on at midnight, which keeps who looks "
        "again and again from seeing single clicks come in.",
    )

    def kept(self, session: Session, workspace: int) -> dict[str, Any]:
        """As it is stored. Raises `Problem` (404, 422)."""
        zone_info(self.tz)
        devices(self.device)
        network_kinds(self.network)
        shapes(self.within)
        origins(self.origin)
        if self.days and (self.start or self.end):
            raise invalid(
                "Either the last days, or from and to.", remedy="Leave one out.", field="filter.days"
            )
        start, end = (day.isoformat() if day else None for day in (self.start, self.end))
        first = moment(start, self.tz, field="from") if start else None
        last = moment(end, self.tz, field="to", is_end=True) if end else None
        if first is not None and last is not None and last <= first:
            raise invalid("'to' is not after 'from'.", remedy="Swap them.", field="filter.to")
        fields = {
            "links": shares.numbers_of(session, workspace, self.link),
            "campaigns": self.campaign, "channels": self.channel, "tags": self.tag, "devices": self.device,
            "networks": self.network, "areas": self.area, "within": self.within, "days": self.days,
            **{name: getattr(self, name) for name in shares.TRAITS},
            "from": start, "to": end, "tz": self.tz, "today": self.today,
        }  # fmt: skip
        return {name: value for name, value in fields.items() if value}


class ShareIn(BaseModel):
    """A new share."""

    model_config = ConfigDict(extra="forbid")
    title: ViewName = Field(description="What visitors read above the map.", examples=["Spring in Europe"])
    filter: ShareFilter = Field(default_factory=lambda: ShareFilter.model_validate({}))
    min_cell: int = Field(
        10, ge=2, le=100_000, description="No area with fewer clicks is shown, nor what would tell of one."
    )
    mode: Literal["heat", "clusters"] = Field("heat", description="How the map begins.")
    password: Secret | None = Field(None, description="What visitors have to know.")
    embed: bool = Field(True, description="Whether other pages may show it in a frame.")
    origins: list[Origin] = Field(
        default_factory=list, max_length=9, description="The only ones that may; any page may where none is given.",
        examples=[["https://www.example.com"]],
    )  # fmt: skip
    listed: bool = Field(False, description="Whether search engines may list it.")
    expires_at: Moment | None = None


class SharePatch(BaseModel):
    """What to change of a share; what is left out stays, its address too."""

    model_config = ConfigDict(extra="forbid")
    title: ViewName | None = None
    filter: ShareFilter | None = Field(None, description="All of it anew.")
    min_cell: int | None = Field(None, ge=2, le=100_000)
    mode: Literal["heat", "clusters"] | None = None
    password: Secret | None = Field(
        None, description="A new one, which shuts out who came in by the one before; null: none from now on."
    )
    embed: bool | None = None
    origins: list[Origin] | None = Field(None, max_length=9)
    listed: bool | None = None
    expires_at: Moment | None = Field(None, description="null: never.")


class ShareOut(BaseModel):
    """A share, without its secret."""

    id: int
    title: str
    filter: dict[str, Any] = Field(description="As it was given.")
    min_cell: int
    mode: str
    has_password: bool
    embed: bool
    origins: list[str]
    listed: bool
    created_at: datetime
    created_by: str | None
    expires_at: datetime | None


class NewShare(ShareOut):
    """A share that was just made, or got a new address."""

    url: str = Field(description="Where it is. Its address is shown this once; of it only a digest is kept.")
    iframe: str = Field(description="HTML that embeds it; empty where it may not be embedded.")


class ShareList(BaseModel):
    """The workspace's shares, newest first."""

    rows: list[ShareOut]


def shown(session: Session, share: Share) -> dict[str, Any]:
    """The fields of `ShareOut`."""
    kept = dict(share.filter)
    names = {"links": "link", "campaigns": "campaign", "channels": "channel", "tags": "tag",
             "devices": "device", "networks": "network", "areas": "area"}  # fmt: skip
    if numbers := kept.get("links"):
        kept["links"] = list(shares.codes_of(session, share.workspace_id, numbers))
    return {
        "id": share.id,
        "title": share.title,
        "filter": {names.get(name, name): value for name, value in kept.items()},
        "min_cell": share.min_cell,
        "mode": share.mode,
        "has_password": share.password is not None,
        "embed": share.embed,
        "origins": share.origins.split(),
        "listed": share.listed,
        "created_at": share.created_at,
        "created_by": (share.person.name or share.person.email) if share.person else None,
        "expires_at": share.expires_at,
    }
