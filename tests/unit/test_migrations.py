"""The links database of an older version comes along."""

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from clickatlas.links import database, keys, links, views
from clickatlas.links.database import NEWEST_MIGRATION, LinksDatabase
from clickatlas.links.links import LinkDraft
from clickatlas.links.models import Base


def config() -> Config:
    made = Config()
    made.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    return made


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
        person, workspace = keys.owner(session)
        links.create(session, workspace, LinkDraft(url="https://example.com/", code="kept", tags=["a"]))
    opened.migrate()
    with opened.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, Base.metadata) == []
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
    with opened.writing() as session:
        assert links.find(session, workspace, "kept").tags[0].tag == "a"
        assert views.create(session, workspace, person, name="v", address="").id == 1


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
