"""The command line. Each command opens only the rooms it needs, so that `--help` is quick."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from clickatlas import __version__
from clickatlas.errors import Problem
from clickatlas.settings import Settings, load

COMMON = ("data", "cache", "public_url")
CITY = ("city_file", "city_package", "maxmind_account", "maxmind_key", "maxmind_edition")


def _option(name: str) -> Callable[[Any], Any]:
    field = Settings.model_fields[name]
    shown = ",".join(field.default) if isinstance(field.default, tuple) else field.default
    help_text = f"{field.description} [default: {shown}]" if shown not in ("", None) else field.description
    kind: dict[str, Any] = {"type": str}
    if field.annotation is bool:
        flag = name.replace("_", "-")
        return click.option(f"--{flag}/--no-{flag}", name, default=None, help=help_text)
    return click.option(f"--{name.replace('_', '-')}", name, default=None, help=help_text, **kind)


def with_settings(*names: str) -> Callable[[Any], Any]:
    """Give a command the flags of these settings and `--config`; it gets one `Settings` in their place."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        def command(config: Path | None, **given: Any) -> Any:
            flags = {name: given.pop(name) for name in names}
            return function(load(flags, config), **given)

        command.__name__, command.__doc__ = function.__name__, function.__doc__
        command.__dict__.update(function.__dict__)
        decorated: Any = click.option(
            "--config",
            type=click.Path(path_type=Path, dir_okay=False),
            default=None,
            help="Settings file (TOML) [default: clickatlas.toml in the data folder].",
        )(command)
        for name in reversed(names):
            decorated = _option(name)(decorated)
        return decorated  # type: ignore[no-any-return]

    return decorate


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="clickatlas")
def cli() -> None:
    """Short links, and where in the world people click them."""


@cli.command()
@with_settings(*Settings.model_fields)
def serve(settings: Settings) -> None:
    """Run clickatlas: builds the atlas and migrates first where that's needed."""
    from clickatlas.serve import serve

    serve(settings)


@cli.command("app", hidden=True)
@with_settings(*Settings.model_fields)
def run_app(settings: Settings) -> None:
    """Run only the app process (`serve` starts it by itself)."""
    from clickatlas.processes import run_app

    run_app(settings)


@cli.command("sign-in")
@with_settings(*COMMON, "host", "port")
def sign_in(settings: Settings) -> None:
    """Print a new one-time link that signs the owner in."""
    from clickatlas.serve import sign_in_link

    _migrated(settings)
    click.echo(sign_in_link(settings))


@cli.command()
@with_settings(*COMMON, *CITY)
@click.option("--remove", is_flag=True, help="Remove the sample links and their clicks again.")
@click.option(
    "--clicks", default=220_000, show_default=True, type=click.IntRange(1), help="How many clicks to make up."
)
@click.option("--seed", default=7, show_default=True, help="The same seed makes the same clicks.")
def demo(settings: Settings, remove: bool, clicks: int, seed: int) -> None:
    """Fill the map with sample clicks: 12 links, 4 campaigns, 5 channels, 90 days."""
    from clickatlas.demo import add_sample, remove_sample
    from clickatlas.serve import prepare

    prepare(settings)
    click.echo(remove_sample(settings) if remove else add_sample(settings, clicks, seed))


@cli.group()
def token() -> None:
    """Tokens for the API."""


@token.command("create")
@with_settings(*COMMON)
@click.option("--name", required=True, help="What the token is for.")
def token_create(settings: Settings, name: str) -> None:
    """Make an API token and print it, and nothing else. It is shown only once."""
    from clickatlas.links import audit, keys

    with _migrated(settings).writing() as session:
        person, workspace = keys.owner(session)
        secret = keys.issue(session, keys.TOKEN, person, workspace, name=name)
        audit.record(session, workspace, person, "token.create", name)
    click.echo(secret)


@cli.group()
def link() -> None:
    """Short links."""


@link.command("create")
@with_settings(*COMMON, "host", "port", "case_sensitive_codes", "blocked_hosts")
@click.argument("url")
@click.option("--code", help="Its short code; drawn at random unless given.")
@click.option("--title", default="", help="A name for people.")
@click.option("--campaign", help="The campaign it belongs to.")
@click.option("--channel", help="How it is shared: email, social, qr, sms, …")
@click.option("--tag", "tags", multiple=True, help="A tag; may be given several times.")
def link_create(settings: Settings, url: str, code: str | None, **fields: Any) -> None:
    """Shorten URL and print the short address."""
    from clickatlas.links import audit, keys, links
    from clickatlas.links.destination import refuse_some

    if code and not settings.case_sensitive_codes:
        code = code.lower()
    refuse_some(url, settings.base_url, settings.blocked_hosts)
    with _migrated(settings).writing() as session:
        person, workspace = keys.owner(session)
        made = links.create(session, workspace, links.LinkDraft(url=url, code=code, **fields))
        audit.record(session, workspace, person, "link.create", made.code)
        click.echo(f"{settings.base_url}/{made.code}")


@link.command("list")
@with_settings(*COMMON, "host", "port")
@click.option("--search", default="", help="Only links whose code, title, address or campaign has this.")
@click.option("--limit", default=100, show_default=True, help="At most so many.")
def link_list(settings: Settings, search: str, limit: int) -> None:
    """List links, newest first: code, destination, title."""
    from clickatlas.links import keys, links

    with _migrated(settings).writing() as session:
        _person, workspace = keys.owner(session)
        found, total = links.page(session, workspace, links.LinkQuery(search=search), limit=limit)
        for one in found:
            click.echo(f"{one.code}\t{one.url}\t{one.title}")
    if total > len(found):
        click.echo(f"({total - len(found)} more: raise --limit)", err=True)


@cli.command("import")
@with_settings(*COMMON, "host", "port", *CITY, "case_sensitive_codes", "store_memory")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_clicks(settings: Settings, file: Path) -> None:
    """Bring in clicks from FILE (CSV or NDJSON).

    Columns: time (ISO or Unix seconds), code, and either ip or lat and lon; optional: url,
    user_agent, referrer, language. An unknown code becomes a link when url is there. Every
    refused row is reported with its reason.
    """
    from clickatlas.clicks.imports import import_file
    from clickatlas.serve import prepare

    prepare(settings)
    report = import_file(settings, file, refused=lambda line, why: click.echo(f"row {line}: {why}", err=True))
    click.echo(report.sentence())
    if report.refused and not report.imported:
        sys.exit(1)


@cli.command("export")
@with_settings(*COMMON, "host", "port", "store_memory")
@click.option("--format", "kind", type=click.Choice(["csv", "ndjson"]), default="csv", show_default=True)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write [default: stdout]."
)
@click.option("--link", "links", multiple=True, help="Only this link's clicks; may be given several times.")
@click.option("--from", "start", help="First date or date-time.")
@click.option("--to", "end", help="Last date (inclusive) or date-time (exclusive).")
@click.option("--tz", default="UTC", show_default=True, help="IANA zone of day boundaries.")
@click.option("--network", multiple=True, default=("all",), show_default=True, help="Network kinds, or all.")
@click.option("--within", multiple=True, help="Only placed clicks in this box (west,south,east,north) or polygon "
              "(lng,lat,lng,lat,…); may be given several times.")  # fmt: skip
def export(settings: Settings, kind: str, output: Path | None, **which: Any) -> None:
    """Write clicks as CSV or NDJSON. Works beside a running server and without one."""
    from clickatlas.local import export_clicks

    _migrated(settings)
    written = export_clicks(settings, kind, output, **which)
    if output:
        click.echo(f"{written:,} clicks written to {output}")


@cli.group()
def atlas() -> None:
    """The atlas: all places, and what is known about them."""


@atlas.command("update")
@with_settings(*COMMON, *CITY)
@click.option("--file", "file", type=click.Path(exists=True, path_type=Path),
              help="A MaxMind-format City database to build from, or a folder with one per IP version.")  # fmt: skip
def atlas_update(settings: Settings, file: Path | None) -> None:
    """Fetch the newest City database, build the atlas, check it and put it in use.

    From --file, else the city_file of the settings, else MaxMind where there is a licence key, else npm. The
    newest table of network kinds comes along. The atlas before is kept: see 'atlas rollback'.
    """
    from clickatlas.atlas.update import update
    from clickatlas.progress import Terminal

    folder = update(settings, file=file, fresh=True, progress=Terminal())
    click.echo(f"In use: {folder.name}. A running server takes it up within seconds.")


@atlas.command("people")
@with_settings(*COMMON, *CITY)
@click.option(
    "--census-key",
    envvar="CLICKATLAS_CENSUS_KEY",
    required=True,
    show_envvar=True,
    help="Key of the Census API; free of charge.",
)
@click.option("--year", type=int, help="Year of the survey [default: the newest there is].")
def atlas_people(settings: Settings, census_key: str, year: int | None) -> None:
    """Bring in newer figures of US ZIP codes, with margins of error, from the Census API."""
    from clickatlas.atlas.update import update_people
    from clickatlas.progress import Terminal

    folder = update_people(settings, census_key, year, Terminal())
    click.echo(f"In use: {folder.name}.")


@atlas.command("rollback")
@with_settings(*COMMON)
def atlas_rollback(settings: Settings) -> None:
    """Put the atlas before the one in use back in use; a second time: forward again.

    Clicks of places that only the newer one knows count as unknown meanwhile; nothing of them is lost.
    """
    from clickatlas.atlas import files

    click.echo(f"In use: {files.rollback(settings.data / 'atlas')}.")


@atlas.command("show")
@with_settings(*COMMON)
def atlas_show(settings: Settings) -> None:
    """Say which data the atlas is made from, how old it is, and whom to thank."""
    from clickatlas.atlas.where import describe

    click.echo(describe(_atlas(settings)))


@atlas.command("where")
@with_settings(*COMMON)
@click.argument("address")
def atlas_where(settings: Settings, address: str) -> None:
    """Say where ADDRESS is: place, parents, accuracy radius, and who lives there."""
    from clickatlas.atlas.where import where

    click.echo(where(_atlas(settings), address).text())


@cli.command()
@with_settings(*COMMON, "host", "port", "trusted_proxies", "store_memory")
def doctor(settings: Settings) -> None:
    """Say in plain words what is wrong and how to mend it. Exits with 1 when anything is."""
    from clickatlas.doctor import examine

    findings = examine(settings)
    for finding in findings:
        click.echo(finding.text())
    if any(finding.wrong for finding in findings):
        sys.exit(1)


def _migrated(settings: Settings) -> Any:
    from clickatlas.links.database import LinksDatabase

    links = LinksDatabase(settings.data)
    links.migrate()
    return links


def _atlas(settings: Settings) -> Any:
    from clickatlas.atlas import files
    from clickatlas.atlas.atlas import Atlas

    folder = files.current(settings.data / "atlas")
    if folder is None:
        raise Problem(404, "No atlas", "There is no atlas yet.", remedy="Run 'clickatlas atlas update'.")
    return Atlas.open(folder)


def main() -> None:
    """The program's entry: a `Problem` is two plain lines, not a traceback."""
    try:
        cli()
    except Problem as problem:
        click.echo(f"Error: {problem.detail}", err=True)
        if problem.remedy:
            click.echo(f"  {problem.remedy}", err=True)
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(0)
