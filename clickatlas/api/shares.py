"""Shares: public maps, made, listed, changed and ended by those who may change links."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool

from clickatlas.api.caller import CallerDep, EditorDep, HouseDep
from clickatlas.api.embeds import address, iframe
from clickatlas.api.hashing import Hashing
from clickatlas.api.house import House
from clickatlas.api.share_forms import NewShare, ShareIn, ShareList, ShareOut, SharePatch, shown
from clickatlas.clicks.filter import Filter
from clickatlas.errors import Problem, invalid
from clickatlas.links import audit, passwords, shares
from clickatlas.links.keys import Caller
from clickatlas.links.models import now

router = APIRouter(prefix="/api/shares", tags=["shares"])
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.get("")
def listed(opened: HouseDep, who: CallerDep) -> ShareList:
    """The workspace's shared maps, newest first. Their addresses are not in it: only digests of them are kept."""
    with opened.links.reading() as session:
        rows = [ShareOut.model_validate(shown(session, one)) for one in shares.listed(session, who.workspace)]
        return ShareList(rows=rows)


@router.post("", status_code=201)
async def create(draft: ShareIn, request: Request, opened: HouseDep, who: EditorDep) -> NewShare:
    """Share a map of what a filter lets through. Whoever has its address sees it."""
    hashing: Hashing = request.app.state.hashing
    word = draft.password
    digest = await hashing.run(lambda: passwords.hashed(word)) if word else None
    return await run_in_threadpool(_create, draft, digest, opened, who)


def _create(draft: ShareIn, digest: str | None, opened: House, who: Caller) -> NewShare:
    _checked(draft, opened)
    with opened.links.writing() as session:
        if len(shares.listed(session, who.workspace)) >= shares.MOST:
            raise Problem(
                409, "Conflict", f"A workspace has at most {shares.MOST} shared maps.", remedy="End some."
            )
        fields = {
            "title": draft.title,
            "filter": draft.filter.kept(session, who.workspace),
            "min_cell": draft.min_cell,
            "mode": draft.mode,
            "password": digest,
            "embed": draft.embed,
            "origins": " ".join(draft.origins),
            "listed": draft.listed,
            "expires_at": draft.expires_at,
        }
        share, secret = shares.create(session, who.workspace, who.person, fields)
        audit.by(session, who, "share.create", share.title)
        return _new(opened, shown(session, share), secret)


def _checked(given: ShareIn | SharePatch, opened: House) -> None:
    if given.expires_at is not None and given.expires_at <= now():
        raise invalid("That moment is over.", remedy="Take a later one, or none.", field="expires_at")
    if given.filter is not None:
        # An area that the atlas doesn't know is said to who makes the share, not to those who open it.
        opened.questions.inside(opened.atlas, Filter(areas=tuple(given.filter.area)))


@router.patch("/{share_id}")
async def change(
    share_id: Number, patch: SharePatch, request: Request, opened: HouseDep, who: EditorDep
) -> ShareOut:
    """Change a shared map under the address that it has; who looks at it sees the change with the next answer."""
    for name in patch.model_fields_set - {"password", "expires_at"}:
        if getattr(patch, name) is None:
            raise invalid(f"{name!r} can't be empty.", remedy="Leave it out to keep it.", field=name)
    hashing: Hashing = request.app.state.hashing
    word = patch.password
    digest = await hashing.run(lambda: passwords.hashed(word)) if word else None
    return await run_in_threadpool(_change, share_id, patch, digest, opened, who)


def _change(number: int, patch: SharePatch, digest: str | None, opened: House, who: Caller) -> ShareOut:
    _checked(patch, opened)
    with opened.links.writing() as session:
        share = shares.find(session, who.workspace, number)
        for name in patch.model_fields_set:
            value = getattr(patch, name)
            if name == "password":
                value = digest
            elif name == "filter":
                value = value.kept(session, who.workspace)
            elif name == "origins":
                value = " ".join(value)
            setattr(share, name, value)
        audit.by(session, who, "share.change", share.title, detail=", ".join(sorted(patch.model_fields_set)))
        session.flush()
        return ShareOut.model_validate(shown(session, share))


@router.post("/{share_id}/renew")
def renew(share_id: Number, opened: HouseDep, who: EditorDep) -> NewShare:
    """Give a shared map a new address; the one before opens nothing from now on."""
    with opened.links.writing() as session:
        share = shares.find(session, who.workspace, share_id)
        secret = shares.renew(share)
        audit.by(session, who, "share.renew", share.title)
        return _new(opened, shown(session, share), secret)


@router.delete("/{share_id}", status_code=204)
def end(share_id: Number, opened: HouseDep, who: EditorDep) -> Response:
    """End a share: its address opens nothing from the next request on."""
    with opened.links.writing() as session:
        share = shares.find(session, who.workspace, share_id)
        audit.by(session, who, "share.delete", share.title)
        session.delete(share)
    return Response(status_code=204)


def _new(opened: House, fields: dict[str, object], secret: str) -> NewShare:
    url = address(opened.settings, secret)
    code = iframe(url, str(fields["title"])) if fields["embed"] else ""
    return NewShare.model_validate({**fields, "url": url, "iframe": code})
