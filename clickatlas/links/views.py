"""Saved views: what the page shows, under a name."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clickatlas.errors import Problem, conflict, not_found
from clickatlas.links.models import View


def create(session: Session, workspace: int, person: int, *, name: str, address: str) -> View:
    """A new view; raises `Problem` (409) where the name is taken."""
    view = View(workspace_id=workspace, person_id=person, name=name, address=address)
    session.add(view)
    _flush(session, name)
    session.refresh(view)
    return view


def listed(session: Session, workspace: int) -> list[View]:
    """The workspace's views by name, capitals or not."""
    found = session.scalars(select(View).where(View.workspace_id == workspace)).all()
    return sorted(found, key=lambda view: (view.name.casefold(), view.name))


def find(session: Session, workspace: int, number: int) -> View:
    """The workspace's view `number`; raises `Problem` (404)."""
    view = session.scalars(
        select(View).where(View.workspace_id == workspace, View.id == number)
    ).one_or_none()
    if view is None:
        raise not_found(f"There is no view {number} here.", remedy="List yours with GET /api/views.")
    return view


def change(session: Session, view: View, fields: dict[str, Any]) -> View:
    """`view` with its `name` or `address` changed; raises `Problem` (409) where the name is taken."""
    for name, value in fields.items():
        setattr(view, name, value)
    _flush(session, view.name)
    return view


def _flush(session: Session, name: str) -> None:
    try:
        session.flush()
    except IntegrityError:
        session.rollback()
        raise _taken(name) from None


def _taken(name: str) -> Problem:
    return conflict(f"A view is called {name!r} already.", remedy="Choose another name, or change that view.")
