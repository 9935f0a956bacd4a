"""`clickatlas import`: links and clicks from files and from other services."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from clickatlas.errors import Problem
from clickatlas.flags import CITY, COMMON, with_settings
from clickatlas.settings import Settings


@click.command("import")
@with_settings(
    *COMMON,
    "host",
    "port",
    *CITY,
    "case_sensitive_codes",
    "blocked_hosts",
    "app_schemes",
    "store_memory",
    "fetch_networks",
    "fetch_ports",
)
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--from",
    "service",
    help="Ask a service instead of a file: bitly, shlink, yourls, kutt, dub, shortio, rebrandly.",
)
@click.option("--at", "address", default="", help="Where that service is, for those that you host yourself.")
@click.option("--map", "mapping", multiple=True, metavar="ROLE=COLUMN", help="Which column plays a role; '=text' for the same text in each row, "
              "nothing for none. May be given several times.")  # fmt: skip
@click.option("--zone", default="UTC", show_default=True, help="IANA zone of times that name none.")
@click.option(
    "--dates", type=click.Choice(["dmy", "mdy"]), help="How 05/12/2026 is read: day or month first."
)
@click.option(
    "--within",
    default=100.0,
    show_default=True,
    type=click.FloatRange(1, 1000),
    help="Km from a position to its place.",
)
@click.option("--workspace", type=int, help="Number of the workspace to import into [default: the first].")
@click.option(
    "--domain",
    default="",
    help="The workspace's verified domain that new links are on [default: this installation's host].",
)
@click.option("--preview", is_flag=True, help="Show the first rows and the mapping, and stop.")
@click.option("--dry-run", is_flag=True, help="Read all of it and report; change nothing.")
@click.option(
    "--refused",
    type=click.Path(dir_okay=False, path_type=Path),
    help="CSV to write refused rows and reasons to [default: stderr].",
)
@click.option("--again", is_flag=True, help="Also what was imported before: its clicks count twice then.")
def import_clicks(settings: Settings, file: Path | None, service: str | None, **told: Any) -> None:
    """Bring in links and clicks: all of the clicks or, where it is killed, none; what was imported before is not again.

    FILE is a table (CSV, NDJSON, JSON, Parquet, a SQL dump of YOURLS) or a web server's log, gzipped or not. Its
    columns are recognised by name and content: for clicks a time, a short code, and an address, a position or names of
    places; for links a code and a URL. See docs/import.md.
    """
    from clickatlas.imports.local import bring_in_file, bring_in_service, shown
    from clickatlas.serve import prepare

    if (file is None) == (service is None):
        raise Problem(
            422, "Import", "Give a file, or a service with --from.", remedy="clickatlas import --help"
        )
    if told["preview"] and file is not None:
        click.echo(shown(file, _columns(told["mapping"])))
        return
    prepare(settings).close()
    with _Bar(file.stat().st_size if file else 0) as bar:
        if file is not None:
            report = bring_in_file(settings, file, _columns(told["mapping"]), told, bar.watch)
        else:
            token = (
                click.prompt("API key", hide_input=True, err=True)
                if sys.stdin.isatty()
                else sys.stdin.readline().strip()
            )
            report = bring_in_service(settings, str(service), token, told, bar.watch)
    _tell_refused(report, told["refused"])
    click.echo(report.sentence())
    if report.refused and not (report.imported or report.new_links or report.known_links or report.repeated):
        sys.exit(1)


def _columns(mapping: tuple[str, ...]) -> dict[str, str]:
    columns = {}
    for pair in mapping:
        role, mark, column = pair.partition("=")
        if not mark:
            raise Problem(422, "Mapping", f"{pair!r} has no '='.", remedy="Write --map time=clicked_at.")
        columns[role.strip()] = column
    return columns


def _tell_refused(report: Any, target: Path | None) -> None:
    if target is not None:
        with target.open("w", encoding="utf-8", newline="") as out:
            out.writelines(report.refused_csv())
        return
    for row, why in report.refusals[:1000]:
        click.echo(f"row {row}: {why}", err=True)
    if report.refused > 1000:
        click.echo(f"and {report.refused - 1000:,} more: --refused FILE writes them down", err=True)


class _Bar:
    """Rows as they are read, on a terminal only."""

    def __init__(self, size: int) -> None:
        self._live = sys.stderr.isatty()

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            sys.stderr.write("\r\x1b[K")

    def watch(self, report: Any) -> None:
        """Show how far it is."""
        if self._live:
            part = f" ({report.part:.0%})" if report.part else ""
            sys.stderr.write(
                f"\r\x1b[K• {report.rows:,} rows read{part}, {report.imported:,} clicks, {report.refused:,} refused"
            )
            sys.stderr.flush()
