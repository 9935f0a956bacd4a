"""Everything that can be looked at from here, in the order a person would."""

from __future__ import annotations

from clickatlas.doctor import folder, parts, running, stopped
from clickatlas.doctor.finding import Finding
from clickatlas.processes import is_held
from clickatlas.settings import Settings


def examine(settings: Settings) -> list[Finding]:
    """Findings on the data folder, and on the server: what it says of itself, or what it left behind."""
    found = list(folder.look(settings.data, settings.database_url))
    if has_parts := parts.has_streets_apart(settings):
        found += parts.look(settings)
    if is_held(settings.data):
        found += running.look(settings)
    elif not has_parts:
        found += stopped.look(settings)
    if settings.clicks_url:
        from clickatlas.doctor import clickhouse

        found += clickhouse.look(settings)
    return found
