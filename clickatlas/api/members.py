"""Who is in the workspace: listed, made owner, editor or viewer, taken out."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from clickatlas.api.caller import CallerDep, Callers, HouseDep, OwnerDep
from clickatlas.links import audit, members
from clickatlas.links.roles import ADMIN

router = APIRouter(prefix="/api/people", tags=["people"])
Role = Literal["owner", "editor", "viewer"]
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


class MemberOut(BaseModel):
    """Somebody in the workspace."""

    id: int
    name: str
    email: str | None = Field(description="Shown to owners.")
    role: str
    you: bool = Field(description="Whether it is the one that asks.")


class MemberList(BaseModel):
    """Everybody in the workspace, who came first first."""

    rows: list[MemberOut]


class RoleIn(BaseModel):
    """What somebody is to be."""

    model_config = ConfigDict(extra="forbid")
    role: Role


@router.get("")
def listed(opened: HouseDep, who: CallerDep) -> MemberList:
    """Who is in this workspace, and as what."""
    with opened.links.reading() as database:
        found = members.members(database, who.workspace)
    rows = [
        MemberOut(
            id=person.id,
            name=person.name,
            email=person.email if ADMIN in who.may or person.id == who.person else None,
            role=role,
            you=person.id == who.person,
        )
        for person, role in found
    ]
    return MemberList(rows=rows)


@router.patch("/{person_id}")
def change(person_id: Number, given: RoleIn, request: Request, opened: HouseDep, who: OwnerDep) -> MemberOut:
    """Make somebody owner, editor or viewer. It holds from their next request on; the last owner stays one (409)."""
    with opened.links.writing() as database:
        keys = members.change_role(database, who.workspace, person_id, given.role)
        database.flush()
        person, role = next(
            found for found in members.members(database, who.workspace) if found.person.id == person_id
        )
        audit.by(database, who, "person.change", person.name, detail=role)
    _forget(request, keys)
    return MemberOut(
        id=person.id, name=person.name, email=person.email, role=role, you=person.id == who.person
    )


@router.delete("/{person_id}", status_code=204)
def remove(person_id: Number, request: Request, opened: HouseDep, who: OwnerDep) -> Response:
    """Take somebody out of the workspace. Their sessions and tokens for it end at once; the last owner stays (409)."""
    with opened.links.writing() as database:
        name = next(
            (f.person.name for f in members.members(database, who.workspace) if f.person.id == person_id), ""
        )
        keys = members.remove(database, who.workspace, person_id)
        audit.by(database, who, "person.remove", name)
    _forget(request, keys)
    return Response(status_code=204)


def _forget(request: Request, keys: list[int]) -> None:
    callers: Callers = request.app.state.callers
    callers.forget(keys)
