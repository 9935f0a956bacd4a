"""Notes at a time, for the charts: "Newsletter sent", "Poster up in Boston"."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from clickatlas.api.caller import CallerDep, EditorDep, HouseDep
from clickatlas.clicks.filter import YEARS, moment, zone_info
from clickatlas.errors import invalid
from clickatlas.links import annotation, audit, campaigns, links
from clickatlas.links.models import Annotation

router = APIRouter(prefix="/api/annotations", tags=["analytics"])
MANY = 500


def _printable(text: str) -> str:
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text):
        raise ValueError("has control characters")
    return text


def _near(at: datetime) -> datetime:
    if at.year not in YEARS or at.astimezone(UTC).year not in YEARS:
        raise ValueError(f"is not in the years {YEARS[0]} to {YEARS[-1]}")
    return at


def _when(at: AwareDatetime) -> datetime:
    try:
        return _near(at)
    except OverflowError:
        raise ValueError("is too far away") from None


When = Annotated[
    AwareDatetime,
    AfterValidator(_when),
    Field(description="With its offset, or Z.", examples=["2026-11-03T08:00:00Z"]),
]
Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=280),
    AfterValidator(_printable),
    Field(description="1 to 280 characters.", examples=["Newsletter sent"]),
]


class AnnotationIn(BaseModel):
    """A new note: of a link, of a campaign, or of the whole workspace where neither is given."""

    model_config = ConfigDict(extra="forbid")
    at: When
    text: Text
    link: str | None = Field(None, max_length=320, description="A link's code.")
    campaign: str | None = Field(None, max_length=200, description="A campaign's name.")


class AnnotationPatch(BaseModel):
    """What to change of a note; what is left out stays."""

    model_config = ConfigDict(extra="forbid")
    at: When | None = None
    text: Text | None = None


class AnnotationOut(BaseModel):
    """A note at a time."""

    id: int
    at: datetime
    text: str
    link: str | None = Field(description="The code of the link that it is of.")
    campaign: str | None = Field(description="The campaign that it is of.")
    created_by: str | None = Field(description="Whose it is; null where nobody of that name is left.")


class AnnotationList(BaseModel):
    """Notes, newest first."""

    rows: list[AnnotationOut]


Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
NONE: list[str] = []


@router.get("")
def listed(
    opened: HouseDep,
    who: CallerDep,
    link: Annotated[
        list[str],
        Query(
            max_length=1000,
            description="Links by code: their notes, their campaigns', and the workspace's own.",
        ),
    ] = NONE,
    campaign: Annotated[list[str], Query(max_length=1000, description="Campaigns by name, likewise.")] = NONE,
    start: Annotated[str | None, Query(alias="from", description="First date or date-time, in `tz`.")] = None,
    end: Annotated[
        str | None, Query(alias="to", description="Last date (inclusive), or date-time (exclusive).")
    ] = None,
    tz: Annotated[str, Query(description="IANA zone of day boundaries.")] = "UTC",
    limit: Annotated[int, Query(ge=1, le=MANY, description="At most so many, the newest.")] = MANY,
) -> AnnotationList:
    """Notes, newest first: all of the workspace, or what concerns some links and campaigns."""
    zone_info(tz)
    bounds = [
        None
        if text is None
        else datetime.fromtimestamp(moment(text, tz, field=field, is_end=last) / 1000, UTC)
        for text, field, last in ((start, "from", False), (end, "to", True))
    ]
    with opened.links.reading() as session:
        found = annotation.listed(
            session,
            who.workspace,
            links=link,
            campaigns=campaign,
            start=bounds[0],
            end=bounds[1],
            limit=limit,
        )
        return AnnotationList(rows=[_shown(one) for one in found])


@router.post("", status_code=201)
def create(draft: AnnotationIn, opened: HouseDep, who: EditorDep) -> AnnotationOut:
    """Note something at a time."""
    if draft.link is not None and draft.campaign is not None:
        raise invalid("A note is of a link or of a campaign.", remedy="Leave one out.", field="campaign")
    with opened.links.writing() as session:
        made = Annotation(workspace_id=who.workspace, person_id=who.person, at=draft.at, text=draft.text)
        if draft.link is not None:
            made.link_id = links.find(session, who.workspace, draft.link).id
        if draft.campaign is not None:
            made.campaign_id = campaigns.find(session, who.workspace, draft.campaign).id
        annotation.create(session, made)
        audit.by(session, who, "annotation.create", made.text, link=made.link_id)
        return _shown(made)


@router.patch("/{annotation_id}")
def change(annotation_id: Number, patch: AnnotationPatch, opened: HouseDep, who: EditorDep) -> AnnotationOut:
    """Change a note's words or its time."""
    fields = patch.model_dump(exclude_unset=True)
    with opened.links.writing() as session:
        found = annotation.find(session, who.workspace, annotation_id)
        for name, value in fields.items():
            if value is None:
                raise invalid(f"{name!r} can't be empty.", remedy="Leave it out to keep it.", field=name)
            setattr(found, name, value)
        audit.by(session, who, "annotation.change", found.text, link=found.link_id)
        session.flush()
        return _shown(found)


@router.delete("/{annotation_id}", status_code=204)
def delete(annotation_id: Number, opened: HouseDep, who: EditorDep) -> Response:
    """Forget a note."""
    with opened.links.writing() as session:
        found = annotation.find(session, who.workspace, annotation_id)
        audit.by(session, who, "annotation.delete", found.text, link=found.link_id)
        session.delete(found)
    return Response(status_code=204)


def _shown(one: Annotation) -> AnnotationOut:
    return AnnotationOut(
        id=one.id,
        at=one.at,
        text=one.text,
        link=one.link.code if one.link else None,
        campaign=one.campaign.name if one.campaign else None,
        created_by=(one.person.name or one.person.email) if one.person else None,
    )
