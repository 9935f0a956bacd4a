"""Saved views: the page as it stood, under a name that everyone in the workspace sees."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from clickatlas.api.caller import CallerDep, EditorDep, HouseDep
from clickatlas.errors import invalid
from clickatlas.links import audit, views
from clickatlas.links.models import View

router = APIRouter(prefix="/api/views", tags=["views"])


def _printable(text: str) -> str:
    if any(unicodedata.category(letter) == "Cc" for letter in text):
        raise ValueError("has control characters")
    return text


def _query(text: str) -> str:
    """A query string as addresses carry it: characters that an address can't hold are refused."""
    text = text.removeprefix("?")
    if not text.isascii() or not text.isprintable() or any(letter in text for letter in ' "<>#'):
        raise ValueError("is no query string")
    return text


ViewName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100),
    AfterValidator(_printable),
    Field(description="1 to 100 characters, unlike any other view's here.", examples=["Spring in Europe"]),
]
Address = Annotated[
    str,
    StringConstraints(max_length=8000),
    AfterValidator(_query),
    Field(
        description="The page's query string, without a question mark.",
        examples=["campaign=spring&mode=areas"],
    ),
]


class ViewIn(BaseModel):
    """A new view."""

    model_config = ConfigDict(extra="forbid")
    name: ViewName
    address: Address


class ViewPatch(BaseModel):
    """What to change of a view; what is left out stays."""

    model_config = ConfigDict(extra="forbid")
    name: ViewName | None = None
    address: Address | None = None


class ViewOut(BaseModel):
    """A saved view."""

    id: int
    name: str
    address: str = Field(description="The page's query string: open it as /app?ADDRESS.")
    created_at: datetime
    created_by: str | None = Field(description="Whose it is; null where nobody of that name is left.")


class ViewList(BaseModel):
    """The workspace's views, by name."""

    rows: list[ViewOut]


Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.get("")
def listed(opened: HouseDep, who: CallerDep) -> ViewList:
    """The workspace's saved views, by name."""
    with opened.links.reading() as session:
        return ViewList(rows=[_shown(view) for view in views.listed(session, who.workspace)])


@router.post("", status_code=201)
def create(draft: ViewIn, opened: HouseDep, who: EditorDep) -> ViewOut:
    """Save a view. A name can be used once (409)."""
    with opened.links.writing() as session:
        view = views.create(session, who.workspace, who.person, name=draft.name, address=draft.address)
        audit.by(session, who, "view.create", view.name)
        return _shown(view)


@router.patch("/{view_id}")
def change(view_id: Number, patch: ViewPatch, opened: HouseDep, who: EditorDep) -> ViewOut:
    """Rename a view, or let it show something else."""
    fields = patch.model_dump(exclude_unset=True)
    for name, value in fields.items():
        if value is None:
            raise invalid(f"{name!r} can't be empty.", remedy="Leave it out to keep it.", field=name)
    with opened.links.writing() as session:
        view = views.change(session, views.find(session, who.workspace, view_id), fields)
        audit.by(session, who, "view.change", view.name)
        return _shown(view)


@router.delete("/{view_id}", status_code=204)
def delete(view_id: Number, opened: HouseDep, who: EditorDep) -> Response:
    """Forget a view. Nothing of what it shows is lost."""
    with opened.links.writing() as session:
        view = views.find(session, who.workspace, view_id)
        audit.by(session, who, "view.delete", view.name)
        session.delete(view)
    return Response(status_code=204)


def _shown(view: View) -> ViewOut:
    return ViewOut(
        id=view.id,
        name=view.name,
        address=view.address,
        created_at=view.created_at,
        created_by=(view.person.name or view.person.email) if view.person else None,
    )
