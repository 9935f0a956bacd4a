"""The workspaces that somebody is in: listed, made, gone to, left."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from clickatlas.api.caller import Callers, HouseDep, PersonDep
from clickatlas.api.entry import drop_cookie, entered, last_workspace, new_session
from clickatlas.errors import Problem, invalid, not_found
from clickatlas.links import audit, members
from clickatlas.links.members import Place

router = APIRouter(prefix="/api", tags=["people"])
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


class WorkspaceRow(BaseModel):
    """A workspace that one is in."""

    id: int
    name: str
    role: str
    current: bool


class WorkspaceList(BaseModel):
    """One's workspaces, by name."""

    rows: list[WorkspaceRow]


class WorkspaceIn(BaseModel):
    """A new workspace."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class Choice(BaseModel):
    """Where to go."""

    model_config = ConfigDict(extra="forbid")
    id: int = Field(ge=1, le=2**63 - 1)


class Leave(BaseModel):
    """That somebody means it."""

    model_config = ConfigDict(extra="forbid")
    confirm: str = Field(max_length=200, description="The workspace's name.")


@router.get("/workspaces")
def listed(opened: HouseDep, who: PersonDep) -> WorkspaceList:
    """The workspaces one is in, and as what."""
    with opened.links.reading() as database:
        found = members.places(database, who.person)
    rows = [
        WorkspaceRow(id=room.id, name=room.name, role=role, current=room.id == who.workspace)
        for room, role in found
    ]
    return WorkspaceList(rows=rows)


@router.post("/workspaces", status_code=201)
def create(given: WorkspaceIn, opened: HouseDep, who: PersonDep) -> WorkspaceRow:
    """Make a workspace of one's own. Owners may; others where sign-up is open (403)."""
    with opened.links.writing() as database:
        if opened.settings.sign_up != "open" and not members.owns_any(database, who.person):
            raise Problem(
                403, "Not allowed", "Only who owns a workspace may make another.", remedy="Ask an owner."
            )
        made = members.make_workspace(database, who.person, given.name)
        audit.record(database, made.id, who.person, "workspace.create", made.name)
        return WorkspaceRow(id=made.id, name=made.name, role="owner", current=False)


@router.put("/session/workspace", status_code=204)
def go(given: Choice, request: Request, opened: HouseDep, who: PersonDep) -> Response:
    """Go to another of one's workspaces: the session begins anew, there."""
    with opened.links.writing() as database:
        _own(members.places(database, who.person), given.id)
        secret = new_session(request, opened, database, who.person, given.id, "from another workspace")
    if secret is None:
        raise not_found("You are in no such workspace.", remedy="GET /api/workspaces lists yours.")
    return entered(request, opened, secret)


@router.post("/workspaces/{workspace_id}/leave", status_code=204)
def leave(workspace_id: Number, given: Leave, request: Request, opened: HouseDep, who: PersonDep) -> Response:
    """Leave a workspace. One's sessions and tokens for it end; the last owner stays (409)."""
    callers: Callers = request.app.state.callers
    with opened.links.writing() as database:
        place = _own(members.places(database, who.person), workspace_id)
        if given.confirm != place.workspace.name:
            raise invalid(
                "'confirm' is not the workspace's name.", remedy="Send its name, as it is.", field="confirm"
            )
        ended = members.remove(database, workspace_id, who.person)
        audit.record(database, workspace_id, who.person, "person.leave", who.person_name)
        database.flush()
        left = last_workspace(database, who.person)
        secret = None
        if workspace_id == who.workspace and left is not None:
            secret = new_session(request, opened, database, who.person, left, "from another workspace")
    callers.forget(ended)
    if secret is not None:
        return entered(request, opened, secret)
    response = Response(status_code=204)
    if workspace_id == who.workspace:
        drop_cookie(response, request, opened)
    return response


def _own(places: list[Place], workspace: int) -> Place:
    found = next((place for place in places if place.workspace.id == workspace), None)
    if found is None:
        raise not_found("You are in no such workspace.", remedy="GET /api/workspaces lists yours.")
    return found
