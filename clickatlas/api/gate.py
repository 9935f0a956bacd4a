"""What a plan doesn't hold is shut here, in one table, before a route is reached."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from fastapi import Request

from clickatlas.clicks.filter import moment
from clickatlas.errors import Problem
from clickatlas.links import keys, plans
from clickatlas.links.keys import Caller
from clickatlas.links.models import now
from clickatlas.settings import Settings


class Gate(NamedTuple):
    """Requests that need an entitlement: their path, or a parameter of theirs, looks like this."""

    entitlement: str
    path: str
    parameter: str = ""  # its name
    value: str = ""


POSTAL = r"postal-codes"
GATES = (
    Gate("export", r"/api/export/.*"),
    Gate("export", r"/api/insights.*", "format", "csv"),
    Gate("zip_level", rf"/api/analytics/geo/(.*/)?{POSTAL}"),
    Gate("zip_level", r"/api/areas/zip:.*"),
    Gate("zip_level", r"/api/insights/areas/zip:.*"),
    Gate("zip_level", r"/api/.*", "level", POSTAL),
    Gate("zip_level", r"/api/.*", "area", r"zip:.*"),
    Gate("zip_level", r"/api/.*", "b.area", r"zip:.*"),
    Gate("demographics", r"/api/insights/audience"),
)
# Here a filter says which clicks; without a first day it means all of them.
FILTERED = re.compile(
    r"/api/(analytics/(?!live)|heat/(areas|tilejson|tiles|surface|frames)|compare/|insights|export/)"
)
COMPARED = re.compile(r"/api/(compare/|insights/differences)")


def check(request: Request, who: Caller, settings: Settings) -> None:
    """Raise `Problem` (403) where the plan of the caller's workspace doesn't hold what `request` asks for."""
    plan = plans.of(who.plan, settings.default_plan)
    if plan.name == plans.UNLIMITED:
        return
    if who.kind == keys.TOKEN and not plan.api:
        raise plans.lacking(plan, "api")
    path, query = request.url.path, request.query_params
    for gate in GATES:
        if getattr(plan, gate.entitlement) or not re.fullmatch(gate.path, path):
            continue
        if not gate.parameter or any(re.fullmatch(gate.value, one) for one in query.getlist(gate.parameter)):
            raise plans.lacking(plan, gate.entitlement)
    if plan.history_days is None or not FILTERED.match(path):
        return
    since = now() - timedelta(
        days=plan.history_days + 1
    )  # a day's grace: days begin at other hours elsewhere
    starts = ["from", "b.from"] if COMPARED.match(path) else ["from"]
    for name in starts:
        start = query.get(name) or (query.get("from") if name != "from" else None)
        if not start or _when(start, query.get("tz", "UTC")) < since:
            raise plans.too_far_back(plan, since + timedelta(days=1))


def _when(start: str, zone: str) -> datetime:
    """When a filter begins; what can't be read is left to the filter, which says why."""
    try:
        return datetime.fromtimestamp(moment(start, zone, field="from") / 1000, UTC)
    except (Problem, ValueError, OverflowError, OSError):
        return datetime.max.replace(tzinfo=UTC)
