"""Links: made, listed, changed, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Header, Query, Response

from clickatlas.api.announcing import link_created
from clickatlas.api.caller import CallerDep, EditorDep, HouseDep
from clickatlas.api.cursor import position
from clickatlas.api.house import House
from clickatlas.api.link_forms import LinkIn, LinkOut, LinkPage, LinkPatch, LinkRow, Rule, Side
from clickatlas.api.targets import TargetDocument, checked_target
from clickatlas.clicks.filter import PEOPLE, Selection
from clickatlas.clicks.store import Integers
from clickatlas.errors import Problem, invalid
from clickatlas.links import audit, domains, links, passwords, plans, receipts
from clickatlas.links.destination import host_as_read, refuse_some
from clickatlas.links.links import LinkDraft, LinkQuery, Order
from clickatlas.links.models import Link
from clickatlas.links.utm import filled, with_utm
from clickatlas.links.ways import by_link, click_numbers

router = APIRouter(prefix="/api/links", tags=["links"])
DAYS = 30
KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Any words of yours: for a day, the same request with the same key is answered as the first time.",
    ),
]
NONE: list[str] = []  # FastAPI copies it; a default_factory would cost 50 µs a parameter


@router.post("", status_code=201)
def create(draft: LinkIn, opened: HouseDep, who: EditorDep, key: KeyHeader = None) -> LinkOut:
    """Shorten a link. Sent again with the same Idempotency-Key, it makes no second one."""
    checked_target(opened.atlas, draft.target)
    request = draft.model_dump(mode="json")
    with opened.links.writing() as session:
        if (before := receipts.answered(session, who.workspace, key, request)) is not None:
            return LinkOut.model_validate(before)
        plans.refuse_link(session, who.workspace, plans.of(who.plan, opened.settings.default_plan))
        own = domains.verified(session, who.workspace)
        link = links.create(session, who.workspace, draft_of(draft, opened, own), opened.settings.app_schemes)
        audit.by(session, who, "link.create", link.code, link=link.id, detail=link.url)
        made = shown(opened, link)
        link_created(session, who.workspace, made)
        receipts.keep(session, who.workspace, key, request, made.model_dump(mode="json"))
    opened.titles.want(link)
    return made


@router.get("")
def listed(
    opened: HouseDep,
    who: CallerDep,
    campaign: Annotated[list[str], Query()] = NONE,
    channel: Annotated[list[str], Query()] = NONE,
    tag: Annotated[list[str], Query()] = NONE,
    search: Annotated[str, Query(max_length=200)] = "",
    archived: Annotated[bool | None, Query(description="Archived links only, or all others only.")] = None,
    sort: Annotated[Order, Query(description="`clicks`: by people, most first.")] = "newest",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: str | None = None,
) -> LinkPage:
    """The workspace's links with their clicks."""
    at = position(cursor)
    query = LinkQuery(campaigns=campaign, channels=channel, tags=tag, search=search, archived=archived)
    kinds = [int(kind) for kind in PEOPLE]
    with opened.links.reading() as session:
        if sort == "newest":
            found, total = links.page(session, who.workspace, query, limit=limit + 1, before=at)
        else:
            counts: dict[int, int] = {}
            if sort == "clicks":
                mine = links.numbers(session, who.workspace, query)
                counts = by_link(opened.store.link_counts(Selection(links=tuple(mine)), kinds))
            order = links.ordered(session, who.workspace, query, sort, counts)
            total, start = len(order), at or 0
            found = links.of_numbers(session, order[start : start + limit + 1])
    more, found = len(found) > limit, found[:limit]
    numbers = sorted(number for link in found for number in click_numbers(link.id, link.ways_made))
    clicks = by_link(opened.store.link_counts(Selection(links=tuple(numbers)), kinds)) if numbers else {}
    series = by_link(opened.store.link_series(numbers, _day_edges(), kinds)) if numbers else {}
    rows = [
        LinkRow(
            **_fields(opened, link),
            clicks=clicks.get(link.id, 0),
            sparkline=series[link.id].tolist() if link.id in series else [0] * DAYS,
        )
        for link in found
    ]
    following = found[-1].id if more and sort == "newest" else (at or 0) + limit
    return LinkPage(rows=rows, next_cursor=str(following) if more else None, total=total)


@router.get("/{code}")
def one(code: str, opened: HouseDep, who: CallerDep) -> LinkOut:
    """One link."""
    with opened.links.reading() as session:
        return shown(opened, links.find(session, who.workspace, code))


@router.patch("/{code}")
def change(code: str, patch: LinkPatch, opened: HouseDep, who: EditorDep) -> LinkOut:
    """Change a link; redirects follow at once."""
    with opened.links.reading() as session:
        own = domains.verified(session, who.workspace)
    fields = fields_of(patch, opened, own)
    for name in ("url", "code", "pass_query", "status"):
        if name in fields and fields[name] is None:
            raise invalid(f"{name!r} can't be empty.", remedy="Leave it out to keep it.", field=name)
    checked_target(opened.atlas, patch.target)
    with opened.links.writing() as session:
        link = links.find(session, who.workspace, code)
        before = link.url
        link = links.change(session, link, fields, opened.settings.app_schemes)
        subject = link.code if link.code == code else f"{code} → {link.code}"
        names = ", ".join(sorted(fields))
        detail = f"{names}: {before} → {link.url}" if link.url != before else names
        audit.by(session, who, "link.change", subject, link=link.id, detail=detail)
        return shown(opened, link)


@router.delete("/{code}", status_code=204)
def delete(code: str, opened: HouseDep, who: EditorDep) -> Response:
    """Delete a link and all its clicks. There is no way back."""
    with opened.links.writing() as session:
        links.delete(session, [links.find(session, who.workspace, code)])
        audit.by(session, who, "link.delete", code)
    return Response(status_code=204)


def shown(opened: House, link: Link) -> LinkOut:
    """A link as the API shows it."""
    return LinkOut(
        **_fields(opened, link),
        rules=[Rule(**_shown_way(row)) for row in links.rows_of(link, split=False)],
        split=[Side(**_shown_way(row)) for row in links.rows_of(link, split=True)],
        target=TargetDocument.of(link.target),
    )


def _shown_way(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "way" and value}


def _fields(opened: House, link: Link) -> dict[str, Any]:
    return {
        "code": link.code,
        "domain": link.code.partition("@")[2] or None,
        "short_url": domains.short_url(opened.settings.base_url, link.code),
        "url": link.url,
        "host": host_as_read(link.url),
        "title": link.title,
        "campaign": link.campaign.name if link.campaign else None,
        "channel": link.channel,
        "tags": [tag.tag for tag in link.tags],
        "created_at": link.created_at,
        "starts_at": link.starts_at,
        "expires_at": link.expires_at,
        "max_clicks": link.max_clicks,
        "spent_at": link.spent_at,
        "has_password": link.password is not None,
        "status": link.status,
        "pass_query": link.pass_query,
        "archived_at": link.archived_at,
        "notes": link.notes,
        "sample": link.sample,
    }


def draft_of(form: LinkIn, opened: House, own: Sequence[str]) -> LinkDraft:
    """A new link, with its campaign parameters in its destination; `own` domains as `fields_of` has them. Raises `Problem` (422)."""
    fields = fields_of(form, opened, own)
    template = fields.pop("utm")
    if template:
        fields["url"] = with_utm(form.url, filled(template, fields))
    return LinkDraft(**fields)


def fields_of(form: LinkIn | LinkPatch, opened: House, own: Sequence[str]) -> dict[str, Any]:
    """What is set in `form`, as `LinkDraft` takes it. Raises `Problem` (422) for a destination that is not allowed.

    A destination on one of the workspace's `own` domains isn't: there are but short links.
    """
    fields = form.model_dump(include=form.model_fields_set if isinstance(form, LinkPatch) else None)
    settings = opened.settings
    urls = {"url": fields.get("url")}
    for kind in ("rules", "split"):
        urls |= {f"{kind}.{i}.url": way["url"] for i, way in enumerate(fields.get(kind) or ())}
    for at, url in urls.items():
        if url is not None:
            try:
                refuse_some(url, settings.base_url, settings.blocked_hosts, own, settings.app_schemes)
            except Problem as problem:
                problem.extra["field"] = at
                raise
    for i, rule in enumerate(fields.get("rules") or ()):
        if not any(rule[kind] for kind in ("countries", "regions", "devices", "languages")):
            raise invalid(
                f"The rule {rule['name']!r} has no condition.",
                remedy="Say whom it is for.",
                field=f"rules.{i}",
            )
    if "domain" in fields:
        fields["domain"] = domains.unless_own(fields["domain"], settings.base_url)
    if fields.get("password"):
        fields["password"] = passwords.hashed(fields["password"])
    if not settings.case_sensitive_codes and fields.get("code"):
        fields["code"] = fields["code"].lower()
    return fields


def _day_edges() -> Integers:
    """Midnights (ms UTC) around the last 30 days, today among them."""
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    last = int(tomorrow.timestamp() * 1000)
    return last - np.arange(DAYS, -1, -1, dtype=np.int64) * 86_400_000
