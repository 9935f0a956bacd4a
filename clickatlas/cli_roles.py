"""Commands that run a part of clickatlas, for several machines. What each has is in `roles`."""

from __future__ import annotations

import click

from clickatlas.flags import with_settings
from clickatlas.settings import Settings

CHECK = click.option("--check", is_flag=True, hidden=True, help="Only see whether it could start.")


@click.command()
@with_settings(*Settings.model_fields)
@CHECK
def redirect(settings: Settings, check: bool) -> None:
    """Run only what answers short links; clicks wait in the spool of the data folder for 'ingest'.

    Needs an atlas, and the links: in PostgreSQL (database_url), or in links.sqlite of the data folder.
    """
    from clickatlas import serve
    from clickatlas.roles import REDIRECT

    serve.check(settings, REDIRECT) if check else serve.serve(settings, REDIRECT)


@click.command()
@with_settings(*Settings.model_fields)
@CHECK
def app(settings: Settings, check: bool) -> None:
    """Run only the page and the API, and count the spool of the data folder; answers no short links."""
    from clickatlas.processes import is_child, run_app

    if is_child():
        run_app(settings)
        return
    from clickatlas import serve
    from clickatlas.roles import THE_APP

    serve.check(settings, THE_APP) if check else serve.serve(settings, THE_APP)


@click.command()
@with_settings(*Settings.model_fields)
@CHECK
@click.option("--once", is_flag=True, help="Move what waits now, say how many clicks, and end.")
def ingest(settings: Settings, check: bool, once: bool) -> None:
    """Run only what counts: moves clicks from the spool of the data folder to the click store.

    On a machine without the app that store is a ClickHouse (clicks_url).
    """
    from clickatlas.processes import is_child, run_desk

    if is_child():
        run_desk(settings, counts=True)
        return
    from clickatlas import serve
    from clickatlas.roles import THE_INGEST

    if once:
        from clickatlas.desk import count_once

        moved = count_once(settings)
        click.echo(f"{moved:,} {'click' if moved == 1 else 'clicks'} moved to the click store.")
    elif check:
        serve.check(settings, THE_INGEST)
    else:
        serve.serve(settings, THE_INGEST)
