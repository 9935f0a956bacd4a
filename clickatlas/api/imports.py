"""Links and clicks from files and from other services."""

from __future__ import annotations

import asyncio
import io
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from clickatlas.api.caller import CallerDep, EditorDep, HouseDep
from clickatlas.api.house import House
from clickatlas.api.uploads import beginning, poured
from clickatlas.errors import Problem, invalid, not_found
from clickatlas.imports.importer import Choices
from clickatlas.imports.jobs import Job, Pipe, State
from clickatlas.imports.local import choices_of
from clickatlas.imports.roles import ROLES
from clickatlas.imports.run import Into, columns_of, import_table, preview
from clickatlas.imports.services.ask import SERVICES, bring_in_from, service_of
from clickatlas.links import audit, domains, plans
from clickatlas.links.keys import Caller

router = APIRouter(prefix="/api/imports", tags=["imports"])
LOOKED_AT = 64 << 20  # bytes of a file that a preview reads at most
QUICK_S = 1.0  # an import that ends so soon after its upload is answered with its end
ANY_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file, as it is: CSV, NDJSON, JSON, Parquet, a SQL dump or an access log; gzipped or not.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
NameQuery = Annotated[
    str, Query(max_length=200, description="The file's name; its ending helps to tell what it is.")
]
MapQuery = Annotated[
    list[Annotated[str, Query(max_length=300)]],
    Query(
        alias="map",
        default_factory=list,
        max_length=60,
        description="ROLE=COLUMN, which column plays a role; `=text` for the same text in every row, nothing for none.",
    ),
]
SizeQuery = Annotated[
    int, Query(ge=0, le=1 << 45, description="Bytes that are sent, for `part`; 0: not said.")
]
ZoneQuery = Annotated[str, Query(max_length=60, description="IANA zone of times that name none.")]
DatesQuery = Annotated[
    Literal["dmy", "mdy"] | None, Query(description="How 05/12/2026 is read: day or month first.")
]
WithinQuery = Annotated[float, Query(ge=1, le=1000, description="Km from a position to its place.")]
DryQuery = Annotated[bool, Query(description="Read all of it and report; change nothing.")]
OnDomainQuery = Annotated[
    str,
    Query(
        max_length=255,
        description="The workspace's verified domain that new links are on; else the installation's own host.",
    ),
]
AgainQuery = Annotated[bool, Query(description="Also what was imported before: its clicks count twice then.")]
JobPath = Annotated[str, Path(alias="import", max_length=40, description="The import's id.")]


class Reason(BaseModel):
    """Why rows were refused."""

    reason: str
    rows: int


class Before(BaseModel):
    """What was said of the same file when it was imported."""

    imported: int
    refused: int
    new_links: int
    repeated: int
    known_links: int


class ReportOut(BaseModel):
    """What became of the rows so far."""

    rows: int
    imported: int = Field(description="Clicks.")
    refused: int = Field(description="Rows.")
    repeated: int = Field(description="Clicks that an earlier import had brought.")
    new_links: int
    known_links: int = Field(description="Links that are here already, leading to the same.")
    dry_run: bool
    placed: dict[str, int] = Field(
        description="Rows by how they were placed: address, position, name, nowhere."
    )
    coarser: int = Field(description="Of those by name: the city is not known, what is above it is.")
    farthest_km: float = Field(description="Of those by position: the farthest way to a place.")
    first: datetime | None
    last: datetime | None
    reasons: list[Reason]
    refusals_kept: int = Field(description="How many refused rows `refused.csv` names.")
    imported_before: Before | None = Field(
        description="Not null: this very file was imported before, and nothing was added."
    )


class ImportOut(BaseModel):
    """An import."""

    id: str
    name: str
    began: datetime
    state: State
    part: float | None = Field(
        description="How much of the file was read, 0 to 1; null where that is not known."
    )
    problem: dict[str, Any] | None = Field(description="Why it failed.")
    report: ReportOut


class ImportsOut(BaseModel):
    """The imports of a workspace since the server started, the newest first."""

    imports: list[ImportOut]


class RoleOut(BaseModel):
    """What a column can be."""

    role: str
    what: str


class GuessOut(BaseModel):
    """A column for a role."""

    role: str
    column: str
    sure: float = Field(description="1: by its name and its cells; 0.5: by one of them.")


class PreviewOut(BaseModel):
    """A file's beginning."""

    kind: str
    columns: list[str]
    rows: list[dict[str, str | None]]
    mapping: list[GuessOut]
    of_clicks: bool = Field(description="Rows are taken for clicks; else for links.")
    problem: str | None = Field(description="What is missing in the mapping.")
    roles: list[RoleOut]


class ServiceOut(BaseModel):
    """A service that can be asked."""

    service: str
    name: str
    address: str | None = Field(description="Where it is; null where everybody runs their own.")
    tells: str


class ServicesOut(BaseModel):
    """Services that can be asked."""

    services: list[ServiceOut]


class FromService(BaseModel):
    """What a service is asked with."""

    model_config = ConfigDict(extra="forbid")
    key: str = Field(min_length=1, max_length=500, description="An API key of that service; it is not kept.")
    address: str = Field(
        "", max_length=300, description="Where the service is, for those that people host themselves."
    )
    dry_run: bool = False
    again: bool = False
    domain: str = Field(
        "",
        max_length=255,
        description="The workspace's verified domain that new links are on; else the installation's own host.",
    )


@router.get("/services")
def services(who: CallerDep) -> ServicesOut:
    """Services that can be asked for links and clicks."""
    return ServicesOut(
        services=[
            ServiceOut(service=n, name=s.name, address=s.base or None, tells=s.tells)
            for n, s in SERVICES.items()
        ]
    )


@router.post("/preview", openapi_extra=ANY_FILE)
async def look(
    request: Request, opened: HouseDep, who: EditorDep, mapping: MapQuery, name: NameQuery = ""
) -> PreviewOut:
    """The first rows of a file, and what its columns seem to be. Its first 64 kB are enough, but for Parquet."""
    content, whole = await beginning(request, LOOKED_AT)
    if content[:4] == b"PAR1" and not whole:
        raise Problem(
            413,
            "Too large",
            "A Parquet file of this size can't be looked at here.",
            remedy="Start a dry run.",
        )
    return await run_in_threadpool(_previewed, content, name, _mapping(mapping))


def _previewed(content: bytes, name: str, told: dict[str, str]) -> PreviewOut:
    looked = preview(io.BytesIO(content), name, part=True)
    problem = None
    columns = {role: guess.column for role, guess in looked.guessed.items()}
    try:
        columns = dict(columns_of(looked, told).columns)
    except Problem as error:
        problem = f"{error.detail} {error.remedy}"
        columns |= {role: column for role, column in told.items() if column}
    sure = {role: guess.sure for role, guess in looked.guessed.items()}
    return PreviewOut(
        kind=looked.table.kind,
        columns=looked.table.names,
        rows=looked.rows,
        mapping=[
            GuessOut(role=r, column=c, sure=1.0 if r in told else sure.get(r, 1.0))
            for r, c in columns.items()
        ],
        of_clicks="time" in columns,
        problem=problem,
        roles=[RoleOut(role=role, what=what) for role, (what, _names) in ROLES.items()],
    )


@router.post("", openapi_extra=ANY_FILE, status_code=202)
async def bring_in_file(
    request: Request,
    opened: HouseDep,
    who: EditorDep,
    mapping: MapQuery,
    name: NameQuery = "file",
    size: SizeQuery = 0,
    zone: ZoneQuery = "UTC",
    dates: DatesQuery = None,
    within: WithinQuery = 100.0,
    dry_run: DryQuery = False,
    again: AgainQuery = False,
    domain: OnDomainQuery = "",
) -> ImportOut:
    """Import a file: all of its clicks or none, and what was imported before is not again.

    It is read as it comes, and nothing of it is written to a disk but the clicks as clickatlas keeps all clicks: without
    addresses. The answer comes when all was sent; ask for the import until its `state` is another than `running`.
    """
    choices = choices_of(zone, dates, within, dry=dry_run, again=again, domain=domain)
    told = _mapping(mapping)
    await run_in_threadpool(_checked_domain, opened, who, domain)
    pipe, into = Pipe(), _into(opened, who)
    whole = (opened.settings.import_mb << 20) // 4

    def work(job: Job) -> None:
        import_table(into, pipe, name, told, choices, job.report, job.watch, whole=whole)  # type: ignore[arg-type]
        _note(opened, who, job, choices)

    job = opened.imports.begin(who.workspace, name or "file", size, pipe, work)
    await poured(request, pipe)
    await asyncio.to_thread(job.over.wait, QUICK_S)
    return _shown(job)


@router.post("/services/{service}", status_code=202)
def bring_in_service(
    service: Annotated[str, Path(max_length=40, description="As `GET /api/imports/services` names it.")],
    asked: FromService,
    opened: HouseDep,
    who: EditorDep,
) -> ImportOut:
    """Ask another service for all links and clicks that its API tells of, and import them."""
    choices = choices_of("UTC", None, 100.0, dry=asked.dry_run, again=asked.again, domain=asked.domain)
    into = _into(opened, who)
    _checked_domain(opened, who, asked.domain)
    named = service_of(service, asked.key, asked.address)

    def work(job: Job) -> None:
        bring_in_from(
            into,
            service,
            asked.key,
            asked.address,
            choices,
            job.report,
            job.watch,
            cancelled=lambda: not job.wanted,
        )
        _note(opened, who, job, choices)

    return _shown(opened.imports.begin(who.workspace, named.name, 0, None, work))


@router.get("")
def imports(opened: HouseDep, who: CallerDep) -> ImportsOut:
    """The workspace's imports since the server started."""
    return ImportsOut(imports=[_shown(job) for job in opened.imports.of(who.workspace)])


@router.get("/{import}")
def one_import(job_id: JobPath, opened: HouseDep, who: CallerDep) -> ImportOut:
    """How far an import is, and what became of its rows."""
    return _shown(_found(opened, who, job_id))


@router.get(
    "/{import}/refused.csv",
    response_class=Response,
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "Row and reason."}
    },
)
def refused(job_id: JobPath, opened: HouseDep, who: CallerDep) -> Response:
    """The refused rows and why, up to 50,000 of them."""
    content = "".join(_found(opened, who, job_id).report.refused_csv())
    return Response(
        content,
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": 'attachment; filename="refused.csv"'},
    )


@router.delete("/{import}", status_code=204)
def stop(job_id: JobPath, opened: HouseDep, who: EditorDep) -> None:
    """Stop an import: none of its clicks are added. Links that it made stay."""
    job = _found(opened, who, job_id)
    job.wanted = False


def _found(opened: House, who: Caller, number: str) -> Job:
    job = opened.imports.find(who.workspace, number)
    if job is None:
        raise not_found(
            f"There is no import {number[:40]!r} here.",
            remedy="GET /api/imports lists those since the server started.",
        )
    return job


def _into(opened: House, who: Caller) -> Into:
    plan = plans.of(who.plan, opened.settings.default_plan)
    return Into(opened.settings, opened.atlas, opened.links, who.workspace, who.person, plan)


def _checked_domain(opened: House, who: Caller, domain: str) -> None:
    """Raises `Problem` (422) at once, not in the middle of an import."""
    if domain:
        with opened.links.reading() as session:
            domains.chosen(session, who.workspace, domains.unless_own(domain, opened.settings.base_url))


def _mapping(pairs: list[str]) -> dict[str, str]:
    told = {}
    for pair in pairs:
        role, mark, column = pair.partition("=")
        if not mark or role not in ROLES:
            raise invalid(
                f"{pair[:80]!r} is no mapping.",
                remedy="Write map=ROLE=COLUMN, such as map=time=clicked_at.",
                field="map",
            )
        told[role] = column
    return told


def _note(opened: House, who: Caller, job: Job, choices: Choices) -> None:
    if choices.dry or not (job.report.imported or job.report.new_links):
        return
    with opened.links.writing() as session:
        audit.by(session, who, "import.run", job.name, detail=job.report.sentence())


def _shown(job: Job) -> ImportOut:
    return ImportOut(
        id=job.id,
        name=job.name,
        began=job.began,
        state=job.state,
        part=job.report.part if job.size else None,
        problem=job.problem,
        report=ReportOut.model_validate(job.report.document()),
    )
