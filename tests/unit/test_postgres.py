"""PostgreSQL for links and people: the tables are the models', what is wrong is said, and the password never is."""

from __future__ import annotations

import logging
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from clickatlas.errors import Problem
from clickatlas.links import domains, engine, keys, links, models_told, postgres
from clickatlas.links.database import LinksDatabase
from clickatlas.links.models import Base, Domain, Link, LinkChange, Workspace
from clickatlas.links.moving import move
from clickatlas.progress import Silent
from clickatlas.settings import Settings, load
from tests.postgres import ESCAPED, PASSWORD, Databases

assert models_told, "its tables are among the models'"


def test_migrated_tables_are_those_of_the_models_to_their_types(tmp_path: Path, database_url: str) -> None:
    opened = LinksDatabase(tmp_path, database_url)
    opened.migrate()
    with opened.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    opened.close()


def test_a_domain_is_wanted_by_several_and_held_by_one(tmp_path: Path, database_url: str) -> None:
    opened = LinksDatabase(tmp_path, database_url)
    opened.migrate()
    found = domains.Verdict(True, frozenset(), "", True)
    with opened.writing() as session:
        rooms = [Workspace(name=name) for name in "ab"]
        session.add_all(rooms)
        session.flush()
        wanted = [domains.add(session, room.id, "Go.Example.com", "http://a.example") for room in rooms]
        domains.judge(session, wanted[0], found)
        domains.judge(session, wanted[1], found)
        session.flush()
        assert domains.held(session) == {"go.example.com": rooms[1].id}
        assert session.get_one(Domain, wanted[0].id).verified_at is None
    opened.close()


def test_numbers_and_moments_are_kept_as_they_are(tmp_path: Path, database_url: str) -> None:
    opened = LinksDatabase(tmp_path, database_url)
    opened.migrate()
    with opened.writing() as session:
        workspace = keys.owner(session)[1]
        first = links.create(session, workspace, links.LinkDraft(url="https://example.com/", code="a",
                             max_clicks=2**40, campaign="c", title="\u00c4\u2603"))  # fmt: skip
        number, made_at = first.id, first.created_at
        session.add(LinkChange(link_id=2**52 + 1, code="b"))
        links.delete(session, [first])
    with opened.writing() as session:
        again = links.create(session, workspace, links.LinkDraft(url="https://example.com/", code="a"))
        assert again.id > number  # a number is in clicks: never used again
        assert 2**52 + 1 in session.scalars(text("SELECT link_id FROM link_changes"))
        again.created_at = made_at
    with opened.reading() as session:
        found = links.find(session, workspace, "a")
        assert found.created_at == made_at
        assert found.created_at.isoformat().endswith("+00:00")
        for search in ("\u00e4", "100%", "a_b", "'"):
            links.page(session, workspace, links.LinkQuery(search=search), limit=5)
    opened.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"netloc": "tests:wrong-word@{host}"}, "refuses the user or password"),
        ({"netloc": "nobody-here:wrong-word@{host}"}, "refuses the user or password"),
        ({"path": "/not_there"}, "no such database"),
        ({"netloc": f"tests:{ESCAPED}@127.0.0.1:1"}, "does not answer"),
        ({"netloc": f"tests:{ESCAPED}@no-such-host.invalid"}, "does not answer"),
        ({"query": "sslmode=verify-full&sslrootcert=/nowhere"}, "does not answer"),
        ({"query": "nonsense=1"}, "does not answer"),
    ],
)
def test_what_keeps_it_out_is_said_without_the_password(
    databases: Databases, tmp_path: Path, caplog: pytest.LogCaptureFixture, change: dict[str, str], said: str
) -> None:
    parts = urlsplit(databases.url)
    change = {name: value.format(host=f"127.0.0.1:{parts.port}") for name, value in change.items()}
    opened = LinksDatabase(tmp_path, parts._replace(**change).geturl())
    with caplog.at_level(logging.DEBUG), pytest.raises(Problem) as refused:
        opened.migrate()
    assert refused.value.status == 503
    assert said in refused.value.detail
    assert refused.value.remedy
    everything = f"{refused.value.document()} {refused.value.__cause__} {caplog.text}"
    for secret in (PASSWORD, ESCAPED, "wrong-word"):
        assert secret not in everything
    if "nonsense" in str(change):
        return  # no command comes so far as to write
    with pytest.raises(Problem) as writing, opened.writing() as session:
        session.execute(text("SELECT 1"))
    assert said in writing.value.detail


def test_anothers_tables_and_newer_ones_are_left_alone(databases: Databases, tmp_path: Path) -> None:
    url = databases.empty()
    opened = LinksDatabase(tmp_path, url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE invoices (id int)")
        with pytest.raises(Problem, match="another program's tables: invoices"):
            opened.migrate()
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32))")
        connection.execute("INSERT INTO alembic_version VALUES ('3fa8b2c91d')")
        with pytest.raises(Problem, match="another program's tables"):
            opened.migrate()
        connection.execute("DROP TABLE invoices, alembic_version")
        opened.migrate()
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(Problem, match="newer clickatlas: tables 9999"):
            opened.migrate()
    opened.close()


def test_a_server_that_is_too_old_is_refused(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "OLDEST", 99)
    with pytest.raises(Problem) as refused:
        LinksDatabase(tmp_path, postgres_url).migrate()
    assert "is version" in refused.value.detail
    assert "99 or newer" in refused.value.remedy


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:secret-word@h/d", "postgresql://u:secret-word@h", "postgresql://u:secret-word/part@h/d",
        "postgresql://u:secret-word@h/d/e", "postgresql://u:x:secret-word@h:port/d", "secret-word",
    ],
)  # fmt: skip
def test_a_url_that_is_none_is_refused_without_being_told(url: str, tmp_path: Path) -> None:
    with pytest.raises(Problem) as refused:
        load({"data": tmp_path, "database_url": url})
    assert "database_url" in refused.value.detail
    assert "secret-word" not in str(refused.value.document())


def test_the_setting_is_in_no_words_of_its_own(tmp_path: Path) -> None:
    settings = load({"data": tmp_path, "database_url": "postgres://u:secret-word@h/d"})
    assert settings.database_url == "postgresql://u:secret-word@h/d"
    assert "secret-word" not in f"{settings!r} {settings}"
    assert "secret-word" not in postgres.where(settings.database_url)
    assert isinstance(settings, Settings)


def test_connections_that_were_cut_are_made_anew(
    databases: Databases, postgres_url: str, tmp_path: Path
) -> None:
    opened = LinksDatabase(tmp_path, postgres_url)
    for _ in range(2):
        with opened.writing() as session:
            keys.owner(session)
        with opened.reading() as session:
            assert session.get(Link, 1) is None
        databases.cut(postgres_url)
    with (
        databases.away(postgres_url),
        pytest.raises(Problem, match="does not answer"),
        opened.writing() as session,
    ):
        keys.owner(session)
    with opened.writing() as session:
        keys.owner(session)
    opened.close()


def test_who_hangs_keeps_writers_waiting_for_a_while_only(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "LOCK_S", 1)
    holding, waiting = (LinksDatabase(tmp_path, postgres_url) for _ in range(2))
    with holding.writing() as session:
        keys.owner(session)
        with pytest.raises(Problem, match="others are writing"), waiting.writing() as other:
            keys.owner(other)
    holding.close()
    waiting.close()


def test_links_and_people_come_over_from_sqlite_with_their_numbers(
    tmp_path: Path, databases: Databases
) -> None:
    before = LinksDatabase(tmp_path)
    before.migrate()
    with before.writing() as session:
        person, workspace = keys.owner(session)
        token = keys.issue(session, keys.TOKEN, person, workspace, lasts=keys.SIGN_IN_LASTS)
        for number in range(5):
            wanted = links.LinkDraft(url="https://example.com/", code=f"c{number}", campaign="c", tags=("a", "b"),
                                     title="zero\0byte", target={"a": [1, None]})  # fmt: skip
            last = links.create(session, workspace, wanted)
        last_number, made_at = last.id, links.find(session, workspace, "c0").created_at
        links.delete(session, [last])
    before.close()
    url = databases.empty()
    moved = move(tmp_path, url, Silent())
    assert (moved["links"], moved["people"], moved["link_tags"]) == (4, 1, 8)
    with pytest.raises(Problem, match="has 1 people and 4 links already"):
        move(tmp_path, url, Silent())
    after = LinksDatabase(tmp_path, url)
    with after.writing() as session:
        assert keys.owner(session) == (person, workspace)
        assert keys.caller(session, keys.TOKEN, token) is not None
        found = links.find(session, workspace, "c0")
        assert (found.title, found.target, found.created_at) == ("zerobyte", {"a": [1, None]}, made_at)
        assert [tag.tag for tag in found.tags] == ["a", "b"]
        again = links.create(session, workspace, links.LinkDraft(url="https://example.com/"))
        assert again.id == last_number + 1  # that of the deleted one is in clicks
    after.close()
