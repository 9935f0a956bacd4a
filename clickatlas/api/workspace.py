"""The workspace itself: named, and deleted with everything in it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from clickatlas.api.caller import Callers, HouseDep, OwnerDep
from clickatlas.errors import invalid
from clickatlas.imports import landing
from clickatlas.links import audit, keys, workspaces
from clickatlas.links.models import Workspace

router = APIRouter(prefix="/api/workspace", tags=["session"])


class Confirmation(BaseModel):
    """That somebody means it."""

    model_config = ConfigDict(extra="forbid")
    confirm: str = Field(max_length=200, description="The workspace's name.")


class WorkspaceDeleted(BaseModel):
    """What went with the workspace."""

    links: int
    people: int = Field(description="Who were in no other workspace.")


class WorkspaceName(BaseModel):
    """What to call it."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


@router.patch("", status_code=204)
def rename(given: WorkspaceName, request: Request, opened: HouseDep, who: OwnerDep) -> Response:
    """Rename the workspace."""
    with opened.links.writing() as session:
        found = session.get_one(Workspace, who.workspace)
        audit.by(session, who, "workspace.change", given.name, detail=f"{found.name} \u2192 {given.name}")
        found.name = given.name
        known = {
            key.id
            for kind in (keys.TOKEN, keys.SESSION)
            for key in keys.listed(session, kind, workspace=who.workspace)
        }
    callers: Callers = request.app.state.callers
    callers.forget(known)
    return Response(status_code=204)


@router.delete("")
def delete(sure: Confirmation, request: Request, opened: HouseDep, who: OwnerDep) -> WorkspaceDeleted:
    """Delete the workspace: links with all their clicks, views, keys, log and people. There is no way back.

    Only an owner may. Whoever is in other workspaces stays there; the clicks are gone within a second or so.
    """
    if sure.confirm != who.workspace_name:
        raise invalid(
            "'confirm' is not the workspace's name.", remedy="Send its name, as it is.", field="confirm"
        )
    with opened.links.writing() as session:
        gone = workspaces.delete(session, who.workspace)
    opened.links.clear_up()
    landing.forget(opened.settings.data, who.workspace)
    callers: Callers = request.app.state.callers
    callers.forget(gone.keys)
    return WorkspaceDeleted(links=gone.links, people=gone.people)
