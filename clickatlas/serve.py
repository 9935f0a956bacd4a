"""`clickatlas serve`, and its parts `redirect`, `app` and `ingest`: everything made ready, then the processes."""

from __future__ import annotations

import logging
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from clickatlas import logs, reserve
from clickatlas.backup.manifest import check_whole
from clickatlas.errors import Problem
from clickatlas.processes import hold, leave_no_core, listen
from clickatlas.progress import Terminal
from clickatlas.redirect.secret import anonymous_memory
from clickatlas.roles import APP, SERVE, THE_INGEST, Role, lacking
from clickatlas.settings import Settings
from clickatlas.supervisor import Child, Held, Supervisor, taken_over

if TYPE_CHECKING:
    from clickatlas.links.database import LinksDatabase
    from clickatlas.redirect.follower import Follower


log = logging.getLogger("clickatlas")


def prepare(settings: Settings, role: Role = SERVE) -> LinksDatabase:
    """Atlas, tables and owner, as far as `role` makes them; quick where they are there already. Returns the links, open.

    With PostgreSQL also this machine's copy of what redirects need; where that is there, an absence is no reason to end.
    Raises `Problem` where something is missing that the role doesn't make.
    """
    from clickatlas.links import keys
    from clickatlas.links.database import LinksDatabase
    from clickatlas.links.postgres import Away

    settings.data.mkdir(parents=True, exist_ok=True)
    if missing := lacking(settings, role):
        raise missing
    if role.makes_atlas and not _has_atlas(settings):
        from clickatlas.atlas.update import update

        update(settings, fresh=False, progress=Terminal())
    links = LinksDatabase(settings.data, settings.database_url)
    try:
        links.migrate()
        if role.beside == APP:
            with links.writing() as session:
                keys.owner(session)
        if settings.database_url:
            _copy(settings).once()
    except Away as problem:
        if _copy(settings).replica.place is None:
            raise
        log.error("%s %s Until then links are answered as they were.", problem.detail, problem.remedy)
    return links


def _copy(settings: Settings) -> Follower:
    from clickatlas.redirect.follower import Follower

    return Follower(settings.data, settings.database_url)


def check(settings: Settings, role: Role = SERVE) -> None:
    """Whether this program could start: what its processes need is there, and atlas and tables are made ready.

    Tried beside the running program before it is replaced, so what can fail fails here. Raises `Problem`.
    """
    import clickatlas.app
    import clickatlas.desk
    import clickatlas.redirect.worker  # noqa: F401

    check_whole(settings.data)
    prepare(settings, role).close()


def sign_in_link(settings: Settings, who: str | None = None) -> str:
    """A new one-time link that signs the owner in, or `who` (e-mail address or number)."""
    from clickatlas.links import keys, people
    from clickatlas.links.database import LinksDatabase

    links = LinksDatabase(settings.data, settings.database_url)
    with links.writing() as session:
        person, workspace = people.home(session, who) if who else keys.owner(session)
        secret = keys.issue(session, keys.SIGN_IN, person, workspace, lasts=keys.SIGN_IN_LASTS)
    links.close()
    return f"{settings.app_url or settings.base_url}/app/sign-in?token={secret}"


def serve(settings: Settings, role: Role = SERVE) -> None:
    """Run until told to stop. Raises `Problem` where the data folder or the port is taken, or `role` lacks something."""
    logs.configure(settings)
    check_whole(settings.data)
    leave_no_core()  # its children have the limit from their first moment
    before, address = taken_over(), f"{settings.host}:{settings.port}"
    if before is None:
        if missing := lacking(settings, role):
            raise missing
        marks = role.hold(settings.data)
        reserve.give_up(settings.data)
        old: list[Child]
        public = listen(settings) if role.streets else None
        held, old = Held(public, address, anonymous_memory(), *marks), []
    else:
        held, old = before
        if held.second < 0 and len(role.marks) > 1:  # of a program from when a role had one mark
            held.second = hold(settings.data, role.marks[1])
        if held.address != address and role.streets:
            try:
                held.listener, held.address = listen(settings), address  # the old workers have the old one
            except Problem as problem:  # ending now would end what still works
                log.error(
                    "reload: %s %s Until then it stays at %s", problem.detail, problem.remedy, held.address
                )
    supervisor = Supervisor(settings, held, old, role)
    if role is THE_INGEST and not old:
        from clickatlas.desk import can_count

        can_count(settings)
    if not old and role.beside == APP and _has_atlas(settings):
        supervisor.start_app()  # it takes longest, so it starts while the rest is made ready
    # Held open: SQLite's shared file is there from now on, also for who starts again on a full disk.
    with closing(prepare(settings, role)):
        greeting = "" if old else _greeting(settings) if role.beside == APP else _parts(settings, role)

        def started() -> None:
            if greeting:
                print(greeting, flush=True)

        supervisor.run(started=started)


def _has_atlas(settings: Settings) -> bool:
    """Whether there is one that this version can read: after an upgrade it may have to be built again."""
    from clickatlas.atlas import files

    folder = files.current(settings.data / "atlas")
    try:
        return folder is not None and bool(files.about(folder))
    except Problem:
        return False


def _greeting(settings: Settings) -> str:
    try:
        link = sign_in_link(settings)
    except Problem as problem:  # a machine that starts again with a full disk still answers short links
        log.error("no sign-in link: %s %s", problem.detail, problem.remedy)
        link = "none could be made: see above"
    return _banner(settings, link)


def _parts(settings: Settings, role: Role) -> str:
    what = "answers short links at" if role.streets else "counts the clicks of"
    return f"\n  clickatlas {role.name} {what} {settings.base_url if role.streets else settings.data}\n"


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
            f"  Dashboard  {settings.app_url or settings.base_url}/app",
            f"  Sign in    {link}",
            "             (works once, within 24 hours; 'clickatlas sign-in' makes another)",
            f"  Data       {settings.data}  ({age})",
            "",
        ]
    )
