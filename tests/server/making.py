"""Links for tests to click on."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import delete

from clickatlas.links import domains
from clickatlas.links.database import LinksDatabase
from clickatlas.links.models import Domain


def word() -> str:
    return f"w{secrets.token_hex(5)}"


def make(api: httpx.Client, **fields: Any) -> dict[str, Any]:
    body = {"url": "https://example.com/"} | fields
    answer = api.post("/api/links", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def wanted_domain(data: Path, workspace: int, name: str) -> dict[str, str]:
    """A domain that a workspace wants, in place of any before."""
    database = LinksDatabase(data)
    with database.writing() as session:
        session.execute(delete(Domain).where(Domain.workspace_id == workspace))
        made = str(domains.add(session, workspace, f"{word()}.{name}.example.com", "http://a.example").id)
    database.close()
    return {"domain": made}
