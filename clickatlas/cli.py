"""The command line. Each command opens only the rooms it needs, so that `--help` is quick."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from clickatlas import __version__
from clickatlas.cli_clicks import migrate_store
from clickatlas.cli_export import export
from clickatlas.cli_import import import_clicks
from clickatlas.cli_people import person, token, workspace_list, workspace_plan
from clickatlas.cli_roles import app, ingest, redirect
from clickatlas.errors import Problem
from clickatlas.flags import CITY, COMMON, migrated, with_settings
from clickatlas.settings import Settings


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="clickatlas")
def cli() -> None:
    """Short links, and where in the world people click them."""


@cli.command()
@with_settings(*Settings.model_fields)
@click.option("--check", is_flag=True, hidden=True, help="Only see whether it could start.")
def serve(settings: Settings, check: bool) -> None:
    """Run clickatlas: builds the atlas and migrates first where that's needed."""
    from clickatlas import serve

    serve.check(settings) if check else serve.serve(settings)


@cli.command("street", hidden=True)
@with_settings(*Settings.model_fields)
@click.option("--listener", type=int, required=True, help="Descriptor of the listening socket.")
@click.option("--secret", type=int, required=True, help="Descriptor of the visitors' key.")
@click.option(
    "--ready", type=int, required=True, help="Descriptor to write to once short links are answered."
)
@click.option("--slot", type=int, default=0, help="The worker's number, from 0.")
@click.option("--role", default="serve", help="The command whose worker it is.")
def run_street(settings: Settings, listener: int, secret: int, ready: int, slot: int, role: str) -> None:
    """Run only one street worker (`serve` starts them by itself)."""
    from clickatlas.processes import run_street

    run_street(settings, listener=listener, slot=slot, secret=secret, ready=ready, role=role)


@cli.command()
@with_settings(*COMMON)
def reload(settings: Settings) -> None:
    """Have a running server start anew with what is installed and set now; no connection is refused."""
    from clickatlas.processes import reload

    reload(settings.data)


@cli.command("desk", hidden=True)
@with_settings(*Settings.model_fields)
def run_desk(settings: Settings) -> None:
    """Run only the process that says how a machine without the app is (`redirect` starts it by itself)."""
    from clickatlas.processes import run_desk

    run_desk(settings, counts=False)


@cli.command("sign-in")
@with_settings(*COMMON, "host", "port")
@click.option("--person", "who", help="E-mail address or number of somebody else ('person list').")
def sign_in(settings: Settings, who: str | None) -> None:
    """Print a new one-time link that signs the owner in."""
    from clickatlas.serve import sign_in_link

    migrated(settings)
    click.echo(sign_in_link(settings, who))


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

    prepare(settings).close()
    click.echo(remove_sample(settings) if remove else add_sample(settings, clicks, seed))


@cli.group()
def link() -> None:
    """Short links."""


@link.command("create")
@with_settings(*COMMON, "host", "port", "case_sensitive_codes", "blocked_hosts", "app_schemes")
@click.argument("url")
@click.option("--code", help="Its short code; drawn at random unless given.")
@click.option("--domain", default="", help="The workspace's verified domain that it is on.")
@click.option("--title", default="", help="A name for people.")
@click.option("--campaign", help="The campaign it belongs to.")
@click.option("--channel", help="How it is shared: email, social, qr, sms, …")
@click.option("--tag", "tags", multiple=True, help="A tag; may be given several times.")
def link_create(settings: Settings, url: str, code: str | None, **fields: Any) -> None:
    """Shorten URL and print the short address."""
    from clickatlas.links import audit, domains, keys, links
    from clickatlas.links.destination import refuse_some

    if code and not settings.case_sensitive_codes:
        code = code.lower()
    with migrated(settings).writing() as session:
        person, workspace = keys.owner(session)
        own = domains.verified(session, workspace)
        refuse_some(url, settings.base_url, settings.blocked_hosts, own, settings.app_schemes)
        fields["domain"] = domains.unless_own(fields["domain"], settings.base_url)
        made = links.create(
            session, workspace, links.LinkDraft(url=url, code=code, **fields), settings.app_schemes
        )
        audit.record(session, workspace, person, "link.create", made.code)
        click.echo(domains.short_url(settings.base_url, made.code))


@link.command("list")
@with_settings(*COMMON, "host", "port")
@click.option("--search", default="", help="Only links whose code, title, address or campaign has this.")
@click.option("--limit", default=100, show_default=True, help="At most so many.")
def link_list(settings: Settings, search: str, limit: int) -> None:
    """List links, newest first: code, destination, title."""
    from clickatlas.links import keys, links

    with migrated(settings).writing() as session:
        _person, workspace = keys.owner(session)
        found, total = links.page(session, workspace, links.LinkQuery(search=search), limit=limit)
        for one in found:
            click.echo(f"{one.code}\t{one.url}\t{one.title}")
    if total > len(found):
        click.echo(f"({total - len(found)} more: raise --limit)", err=True)


@cli.group()
def workspace() -> None:
    """Workspaces."""


@workspace.command("delete")
@with_settings(*COMMON, "store_memory")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Don't ask.")
def workspace_delete(settings: Settings, name: str, yes: bool) -> None:
    """Delete workspace NAME: links with all clicks, views, keys, log, and people who are in no other.

    There is no way back. Where no server runs, the click store is written anew as well: see 'compact'.
    """
    from clickatlas.links import workspaces
    from clickatlas.local import remove_clicks

    links = migrated(settings)
    with links.reading() as session:
        number = workspaces.named(session, name)
    if not yes:  # nobody else can write while a transaction waits for an answer
        click.confirm(f"Delete {name!r} with all its links and clicks for good?", abort=True)
    with links.writing() as session:
        gone = workspaces.delete(session, number)
    links.clear_up()
    click.echo(f"{gone.links:,} links and {gone.people:,} people deleted.")
    click.echo(remove_clicks(settings))


@cli.command()
@with_settings(*COMMON, "store_memory")
def compact(settings: Settings) -> None:
    """Write the click store anew, without the bytes of what was deleted. The server must not run."""
    from clickatlas.local import compact

    click.echo(compact(settings))


@cli.command()
@with_settings("data", "database_url", "store_memory")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--keep",
    default=0,
    type=click.IntRange(0),
    help="Of the backups in FOLDER, keep the newest N [default: all].",
)
@click.option("--atlas/--no-atlas", "with_atlas", default=True, show_default=True,
              help="Also the atlas in use; without, the first start after a restore builds one.")  # fmt: skip
def backup(settings: Settings, folder: Path, keep: int, with_atlas: bool) -> None:
    """Back up everything into a new folder below FOLDER, beside a running server or without one.

    Every click whose redirect was answered before this began is in it, once. Prints the new folder's path.
    """
    from clickatlas.backup.take import take
    from clickatlas.progress import Terminal

    made, manifest = take(settings, folder.absolute(), keep=keep, with_atlas=with_atlas, progress=Terminal())
    click.echo(f"{manifest.sentence()} backed up.", err=True)
    if settings.database_url:
        click.echo("Links and people are in PostgreSQL: run pg_dump now, see docs/postgresql.md.", err=True)
    click.echo(made)


@cli.command("links-to-postgresql")
@with_settings("data", "database_url")
def links_to_postgresql(settings: Settings) -> None:
    """Copy links and people from links.sqlite into the empty PostgreSQL database of database_url. No server may run."""
    from clickatlas.links.moving import move
    from clickatlas.progress import Terminal

    if not settings.database_url:
        raise Problem(422, "Settings", "database_url is empty.", remedy="Set it to the PostgreSQL database.")
    moved = move(settings.data, settings.database_url, Terminal())
    click.echo(
        f"{moved['links']:,} links and {moved['people']:,} people copied; links.sqlite stays as it is."
    )


@cli.command()
@with_settings("data")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def restore(settings: Settings, folder: Path) -> None:
    """Put the backup in FOLDER back: into an empty data folder, or in place of a damaged click store. No server may run."""
    from clickatlas.backup.restore import restore
    from clickatlas.progress import Terminal

    manifest = restore(settings, folder.absolute(), Terminal())
    click.echo(f"{manifest.sentence()} of {manifest.taken} restored into {settings.data}.")
    if not manifest.has_links:
        click.echo("Links and people are not in it: put PostgreSQL's dump of the same time back, too.")
    if not manifest.has_atlas:
        click.echo("No atlas is in this backup: the next start builds one.")


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
@with_settings(*COMMON, "clicks_url", "host", "port", "trusted_proxies", "store_memory", "metrics_token")
@click.option("--json", "as_json", is_flag=True, help="Findings as one JSON document.")
def doctor(settings: Settings, as_json: bool) -> None:
    """Say in plain words what is fine, what is wrong, and how to mend it.

    Reads /health and /metrics of the server that runs on the data folder, or what it left there. Exits with 0
    where all is fine, 1 with warnings, 2 where something is broken.
    """
    from clickatlas.doctor import finding
    from clickatlas.doctor.examine import examine

    findings = examine(settings)
    click.echo(finding.as_json(findings) if as_json else "\n".join(found.text() for found in findings))
    sys.exit(finding.exit_code(findings))


def _atlas(settings: Settings) -> Any:
    from clickatlas.atlas import files
    from clickatlas.atlas.atlas import Atlas

    folder = files.current(settings.data / "atlas")
    if folder is None:
        raise Problem(404, "No atlas", "There is no atlas yet.", remedy="Run 'clickatlas atlas update'.")
    return Atlas.open(folder)


for group in (token, person, import_clicks, export, redirect, app, ingest, migrate_store):
    cli.add_command(group)
for plans_command in (workspace_list, workspace_plan):
    workspace.add_command(plans_command)


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
