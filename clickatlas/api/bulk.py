"""Many links at once, as JSON or CSV: each row by itself, so that one bad row keeps none of the others back."""

from __future__ import annotations

import csv
import io
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.orm import Session

from clickatlas.api.announcing import link_created
from clickatlas.api.caller import EditorDep, HouseDep
from clickatlas.api.house import House
from clickatlas.api.link_forms import LinkIn
from clickatlas.api.links import KeyHeader, draft_of, shown
from clickatlas.api.targets import checked_target
from clickatlas.errors import Problem, invalid
from clickatlas.links import audit, domains, links, plans, receipts
from clickatlas.links.keys import Caller
from clickatlas.links.models import Link

router = APIRouter(prefix="/api/links", tags=["links"])
MOST = 1000
COLUMNS = (
    "url", "code", "domain", "title", "campaign", "channel", "tags", "starts_at", "expires_at", "max_clicks", "password",
    "status", "pass_query", "notes",
)  # fmt: skip


class Bulk(BaseModel):
    """Links to make."""

    model_config = ConfigDict(extra="forbid")
    links: list[dict[str, Any]] = Field(
        max_length=MOST,
        description="Each as `POST /api/links` takes one.",
        examples=[[{"url": "https://example.com/a"}, {"url": "https://example.com/b", "code": "b"}]],
    )


class Refusal(BaseModel):
    """Why a row became no link."""

    row: int = Field(description="Counted from 1, a CSV's header left out.")
    detail: str
    remedy: str
    field: str | None


class MadeLink(BaseModel):
    """A row that became a link."""

    row: int
    code: str | None = Field(description="Null in a dry run where none was asked for.")
    short_url: str | None
    url: str


class BulkOut(BaseModel):
    """What became of each row."""

    made: list[MadeLink]
    refused: list[Refusal]
    dry_run: bool


OnDomain = Annotated[
    str | None,
    Query(
        max_length=255,
        description="The domain of rows that name none; else it is the workspace's primary domain, where it has one.",
    ),
]
DryRun = Annotated[bool, Query(description="Look at every row, and make nothing.")]


@router.post("/bulk")
def create_many(
    bulk: Bulk,
    opened: HouseDep,
    who: EditorDep,
    dry_run: DryRun = False,
    domain: OnDomain = None,
    key: KeyHeader = None,
) -> BulkOut:
    """Shorten up to 1,000 links at once. Rows that are refused keep none of the others back."""
    return _create(bulk.links, opened, who, dry_run, key, domain)


@router.post("/bulk.csv")
def create_from_csv(
    content: Annotated[bytes, Body(media_type="text/csv", description="UTF-8, with a header line.")],
    opened: HouseDep,
    who: EditorDep,
    dry_run: DryRun = False,
    domain: OnDomain = None,
    key: KeyHeader = None,
) -> BulkOut:
    """Shorten the links of a CSV file, up to 1,000.

    Columns are named as the fields of a link; `url` is needed. Several tags have semicolons between them.
    """
    return _create(rows_of(content), opened, who, dry_run, key, domain)


def rows_of(content: bytes) -> list[dict[str, Any]]:
    """The rows of a CSV file, empty cells left out. Raises `Problem` (422)."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise invalid("The file is not UTF-8.", remedy="Save it as CSV UTF-8.") from None
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        unknown = [name for name in names if name not in COLUMNS]
        if "url" not in names or unknown or len(set(names)) < len(names):
            what = (
                f"has unknown columns: {', '.join(unknown)[:200]}"
                if unknown
                else "has no column 'url', or one twice"
            )
            raise invalid(f"The file {what}.", remedy=f"Name the columns {', '.join(COLUMNS)}.")
        found: list[dict[str, Any]] = [
            {name: cell.strip() for name, cell in zip(names, row, strict=False) if cell.strip()}
            for row in reader
            if any(cell.strip() for cell in row)
        ]
    except csv.Error as error:
        raise invalid(f"The file can't be read: {error}.", remedy="Save it as CSV UTF-8.") from None
    if len(found) > MOST:
        raise invalid(f"The file has {len(found):,} rows.", remedy=f"Send {MOST:,} at a time.")
    for row in found:
        if "tags" in row:
            row["tags"] = [tag.strip() for tag in row["tags"].split(";") if tag.strip()]
    return found


def _create(
    rows: list[dict[str, Any]], opened: House, who: Caller, dry_run: bool, key: str | None, domain: str | None
) -> BulkOut:
    if domain is not None:
        rows = [{"domain": domain} | row for row in rows]
    made: list[MadeLink] = []
    refused: list[Refusal] = []
    new: list[Link] = []
    with opened.links.writing() as session:
        if (before := receipts.answered(session, who.workspace, key, rows)) is not None:
            return BulkOut.model_validate(before)
        plan = plans.of(who.plan, opened.settings.default_plan)
        own = domains.verified(session, who.workspace)
        domains.chosen(session, who.workspace, domains.unless_own(domain, opened.settings.base_url))
        left = plans.links_left(session, who.workspace, plan)
        with session.begin_nested() as attempt:
            for number, row in enumerate(rows, 1):
                try:
                    link = _one(
                        session, row, opened, who, own, None if left is None or len(new) < left else plan
                    )
                except ValidationError as error:
                    first = error.errors()[0]
                    field = ".".join(str(part) for part in first["loc"]) or None
                    refused.append(
                        Refusal(row=number, detail=f"{first['msg']}.", remedy="Mend this cell.", field=field)
                    )
                except Problem as problem:
                    refused.append(
                        Refusal(
                            row=number,
                            detail=problem.detail,
                            remedy=problem.remedy,
                            field=problem.extra.get("field"),
                        )
                    )
                else:
                    new.append(link)
                    code = None if dry_run and not row.get("code") else link.code
                    short = None if code is None else domains.short_url(opened.settings.base_url, code)
                    made.append(MadeLink(row=number, code=code, short_url=short, url=link.url))
            answer = BulkOut(made=made, refused=refused, dry_run=dry_run)
            if dry_run:
                attempt.rollback()
        if not dry_run:
            for link in new:
                link_created(session, who.workspace, shown(opened, link))
            receipts.keep(session, who.workspace, key, rows, answer.model_dump(mode="json"))
    if not dry_run:
        for link in new:
            opened.titles.want(link)
    return answer


def _one(
    session: Session,
    row: dict[str, Any],
    opened: House,
    who: Caller,
    own: list[str],
    used_up: plans.Plan | None,
) -> Link:
    draft = LinkIn.model_validate(row)
    checked_target(opened.atlas, draft.target)
    if used_up is not None:
        raise plans.no_more_links(used_up)
    link = links.create(session, who.workspace, draft_of(draft, opened, own), opened.settings.app_schemes)
    audit.by(session, who, "link.create", link.code, link=link.id, detail=link.url)
    return link
