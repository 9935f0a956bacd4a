"""As whom identity providers know oneself, and no longer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from clickatlas.api.caller import Callers, HouseDep, PersonDep
from clickatlas.links import identities, keys

router = APIRouter(prefix="/api/profile/identities", tags=["session"])
Name = Annotated[str, Path(alias="identity", max_length=64, description="As the list has its `id`.")]


class IdentityRow(BaseModel):
    """An identity at a provider that opens one's account."""

    id: str = Field(examples=["9f86d081884c7d659a2feaa0c55ad015"])
    provider: str = Field(
        description="The provider's name, or its issuer where it is another than today's.",
        examples=["Acme ID"],
    )
    since: datetime
    in_use: bool = Field(description="Whether people come by this provider now.")


class IdentityList(BaseModel):
    """One's own identities, the oldest first."""

    rows: list[IdentityRow]


@router.get("")
def listed(opened: HouseDep, who: PersonDep) -> IdentityList:
    """As whom identity providers know oneself."""
    settings = opened.settings
    with opened.links.reading() as database:
        rows = [
            IdentityRow(
                id=identities.name_of(one),
                provider=settings.oidc_name if one.issuer == settings.oidc_issuer else one.issuer,
                since=one.created_at,
                in_use=one.issuer == settings.oidc_issuer,
            )
            for one in identities.of(database, who.person)
        ]
    return IdentityList(rows=rows)


@router.delete("/{identity}", status_code=204)
def part(name: Name, request: Request, opened: HouseDep, who: PersonDep) -> Response:
    """Come by this identity no longer. All other sessions end: some may have begun by it.

    The last way in stays (409). Who comes by the provider again with one's own verified address is joined again.
    """
    with opened.links.writing() as database:
        identities.part(
            database,
            who.person,
            name,
            issuer=opened.settings.oidc_issuer or None,
            by_mail=opened.post.is_set,
        )
        ended = keys.end_sessions(database, who.person, but=who.key)
    callers: Callers = request.app.state.callers
    callers.forget(ended)
    return Response(status_code=204)
