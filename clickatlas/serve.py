"""`clickatlas serve`: everything made ready, then the processes."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from clickatlas.errors import Problem
from clickatlas.processes import AppProcess, check_port, hold, run_street
from clickatlas.progress import Terminal
from clickatlas.settings import Settings


def prepare(settings: Settings) -> None:
    """Atlas, tables and owner; quick where they are there already."""
    from clickatlas.links import keys
    from clickatlas.links.database import LinksDatabase

    settings.data.mkdir(parents=True, exist_ok=True)
    if not _has_atlas(settings):
        from clickatlas.atlas.update import update

        update(settings, fresh=False, progress=Terminal())
    links = LinksDatabase(settings.data)
    links.migrate()
    with links.writing() as session:
        keys.owner(session)
    links.close()


def sign_in_link(settings: Settings) -> str:
    """A new one-time link that signs the owner in."""
    from clickatlas.links import keys
    from clickatlas.links.database import LinksDatabase

    links = LinksDatabase(settings.data)
    with links.writing() as session:
        person, workspace = keys.owner(session)
        secret = keys.issue(session, keys.SIGN_IN, person, workspace, lasts=keys.SIGN_IN_LASTS)
    links.close()
    return f"{settings.base_url}/app/sign-in?token={secret}"


def serve(settings: Settings) -> None:
    """Run until told to stop. Raises `Problem` where the data folder or the port is taken."""
    lock = hold(settings.data)
    check_port(settings)
    app = AppProcess(settings)
    if _has_atlas(settings):
        app.start()  # it takes longest, so it starts while the rest is made ready
    try:
        prepare(settings)
        app.start()
        link = sign_in_link(settings)
        # Loaded here, once: street workers are forks of this process and start in a moment.
        import clickatlas.redirect.server  # noqa: F401

        greeting = [_banner(settings, link)]

        def started() -> None:
            if greeting:
                print(greeting.pop(), flush=True)

        run_street(settings, started=started)
    finally:
        app.stop()
        os.close(lock)


def _has_atlas(settings: Settings) -> bool:
    """Whether there is one that this version can read: after an upgrade it may have to be built again."""
    from clickatlas.atlas import files

    folder = files.current(settings.data / "atlas")
    try:
        return folder is not None and bool(files.about(folder))
    except Problem:
        return False


def _banner(settings: Settings, link: str) -> str:
    from clickatlas.atlas import files

    folder = files.current(settings.data / "atlas")
    built = datetime.fromisoformat(files.about(folder)["built"]) if folder else None
    age = f"City database of {built:%Y-%m-%d}" if built else ""
    if built and (days := (datetime.now(UTC) - built).days) > 30:
        age += f", {days} days old: 'clickatlas atlas update' asks for a newer one"
    return "\n".join(
        [
            "",
            "  clickatlas is running",
            "",
            f"  Dashboard  {settings.base_url}/app",
            f"  Sign in    {link}",
            "             (works once, within 24 hours; 'clickatlas sign-in' makes another)",
            f"  Data       {settings.data}  ({age})",
            "",
        ]
    )
