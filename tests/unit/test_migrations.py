"""The links database of an older version comes along."""

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from clickatlas.links import database, keys, links, models_told, passwords, views
from clickatlas.links.database import NEWEST_MIGRATION, LinksDatabase
from clickatlas.links.models import Base, Key


def config() -> Config:
    made = Config()
    made.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    return made


assert models_told, "its tables are among the models'"
REVISIONS = [script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()]


def at(folder: Path, revision: str) -> LinksDatabase:
    opened = LinksDatabase(folder)
    with opened.engine.begin() as connection:
        upgrading = config()
        upgrading.attributes["connection"] = connection
        command.upgrade(upgrading, revision)
    return opened


def test_the_newest_migration_is_the_newest() -> None:
    assert REVISIONS[0] == NEWEST_MIGRATION


@pytest.mark.parametrize("revision", REVISIONS)
def test_from_any_version_tables_become_those_of_the_models(tmp_path: Path, revision: str) -> None:
    opened = at(tmp_path, revision)
    with opened.writing() as session:
        person = workspace = 1
        for line in (
            "INSERT INTO people (id, name, created_at) VALUES (1, 'Ann', '2026-01-01')",
            "INSERT INTO workspaces (id, name, created_at) VALUES (1, 'w', '2026-01-01')",
            "INSERT INTO memberships (person_id, workspace_id, role) VALUES (1, 1, 'owner')",
        ):
            session.execute(text(line))
        session.execute(  # tables of an old version know no newer column
            text(
                "INSERT INTO links (workspace_id, code, url, title, pass_query, sample, created_at)"
                " VALUES (:workspace, 'kept', 'https://example.com/', '', 0, 0, '2026-01-01')"
            ),
            {"workspace": workspace},
        )
        session.execute(text("INSERT INTO link_tags SELECT id, 'a' FROM links"))
    opened.migrate()
    with opened.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, Base.metadata) == []
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
    with opened.writing() as session:
        assert links.find(session, workspace, "kept").tags[0].tag == "a"
        assert links.find(session, workspace, "kept").target is None
        assert views.create(session, workspace, person, name="v", address="").id == 1


def test_tokens_made_before_there_were_scopes_open_what_they_did(tmp_path: Path) -> None:
    opened = at(tmp_path, "0003")
    with opened.engine.begin() as connection:
        for line in (
            "INSERT INTO people VALUES (1, 'Ann', 'Ann@Example.com', '2026-01-01')",
            "INSERT INTO workspaces VALUES (1, 'w', '2026-01-01')",
            "INSERT INTO memberships VALUES (1, 1, 'owner')",
            "INSERT INTO keys VALUES (1, 'token', 't', 'd', 1, 1, '2026-01-01', NULL), (2, 'session', '', 'e', 1, 1, '2026-01-01', NULL)",
        ):
            connection.execute(text(line))
    opened.migrate()
    with opened.reading() as session:
        assert session.get_one(Key, 1).scopes == "admin"
        assert session.get_one(Key, 2).scopes == ""
        person = passwords.person_of(session, "ANN@example.com")
        assert person is not None
        assert passwords.stored_for(session, person.id) is None


def test_a_view_outlives_who_made_it_and_goes_with_its_workspace(tmp_path: Path) -> None:
    opened = at(tmp_path, "head")
    with opened.writing() as session:
        person, workspace = keys.owner(session)
        number = views.create(session, workspace, person, name="v", address="").id
    with opened.engine.begin() as connection:
        connection.execute(text("PRAGMA foreign_keys=ON"))
        connection.execute(text("DELETE FROM people"))
    with opened.reading() as session:
        assert views.find(session, workspace, number).person is None
    with opened.engine.begin() as connection:
        connection.execute(text("DELETE FROM workspaces"))
        assert connection.execute(text("SELECT count(*) FROM views")).scalar() == 0
