"""The command line's people and tokens. Secrets are asked for or read from the input: others can see arguments."""

from __future__ import annotations

import sys
from typing import Any

import click

from clickatlas.flags import COMMON, migrated, with_settings
from clickatlas.links.roles import LINKS_WRITE, READ, SCOPES
from clickatlas.settings import Settings


@click.group()
def token() -> None:
    """Tokens for the API."""


@token.command("create")
@with_settings(*COMMON)
@click.option("--name", required=True, help="What the token is for.")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(SCOPES), default=(READ, LINKS_WRITE),
              show_default=True, help="What it opens; may be given several times. admin: everything.")  # fmt: skip
@click.option("--expires-days", type=click.IntRange(1, 3650), help="Days until it ends [default: never].")
@click.option("--person", "who", help="Whose it is: e-mail address or number [default: the owner's].")
def token_create(settings: Settings, **wanted: Any) -> None:
    """Make an API token and print it, and nothing else. It is shown only once."""
    from clickatlas.links import people

    with migrated(settings).writing() as session:
        click.echo(people.make_token(session, **wanted))


@token.command("list")
@with_settings(*COMMON)
def token_list(settings: Settings) -> None:
    """List tokens: number, name, scopes, whose, made, ends, last used."""
    from clickatlas.links import people

    with migrated(settings).writing() as session:
        for row in people.token_rows(session):
            click.echo("\t".join(row))


@token.command("revoke")
@with_settings(*COMMON)
@click.argument("number", type=int)
def token_revoke(settings: Settings, number: int) -> None:
    """End the token of this NUMBER ('token list' shows it). A running server follows within seconds."""
    from clickatlas.links import people

    with migrated(settings).writing() as session:
        click.echo(f"Ended: {people.end_token(session, number)}")


@click.group()
def person() -> None:
    """People who sign in."""


@person.command("list")
@with_settings(*COMMON)
def person_list(settings: Settings) -> None:
    """List people: number, name, e-mail address, role, whether they have a password."""
    from clickatlas.links import people

    with migrated(settings).writing() as session:
        for row in people.rows(session):
            click.echo("\t".join(row))


@person.command("add")
@with_settings(*COMMON, "host", "port")
@click.option("--email", required=True, help="What they sign in with.")
@click.option("--name", default="", help="What others see [default: the address's first part].")
@click.option("--role", type=click.Choice(["owner", "editor", "viewer"]), default="editor", show_default=True,
              help="viewer: reads; editor: changes links and views, too; owner: everything.")  # fmt: skip
def person_add(settings: Settings, email: str, name: str, role: str) -> None:
    """Add somebody to the workspace, and print a one-time link with which they sign in and choose a password."""
    from clickatlas.links import people
    from clickatlas.serve import sign_in_link

    with migrated(settings).writing() as session:
        people.add(session, email, name, role)
    click.echo(sign_in_link(settings, email))


@person.command("password")
@with_settings(*COMMON)
@click.argument("who")
@click.option("--email", help="What to sign in with, for who has no address yet.")
def person_password(settings: Settings, who: str, email: str | None) -> None:
    """Set the password of WHO (e-mail address or number): asked for, or the first line of the input.

    All their sessions and sign-in links end.
    """
    from clickatlas.links import people

    with migrated(settings).reading() as session:
        people.find(session, who)  # before anybody types for nothing
    if sys.stdin.isatty():
        password = click.prompt("New password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    with migrated(settings).writing() as session:
        named = people.set_password(session, who, password, email)
    click.echo(f"{named} signs in with that password from now on.")


@click.command("list")
@with_settings(*COMMON, "default_plan")
def workspace_list(settings: Settings) -> None:
    """List workspaces: number, name, plan."""
    from clickatlas.links import workspaces

    with migrated(settings).reading() as session:
        for number, name, plan in workspaces.rows(session):
            click.echo(f"{number}\t{name}\t{plan or f'{settings.default_plan} (the default)'}")


@click.command("plan")
@with_settings(*COMMON)
@click.argument("name")
@click.argument("plan", type=click.Choice(["unlimited", "free", "pro"]))
def workspace_plan(settings: Settings, name: str, plan: str) -> None:
    """Give workspace NAME (or number) a PLAN: see plans.md. A running server follows within seconds."""
    from clickatlas.links import workspaces

    with migrated(settings).writing() as session:
        before = workspaces.set_plan(session, name, plan)
    click.echo(f"{name}: {plan}, before {before or 'the default'}.")
