"""What is wrong with a PostgreSQL database, in words for its operator. The password is in none of them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from clickatlas.errors import Problem

OLDEST = 14  # of PostgreSQL's versions: the oldest that its makers still mend
REFUSES, SILENT = "PostgreSQL refuses", "PostgreSQL does not answer"
_CREATE = "CREATE ROLE clickatlas LOGIN PASSWORD '…'; CREATE DATABASE clickatlas OWNER clickatlas;"


class Away(Problem):
    """503: the server refuses or doesn't answer. What is known without it goes on, and it is tried again."""


def where(url: str) -> str:
    """Host, port and database of a URL, and nothing else that is in it."""
    parts = urlsplit(url)
    try:
        port = parts.port or 5432
    except ValueError:
        port = 5432
    host = parts.hostname or "this machine"
    return f"PostgreSQL at {f'[{host}]' if ':' in host else host}:{port}, database {parts.path.lstrip('/')}"


def problem(url: str, error: Exception) -> Away:
    """Why PostgreSQL refused, as its `error` says: 503."""
    at = where(url)
    said = _said(error, url)
    low = said.lower()
    if isinstance(error, PoolTimeout):
        return Away(503, REFUSES, f"{at}: all connections are busy.", remedy="Try again in a moment.")
    if "password authentication failed" in low or "no password supplied" in low:
        return Away(
            503, REFUSES, f"{at} refuses the user or password of database_url.",
            remedy="Correct database_url; special characters in a password are written as %40 for @, %2F for /.",
        )  # fmt: skip
    if "database" in low and "does not exist" in low:
        return Away(503, REFUSES, f"{at}: there is no such database.", remedy=f"Create it: {_CREATE}")
    if "role" in low and "does not exist" in low:
        return Away(503, REFUSES, f"{at}: there is no such user.", remedy=f"Create it: {_CREATE}")
    if "permission denied" in low:
        return Away(
            503, REFUSES, f"{at}: {said}.",
            remedy="Make the user of database_url the owner of the database, or grant it all on the schema public.",
        )  # fmt: skip
    if "lock timeout" in low:
        return Away(503, REFUSES, f"{at}: others are writing for long.", remedy="Try again in a moment.")
    if "read-only transaction" in low:
        return Away(
            503, REFUSES, f"{at} may only be read: it is a standby.",
            remedy="Name the primary in database_url; with several hosts, add ?target_session_attrs=read-write.",
        )  # fmt: skip
    return Away(
        503, SILENT, f"{at} does not answer: {said}.",
        remedy="Look whether it runs, can be reached from here, and lets this machine in (pg_hba.conf). Short links that "
        "are known here go on, and it is tried again.",
    )  # fmt: skip


def refuse_strange(connection: Connection, url: str, ours: frozenset[str]) -> None:
    """Raise `Problem` (503) where a database can't be ours: too old a server, or another program's tables."""
    at = where(url)
    version = int((connection.dialect.server_version_info or (0,))[0])
    if version < OLDEST:
        raise Problem(
            503, REFUSES, f"{at} is version {version}.", remedy=f"clickatlas needs {OLDEST} or newer."
        )
    tables = set(inspect(connection).get_table_names())
    strange = sorted(tables - ours - {"alembic_version"})
    known = "alembic_version" in tables
    if known:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        known = found is None or re.fullmatch(r"\d{4}", found) is not None
    if (tables and not known) or (known and tables and "links" not in tables and len(tables) > 1):
        named = ", ".join(strange[:5] or sorted(tables)[:5]) + (" and more" if len(strange) > 5 else "")
        raise Problem(
            503, REFUSES, f"{at} has another program's tables: {named}.",
            remedy=f"Give clickatlas a database of its own: {_CREATE}",
        )  # fmt: skip


def _said(error: Exception, url: str) -> str:
    """The first line of what the server or the driver says, without what must not be told."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    said = lines[-1] if lines and "failed:" in lines[0].lower() and len(lines) > 1 else (lines or ["?"])[0]
    said = said.rpartition("FATAL:")[2].strip() or said
    secret = urlsplit(url).password
    return (said.replace(secret, "…") if secret and len(secret) > 3 else said).rstrip(".")
