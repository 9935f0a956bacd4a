"""The commands that run for long: everything on one machine, or a part of it. What processes each has."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from clickatlas.errors import Problem
from clickatlas.processes import hold
from clickatlas.settings import Settings

APP, DESK, INGEST = "app", "desk", "ingest"
COUNTS, ANSWERS = "serve", "redirect"  # marks on a data folder: who counts its spool, who fills it


@dataclass(frozen=True)
class Role:
    """One of the commands: `beside` is the process beside the street workers, `marks` what no other may do on the folder."""

    name: str
    beside: str
    marks: tuple[str, ...]
    streets: bool = True

    @property
    def makes_atlas(self) -> bool:
        """Whether it builds an atlas where there is none: not at every start of one of many machines."""
        return self.beside == APP

    def hold(self, data: Path) -> list[int]:
        """Descriptors of the marks on `data`; raises `Problem` (409) where another process has one."""
        with ExitStack() as undo:
            taken = [hold(data, mark) for mark in self.marks[:1]]
            undo.callback(os.close, taken[0])
            taken += [hold(data, mark) for mark in self.marks[1:]]
            undo.pop_all()
        return taken


SERVE = Role("serve", APP, (COUNTS, ANSWERS))
REDIRECT = Role("redirect", DESK, (ANSWERS,))
THE_APP = Role("app", APP, (COUNTS,))
THE_INGEST = Role("ingest", INGEST, (COUNTS,), streets=False)


def lacking(settings: Settings, role: Role) -> Problem | None:
    """What `role` can't make itself and is not there."""
    from clickatlas.atlas.files import current

    if role is REDIRECT and current(settings.data / "atlas") is None:
        return Problem(
            503,
            "No atlas",
            f"There is no atlas in {settings.data}: no click could be placed.",
            remedy="Run 'clickatlas atlas update' on this folder, or copy the folder 'atlas' from another machine.",
        )
    if role in (REDIRECT, THE_INGEST) and not (
        settings.database_url or (settings.data / "links.sqlite").exists()
    ):
        return Problem(
            503,
            "No links",
            f"There are no links: {settings.data} has no links.sqlite, and database_url is empty.",
            remedy="Set database_url to the PostgreSQL database that the app uses, as on its machine; on one machine, "
            "give the app's data folder and start 'clickatlas app' first.",
        )
    if role is THE_INGEST and settings.database_url and not settings.clicks_url:
        return Problem(
            422,
            "Settings",
            "clicks_url is empty: the clicks would go to a DuckDB file on this machine, which no app on another can read.",
            remedy="Set clicks_url to the ClickHouse that the app uses (docs/clickhouse.md). A DuckDB file is for one "
            "machine: there 'clickatlas app' or 'clickatlas serve' counts the spool of its data folder itself.",
        )
    return None
