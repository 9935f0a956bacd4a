"""`GET /metrics`: figures for Prometheus, for who has the token."""

from __future__ import annotations

import hmac
import logging
import os
import secrets
from pathlib import Path

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder

from clickatlas.api.armour import address_of
from clickatlas.api.collector import Figures
from clickatlas.api.limits import network_of
from clickatlas.errors import Problem
from clickatlas.settings import Settings

router = APIRouter(tags=["operation"])
log = logging.getLogger("clickatlas.metrics")


def token_file(data: Path) -> Path:
    """Where the token is that was made for this installation; only who may read the data folder can read it."""
    return data / "metrics.token"


def token(settings: Settings) -> str:
    """The token that `/metrics` asks for; empty where there is none."""
    if settings.metrics_token:
        return settings.metrics_token
    try:
        return token_file(settings.data).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def make_token(settings: Settings) -> None:
    """Make the token, unless there is one. A file, so that Prometheus can read it, too (`credentials_file`)."""
    if token(settings):
        return
    path = token_file(settings.data)
    new = path.with_suffix(".new")
    try:
        new.unlink(missing_ok=True)
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "w", encoding="ascii") as file:
            file.write(f"cam_{secrets.token_urlsafe(32)}\n")
        new.rename(path)
    except OSError as error:
        log.warning("no token for /metrics could be made, so nobody can read it: %s", error)


def registry_of(figures: Figures) -> CollectorRegistry:
    """A registry of this app's own: the house's figures and the process's."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(figures)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(request: Request) -> Response:
    """Figures for Prometheus; while the click store can't be opened, those that don't need it.

    Takes the token of `metrics_token` (or of the file `metrics.token` in the data folder), and no workspace's key:
    these are the whole installation's.
    """
    _may_read(request)
    encode, media_type = choose_encoder(request.headers.get("accept", ""))
    return Response(
        encode(request.app.state.registry), headers={"content-type": media_type, "cache-control": "no-store"}
    )


def _may_read(request: Request) -> None:
    guesses, network = request.app.state.callers.guesses, network_of(address_of(request))
    guesses.check(network)
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    wanted = token(request.app.state.settings)
    right = hmac.compare_digest(given.strip().encode("utf-8", "replace"), wanted.encode())
    if scheme.lower() == "bearer" and wanted and right:
        return
    if given:
        guesses.take(network)
    raise Problem(
        401,
        "Not for everybody",
        "The figures of this installation need their own token.",
        remedy="Send 'Authorization: Bearer TOKEN' with the token of metrics_token, or of metrics.token in the "
        "data folder.",
    )
