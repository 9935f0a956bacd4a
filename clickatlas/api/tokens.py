"""API tokens: made, listed and ended."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from clickatlas.api.caller import Callers, HouseDep, KeyholderDep
from clickatlas.errors import Problem, invalid, not_found
from clickatlas.links import audit, keys
from clickatlas.links.keys import Caller
from clickatlas.links.models import Key, now
from clickatlas.links.roles import ADMIN, SCOPES

router = APIRouter(prefix="/api/tokens", tags=["tokens"])
Scope = Literal["read", "links:write", "admin"]


class TokenIn(BaseModel):
    """A new token."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] = Field(
        description="What it is for.", examples=["newsletter script"]
    )
    scopes: list[Scope] = Field(
        default=["read", "links:write"],
        min_length=1,
        max_length=len(SCOPES),
        description="What it opens, within what its person may: `read` all that is shown; `links:write` links and "
        "views, made and changed; `admin` everything.",
    )
    expires_days: int | None = Field(None, ge=1, le=3650, description="Days until it ends; null: never.")


class TokenOut(BaseModel):
    """A token, without its secret."""

    id: int
    name: str
    scopes: list[str]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    used_on: date | None = Field(description="The last day it was used (UTC).")


class NewToken(TokenOut):
    """A token that was just made."""

    token: str = Field(description="The secret. It is shown this once.")


class TokenList(BaseModel):
    """Tokens, newest first."""

    rows: list[TokenOut]


@router.get("")
def listed(opened: HouseDep, who: KeyholderDep) -> TokenList:
    """Tokens of this workspace: an owner sees all, others see their own. No secrets."""
    with opened.links.reading() as database:
        found = keys.listed(database, keys.TOKEN, person=_whose(who), workspace=who.workspace)
        return TokenList(rows=[TokenOut.model_validate(_shown(key)) for key in found])


@router.post("", status_code=201)
def create(draft: TokenIn, opened: HouseDep, who: KeyholderDep) -> NewToken:
    """Make a token for oneself, which may no more than one may (403) and outlives no token that makes it (422)."""
    beyond = [scope for scope in draft.scopes if scope not in who.may]
    if beyond:
        raise Problem(403, "Not allowed", f"You may not give the scope '{beyond[0]}'.", remedy="Leave it out.",
                      extra={"scope": beyond[0]})  # fmt: skip
    lasts = timedelta(days=draft.expires_days) if draft.expires_days else None
    if who.kind == keys.TOKEN and who.expires_at and (lasts is None or now() + lasts > who.expires_at):
        raise invalid("A token can't outlive the one that makes it.", remedy="Give it fewer days.",
                      field="expires_days")  # fmt: skip
    with opened.links.writing() as database:
        secret = keys.issue(
            database, keys.TOKEN, who.person, who.workspace, name=draft.name, lasts=lasts,
            scopes=[scope for scope in SCOPES if scope in draft.scopes],
        )  # fmt: skip
        audit.by(database, who, "token.create", draft.name)
        made = keys.listed(database, keys.TOKEN, person=who.person, workspace=who.workspace)[0]
        return NewToken.model_validate({**_shown(made), "token": secret})


@router.delete("/{token_id}", status_code=204)
def end(
    token_id: Annotated[int, Path(ge=1, le=2**63 - 1)], request: Request, opened: HouseDep, who: KeyholderDep
) -> Response:
    """End a token: it opens nothing from the next request on."""
    callers: Callers = request.app.state.callers
    with opened.links.writing() as database:
        tokens = keys.listed(database, keys.TOKEN, person=_whose(who), workspace=who.workspace)
        found = next((key for key in tokens if key.id == token_id), None)
        if found is None:
            raise not_found("There is no such token.", remedy="GET /api/tokens lists them.")
        keys.end(database, token_id)
        audit.by(database, who, "token.delete", found.name)
    callers.forget([token_id])
    return Response(status_code=204)


def _whose(who: Caller) -> int | None:
    return None if ADMIN in who.may else who.person


def _shown(key: Key) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": key.scopes.split(),
        "created_at": key.created_at,
        "created_by": key.person.name or key.person.email or "",
        "expires_at": key.expires_at,
        "used_on": key.used_on,
    }
