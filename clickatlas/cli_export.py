"""`clickatlas export`: every table as a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from clickatlas.flags import COMMON, migrated, with_settings
from clickatlas.settings import Settings

# As the API has them, written down so that `--help` needs none of its rooms; a test compares.
TABLES = ("clicks", "countries", "regions", "metros", "counties", "cities", "postal-codes", "links", "campaigns",
          "breakdown", "times")  # fmt: skip
FORMATS = ("csv", "ndjson", "parquet", "geojson")
PARTS = ("link", "campaign", "channel", "tag", "device", "browser", "system", "language", "referrer", "origin",
         "network", "way")  # fmt: skip
BUCKETS = ("hour", "day", "week", "month")
SORTS = ("clicks", "rate", "index", "name")
# Filters of several values: any of them lets a click through.
MANY = (
    ("link", "This link's clicks."),
    ("campaign", "This campaign's."),
    ("channel", "This channel's."),
    ("tag", "Of links with this tag."),
    ("device", "From desktop, mobile, tablet or other."),
    ("network", "Network kinds, or all  [default: all of clicks, people's (residential) of tables]"),
    ("area", "From this area: country:US, region:US-MA, zip:02139."),
    ("within", "Only placed clicks in this box (west,south,east,north) or polygon (lng,lat,lng,lat,…)."),
    ("browser", "With this browser."),
    ("system", "With this system."),
    ("language", "Who ask for this language first: en-US."),
    ("referrer", "From pages of this host."),
    ("origin", "From social, email, search and so on, or a name such as Instagram."),
)


def _filters(command: Any) -> Any:
    decorate: list[Callable[[Any], Any]] = [
        click.option(f"--{name}", name, multiple=True, help=f"{says} May be given several times.")
        for name, says in MANY
    ]
    for one in reversed(decorate):
        command = one(command)
    return command


@click.command("export")
@with_settings(*COMMON, "host", "port", "store_memory", "min_cell")
@click.argument("table", type=click.Choice(TABLES), default="clicks", metavar="[TABLE]")
@click.option("--format", "kind", type=click.Choice(FORMATS), help="[default: as --output ends, else csv]")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write [default: stdout]."
)
@click.option("--from", "from", help="First date or date-time.")
@click.option("--to", "to", help="Last date (inclusive) or date-time (exclusive).")
@click.option("--tz", default="UTC", show_default=True, help="IANA zone of day boundaries.")
@_filters
@click.option(
    "--by", type=click.Choice(PARTS), help="Of 'breakdown': what to break clicks down by [default: link]."
)
@click.option("--bucket", type=click.Choice(BUCKETS), help="Of 'times' [default: day].")
@click.option("--sort", type=click.Choice(SORTS), help="Of areas: what comes first [default: clicks].")
@click.option("--order", type=click.Choice(("asc", "desc")), help="Of areas.")
@click.option("--search", help="Of areas: only those whose name holds this.")
@click.option(
    "--limit", type=click.IntRange(1, 1_000_000), help="Of areas and 'breakdown': at most so many rows."
)
@click.option("--unplaced", is_flag=True, help="Of areas: only clicks that are never drawn as a point.")
def export(settings: Settings, table: str, kind: str | None, output: Path | None, **given: Any) -> None:
    """Write TABLE (clicks unless given) as CSV, NDJSON, Parquet or GeoJSON, beside a running server or without one.

    TABLE is clicks (one by one), countries, regions, metros, counties, cities, postal-codes, links, campaigns,
    breakdown or times. Columns: see docs/export.md.
    """
    from clickatlas.local_export import export
    from clickatlas.progress import Terminal

    ending = output.suffix.removeprefix(".") if output else ""
    asked = {
        name: list(value) if isinstance(value, tuple) else [_word(value)]
        for name, value in given.items()
        if value
    }
    if table == "clicks":
        asked.setdefault("network", ["all"])
    migrated(settings)
    rows = export(
        settings, table, kind or (ending if ending in FORMATS else "csv"), output, Terminal(), asked
    )
    if output:
        what = "clicks" if table == "clicks" else f"rows of {table}"
        click.echo(f"{rows:,} {what} written to {output}")


def _word(value: Any) -> str:
    return "true" if value is True else str(value)
