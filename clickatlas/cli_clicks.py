"""Commands on where clicks are kept."""

from __future__ import annotations

import click

from clickatlas.errors import Problem
from clickatlas.flags import with_settings
from clickatlas.settings import Settings


@click.command("migrate-store")
@with_settings("data", "clicks_url", "store_memory", "keep_clicks_days")
@click.option("--start-over", is_flag=True,
              help="Empty what an unfinished copy has put into ClickHouse, and begin anew.")  # fmt: skip
def migrate_store(settings: Settings, *, start_over: bool) -> None:
    """Copy all clicks of the data folder to the ClickHouse of clicks_url, and compare. Nothing may count the folder meanwhile.

    Cut short, run it again: it goes on where it was. clicks.duckdb stays as it is. Short links are answered all the
    while by 'clickatlas redirect'; clicks that wait in the spool are counted by the next start.
    """
    from clickatlas.clicks.moving import move
    from clickatlas.progress import Terminal

    if not settings.clicks_url:
        raise Problem(
            422,
            "Settings",
            "clicks_url is empty: it is not known where to copy the clicks.",
            remedy="Set it to the ClickHouse, in clickatlas.toml or with --clicks-url (docs/clickhouse.md).",
        )
    progress = Terminal()
    try:
        moved = move(
            settings.data,
            settings.clicks_url,
            memory=settings.store_memory,
            keep_days=settings.keep_clicks_days,
            start_over=start_over,
            progress=progress,
        )
    finally:
        progress.done()
    if moved.already:
        click.echo(
            f"All {moved.clicks:,} clicks of this folder were copied to {moved.where} before: nothing is to be done."
        )
    else:
        click.echo(
            f"{moved.clicks:,} clicks are in {moved.where}: {moved.single:,} one by one, {moved.rolled:,} by day, place and quarter "
            f"of an hour only, as before; {moved.removed:,} deleted links and the positions of {moved.streams:,} spool streams with "
            "them. Each day of each link, and each place, was counted on both sides: equal."
        )
    click.echo(
        "Next: set clicks_url in clickatlas.toml, if it isn't yet, and start clickatlas: it counts what waits in the spool. "
        f"{settings.data / 'clicks.duckdb'} is as it was; remove it when you don't want to go back."
    )
