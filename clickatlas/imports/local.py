"""Imports of the command line: into this machine's data folder, beside a running server and without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select

from clickatlas.atlas import files
from clickatlas.atlas.atlas import Atlas
from clickatlas.clicks.ingest import Ingest
from clickatlas.clicks.opening import open_store
from clickatlas.errors import Problem, not_found
from clickatlas.imports.importer import Choices
from clickatlas.imports.report import Report
from clickatlas.imports.run import Into, Watched, columns_of, import_path, preview
from clickatlas.links import keys
from clickatlas.links.database import LinksDatabase
from clickatlas.links.models import Workspace
from clickatlas.processes import is_held
from clickatlas.settings import Settings


def choices_of(
    zone: str, dates: str | None, within: float, *, dry: bool, again: bool, domain: str = ""
) -> Choices:
    """What was chosen, checked. Raises `Problem` (422)."""
    try:
        named = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Problem(
            422, "Import", f"There is no time zone {zone[:60]!r}.", remedy="Name one as Europe/Paris."
        ) from None
    return Choices(
        zone=named,
        order="dmy" if dates == "dmy" else "mdy" if dates == "mdy" else "",
        within_km=within,
        dry=dry,
        again=again,
        domain=domain,
    )


def bring_in_file(
    settings: Settings, file: Path, mapping: dict[str, str], told: dict[str, Any], watched: Watched
) -> Report:
    """Import `file`; the clicks stand in the spool then, and without a running server in the store. Raises `Problem`."""
    into, report = _into(settings, told["workspace"]), Report()
    import_path(into, file, mapping, _choices(told), report, watched)
    _into_store(settings, into.database)
    return report


def bring_in_service(
    settings: Settings, service: str, token: str, told: dict[str, Any], watched: Watched
) -> Report:
    """Import what `service` answers. Raises `Problem`."""
    from clickatlas.imports.services.ask import bring_in_from

    into, report = _into(settings, told["workspace"]), Report()
    bring_in_from(into, service, token, told["address"], _choices(told), report, watched)
    _into_store(settings, into.database)
    return report


def shown(file: Path, mapping: dict[str, str]) -> str:
    """The first rows of `file` and what its columns are taken for, for a terminal."""
    with file.open("rb") as content:
        looked = preview(content, file.name)
        lines = [f"{looked.table.kind}, columns: {', '.join(looked.table.names)}", ""]
        try:
            columns = columns_of(looked, mapping).columns
            lines += [f"  {role:<12} {column}" for role, column in columns.items()]
        except Problem as problem:
            lines += [f"  {role:<12} {guess.column}" for role, guess in looked.guessed.items()]
            lines += ["", f"{problem.detail} {problem.remedy}"]
        lines += ["", *(" | ".join(str(cell or "") for cell in row.values()) for row in looked.rows[:5])]
    return "\n".join(lines)


def _choices(told: dict[str, Any]) -> Choices:
    return choices_of(
        told["zone"],
        told["dates"],
        told["within"],
        dry=told["dry_run"],
        again=told["again"],
        domain=told["domain"],
    )


def _into(settings: Settings, workspace: int | None) -> Into:
    folder = files.current(settings.data / "atlas")
    assert folder is not None
    database = LinksDatabase(settings.data, settings.database_url)
    with database.writing() as session:
        person, own = keys.owner(session)
        if (
            workspace is not None
            and session.scalar(select(Workspace.id).where(Workspace.id == workspace)) is None
        ):
            raise not_found(
                f"There is no workspace {workspace}.", remedy="clickatlas person list names them."
            )
    return Into(settings, Atlas.open(folder), database, workspace or own, person)


def _into_store(settings: Settings, database: LinksDatabase) -> None:
    if is_held(settings.data):
        return
    store = open_store(
        settings.clicks_url, settings.data, memory=settings.store_memory, keep_days=settings.keep_clicks_days
    )
    ingest = Ingest(settings.data / "spool", store, database)
    while ingest.step():
        pass
    store.close()
