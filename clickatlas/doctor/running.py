"""What a running server says of itself: its `/health`, `/metrics` and `/api/status`, over its own socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.exc import SQLAlchemyError

from clickatlas import local
from clickatlas.api.metrics import token
from clickatlas.doctor.finding import Finding, Level, broken, fine, warning
from clickatlas.doctor.streets import lost
from clickatlas.doctor.visitors import judge
from clickatlas.errors import Problem
from clickatlas.faults import FAULTS, Cause
from clickatlas.redirect.pulse import read_all
from clickatlas.settings import Settings

IN_THE_FOLDER = (Cause.ATLAS, Cause.DISK, Cause.ASIDE, Cause.DAMAGED)  # looked at there, with more to say
Figures = dict[str, float]


def look(
    settings: Settings,
    socket: Path | None = None,
    well: str = "The server is running, and counting keeps up.",
) -> Iterator[Finding]:
    """Findings on the server that runs on the data folder; of a part of it, asked at another `socket`."""
    try:
        health = json.loads(local.asked(settings, "/health", socket=socket)[1])
    except (OSError, ValueError):
        fault = FAULTS[Cause.APP]
        yield broken(fault.cause, "The server is running. " + fault.what, fault.mend)
        yield from lost(read_all(settings.data / "run"))
        return
    answered, figures = _figures(settings, socket)
    status = None if socket else _status(settings)
    faults = [fault for fault in health["faults"] if fault["name"] not in IN_THE_FOLDER]
    for fault in faults:
        more = _more(fault["name"], figures, status)
        yield Finding(Level(fault["severity"]), fault["name"], fault["what"] + more, fault["mend"])
    if not faults:
        yield fine("server", well)
    if answered == 200:
        yield fine("figures", _sentence(figures))
        if Cause.LOSING not in {fault["name"] for fault in faults}:
            yield from lost(read_all(settings.data / "run"))
    elif answered == 401:
        yield warning(
            "figures",
            "The server's figures can't be read: it has another metrics_token than this command.",
            "Give the same --metrics-token or CLICKATLAS_METRICS_TOKEN, or put it into clickatlas.toml.",
        )
    if status is not None:
        yield from judge(status["store"]["clicks"], status["store"]["private"], settings.trusted_proxies)


def _figures(settings: Settings, socket: Path | None) -> tuple[int, Figures]:
    """The answer's status, and all samples by name: summed over their labels but for buckets, which are left out."""
    headers = {"authorization": f"Bearer {token(settings)}"}
    try:
        status, body = local.asked(settings, "/metrics", headers, socket)
    except OSError:
        return 503, {}
    found: Figures = {}
    if status == 200:
        for family in text_string_to_metric_families(body.decode()):
            for sample in family.samples:
                if sample.name.startswith("clickatlas_") and not sample.name.endswith("_bucket"):
                    found[sample.name] = found.get(sample.name, 0.0) + sample.value
    return status, found


def _status(settings: Settings) -> dict[str, Any] | None:
    try:
        with local.answer(settings, "/api/status") as response:
            found: dict[str, Any] = json.loads(response.read())
    except (Problem, SQLAlchemyError):
        return None
    return found


def _more(name: str, figures: Figures, status: dict[str, Any] | None) -> str:
    """What the figures add to a fault."""
    if name == Cause.LAG and figures:
        seconds, clicks = (
            figures.get("clickatlas_spool_lag_seconds", 0.0),
            figures.get("clickatlas_spool_lag_clicks", 0.0),
        )
        return f" It is {seconds:,.0f} s behind; {clicks:,.0f} clicks wait in the spool."
    if name == Cause.FAILING and status and status["ingest"]["error"]:
        return f" It says: {status['ingest']['error']}"
    if name == Cause.LOSING and figures:
        when = datetime.fromtimestamp(figures.get("clickatlas_click_lost_timestamp_seconds", 0.0), UTC)
        many = figures.get("clickatlas_clicks_lost_total", 0.0)
        return f" So far {many:,.0f}, the last at {when:%Y-%m-%d %H:%M:%S} UTC."
    return ""


def _sentence(figures: Figures) -> str:
    redirects = figures.get("clickatlas_redirects_total", 0.0)
    took = figures.get("clickatlas_redirect_seconds_sum", 0.0)
    mean = f", {took / redirects * 1000:.2f} ms each" if redirects else ""
    clicks, size = figures.get("clickatlas_store_clicks"), figures.get("clickatlas_store_bytes", 0.0)
    if clicks is None and not size:  # the store is elsewhere
        return f"{redirects:,.0f} redirects answered{mean}."
    known = f"{clicks:,.0f} clicks in " if clicks is not None else ""
    return f"{redirects:,.0f} redirects answered{mean}; the store has {known}{size / 1e6:,.1f} MB."
