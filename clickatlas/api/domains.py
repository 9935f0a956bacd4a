"""A workspace's own domains, and what a reverse proxy asks before it gets a certificate for one."""

from __future__ import annotations

import ipaddress
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from clickatlas.api.caller import CallerDep, Callers, HouseDep, OwnerDep
from clickatlas.api.house import House
from clickatlas.errors import not_found
from clickatlas.links import audit, domains
from clickatlas.links.domains import LABEL, SAYS, Verdict
from clickatlas.links.models import Domain
from clickatlas.outside.dns import DnsError, NameServers

router = APIRouter(prefix="/api/domains", tags=["domains"])
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
HostName = Annotated[str, Field(min_length=1, max_length=255, examples=["go.example.com"])]


class DomainIn(BaseModel):
    """A domain that is wanted."""

    model_config = ConfigDict(extra="forbid")
    name: HostName = Field(description="A host's name alone; other letters than ASCII become punycode.")


class DomainPatch(BaseModel):
    """What to change of it."""

    model_config = ConfigDict(extra="forbid")
    primary: bool = Field(description="Whether new links are on it unless they say where.")


class Record(BaseModel):
    """A DNS record to set."""

    kind: Literal["TXT", "CNAME", "A", "AAAA"]
    name: str
    value: str
    why: str


class DomainOut(BaseModel):
    """A domain, and how it stands."""

    id: int
    name: str = Field(description="In plain ASCII: other letters are in punycode.")
    shown: str = Field(description="As people write it, in Unicode.")
    verified_at: datetime | None = Field(description="Since when it is proved to be the workspace's.")
    checked_at: datetime | None
    problem: str = Field(description='What the last check missed; "" where it missed nothing.')
    points_here: bool | None = Field(
        description="Whether it leads to this server, as far as DNS tells; null where that can't be told."
    )
    lost_at: datetime | None = Field(
        description="Since when it is known to lead here no longer: three daily looks in a row. Its links go on for whoever "
        "comes; no new certificate is had for it."
    )
    primary: bool
    links: int = Field(description="Links on it.")
    records: list[Record]


class DomainList(BaseModel):
    """The workspace's domains."""

    rows: list[DomainOut]
    default: str = Field(description="The installation's own host, where links without a domain are.")


class HeldDomain(BaseModel):
    """That a certificate may be had for it."""

    domain: str


@router.get("")
def listed(opened: HouseDep, who: CallerDep) -> DomainList:
    """The workspace's own domains, each with the DNS records that it needs."""
    with opened.links.reading() as session:
        rows = [
            _shown(opened, one, domains.links_on(session, one))
            for one in domains.listed(session, who.workspace)
        ]
    return DomainList(rows=rows, default=domains.host_of(opened.settings.base_url))


@router.post("", status_code=201)
def add(given: DomainIn, opened: HouseDep, who: OwnerDep) -> DomainOut:
    """Say which domain the workspace wants. It is theirs once its TXT record says so: set that, then check."""
    with opened.links.writing() as session:
        made = domains.add(session, who.workspace, given.name, opened.settings.base_url)
        audit.by(session, who, "domain.create", made.name)
        return _shown(opened, made, domains.links_on(session, made))


@router.get("/ask")
def ask(
    opened: HouseDep, domain: Annotated[str, Query(min_length=1, max_length=255, examples=["go.example.com"])]
) -> HeldDomain:
    """Whether a certificate may be had for a host: 200 for a verified domain that isn't lost, and our own; else 404. Needs no key.

    For a reverse proxy that gets certificates on demand: Caddy asks this by itself (`ask`).
    """
    name = domains.as_kept(domain)
    with opened.links.reading() as session:
        if name != domains.host_of(opened.settings.base_url) and not domains.is_held(session, name):
            raise not_found("That is no verified domain here.", "An owner adds it and sets its TXT record.")
    return HeldDomain(domain=name)


@router.post("/{domain_id}/check")
async def check(domain_id: Number, request: Request, opened: HouseDep, who: OwnerDep) -> DomainOut:
    """Look at a domain's DNS records now. A name server may answer as before for as long as it was told to."""

    def find() -> tuple[str, str]:
        with opened.links.reading() as session:
            found = domains.find(session, who.workspace, domain_id)
            return found.name, found.token

    name, token = await run_in_threadpool(find)
    callers: Callers = request.app.state.callers
    callers.checks.take(str(who.workspace))
    verdict = await look(
        NameServers(opened.settings.dns_servers), name, token, domains.host_of(opened.settings.base_url)
    )

    def note() -> DomainOut:
        with opened.links.writing() as session:
            found = domains.find(session, who.workspace, domain_id)
            before = found.verified_at
            domains.judge(session, found, verdict)
            if found.verified_at and not before:
                audit.by(session, who, "domain.verify", found.name)
            return _shown(opened, found, domains.links_on(session, found))

    return await run_in_threadpool(note)


@router.patch("/{domain_id}")
def change(domain_id: Number, given: DomainPatch, opened: HouseDep, who: OwnerDep) -> DomainOut:
    """Have new links be made on it, or no longer. One domain of a workspace is the primary one, or none."""
    with opened.links.writing() as session:
        found = domains.find(session, who.workspace, domain_id)
        domains.make_primary(session, found, given.primary)
        session.flush()
        audit.by(session, who, "domain.change", found.name, detail=f"primary: {given.primary}")
        return _shown(opened, found, domains.links_on(session, found))


@router.delete("/{domain_id}", status_code=204)
def remove(domain_id: Number, opened: HouseDep, who: OwnerDep) -> Response:
    """Let go of a domain. Its links and their clicks stay; they lead nowhere until it is back and verified."""
    with opened.links.writing() as session:
        found = domains.find(session, who.workspace, domain_id)
        audit.by(session, who, "domain.delete", found.name)
        domains.remove(session, found)
    return Response(status_code=204)


async def look(servers: NameServers, name: str, token: str, own: str) -> Verdict:
    """What DNS says of a domain: whether it is theirs, and whether it leads to where our `own` host does."""
    try:
        said = await servers.texts(f"{LABEL}.{name}")
    except DnsError as error:
        return Verdict(
            False, frozenset(), f"The name server gave no answer ({error}). Try again later.", None
        )
    proved = f"{SAYS}{token}".encode() in {one.strip() for one in said}
    problem = ""
    if not proved and said:
        problem = f"The TXT record of {LABEL}.{name} says something else. Its value has to be as below."
    elif not proved:
        problem = (
            f"There is no TXT record of {LABEL}.{name} yet. Set it; it may take some minutes to be seen."
        )
    points, where = await points_here(servers, name, own)
    return Verdict(proved, frozenset(one.strip() for one in said), problem or where, points)


async def points_here(servers: NameServers, name: str, own: str) -> tuple[bool | None, str]:
    """Whether `name` leads where `own` does, and if not, what is missing. A proxy's or a CDN's address is another."""
    try:
        theirs = await servers.addresses(name)
        if not theirs.addresses:
            return False, f"{name} has no address yet: set its CNAME."
        if theirs.alias == own:
            return True, ""
        ours = await servers.addresses(own)
    except DnsError:
        return None, ""
    if not ours.addresses:
        return None, ""  # our own host is an address, or known inside only
    if theirs.addresses & ours.addresses:
        return True, ""
    leads = ", ".join(sorted(theirs.addresses)[:3])
    return (
        False,
        f"{name} leads to {leads}, not to where {own} does. Behind a proxy of your own that may be right.",
    )


def _shown(opened: House, domain: Domain, links: int) -> DomainOut:
    own = domains.host_of(opened.settings.base_url)
    records = [
        Record(
            kind="TXT",
            name=f"{LABEL}.{domain.name}",
            value=f"{SAYS}{domain.token}",
            why="Shows that the domain is yours.",
        ),
        Record(kind=_way_to(own), name=domain.name, value=own, why="Leads its visitors here."),
    ]
    return DomainOut(
        id=domain.id,
        name=domain.name,
        shown=domains.as_read(domain.name),
        verified_at=domain.verified_at,
        checked_at=domain.checked_at,
        problem=domain.problem,
        points_here=domain.points_here,
        lost_at=domain.lost_at,
        primary=domain.is_primary,
        links=links,
        records=records,
    )


def _way_to(own: str) -> Literal["CNAME", "A", "AAAA"]:
    try:
        return "A" if ipaddress.ip_address(own).version == 4 else "AAAA"
    except ValueError:
        return "CNAME"
