"""A ClickHouse store's tables for one server and for a cluster, its address, and what it says when something is wrong."""

from __future__ import annotations

import http.server
import re
import threading
from pathlib import Path

import pytest

from clickatlas.clicks import clickhouse_schema
from clickatlas.clicks.clickhouse import ClickHouseStore
from clickatlas.clicks.clickhouse_address import Address, address
from clickatlas.clicks.clickhouse_schema import migrations, retention, schema
from clickatlas.clicks.clickhouse_server import ClickHouseFault, Server, explained
from clickatlas.errors import Problem
from clickatlas.settings import Settings, load
from tests.conformance.stores import drop, url

SECRET = "p@ss:w/rd"
ENCODED = "p%40ss%3Aw%2Frd"
GOLDEN = {"": "clickhouse_one.sql", "everywhere_cluster": "clickhouse_cluster.sql"}


@pytest.mark.parametrize("cluster", list(GOLDEN))
def test_the_tables_are_these(cluster: str) -> None:
    """A change of these is a migration: VERSION grows, and what stands here stays for those who have it."""
    assert schema(cluster=cluster) == Path(__file__).with_name(GOLDEN[cluster]).read_text("utf-8")


def test_every_command_is_clickhouses() -> None:
    """A cluster's can't be done here: ClickHouse itself reads them."""
    server = Server(address(url("chdb")))
    place = Address("d", "h", cluster="c")
    commands = [command for each in migrations(place).values() for command in each]
    commands += migrations(Address("d", "h"))[3]
    for command in [
        *commands,
        retention(place, 30),
        retention(place, 0),
        "DELETE FROM d.t ON CLUSTER c WHERE link IN (1)",
    ]:
        told = server.ask("SELECT formatQuery({sql:String}) AS sql", {"sql": command})["sql"][0]
        assert squeezed(told) == squeezed(command)
    settings = set(
        server.ask("SELECT name FROM system.merge_tree_settings UNION ALL SELECT name FROM system.settings")[
            "name"
        ].tolist()
    )
    said = {name for command in commands for name in re.findall(r"(\w+) = \d+", command)}
    assert said == {
        "replicated_deduplication_window",
        "replicated_deduplication_window_seconds",
        "merge_with_ttl_timeout",
        "fsync_after_insert",
        "fsync_part_directory",
    }
    assert said <= settings
    assert {"distributed_foreground_insert", "optimize_skip_unused_shards", "insert_quorum"} <= settings
    server.close()


def squeezed(sql: str) -> str:
    return re.sub(r"[\s`]|ASC|CAST|(?<=toInt64)\b", "", sql).replace("(", "").replace(")", "").lower()


def test_the_address() -> None:
    found = address(f"clickhouse://me:{ENCODED}@h.example:9000/clicks?cluster=big&quorum=auto&secure=true")
    assert found == Address("clicks", "h.example", 9000, "me", SECRET, "big", "auto", True)
    assert address("clickhouse://h") == Address("clickatlas", "h", 8123)
    assert address("clickhouse://h?secure=true").port == 8443
    assert address("clickhouse://[::1]:8443/x").secure
    for text in (found.shown, repr(found)):
        assert SECRET not in text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (f"postgres://me:{ENCODED}@h/x", "must start with clickhouse://"),
        (f"clickhouse://me:{ENCODED}@h:99999/x", "must be a URL"),
        (f"clickhouse://me:{ENCODED}@h/x;DROP", "letters, digits"),
        (f"clickhouse://me:{ENCODED}@h/x?cluster=a'b", "letters, digits"),
        (f"clickhouse://me:{ENCODED}@h/x?clustre=a", "unknown options"),
        (f"clickhouse://me:{ENCODED}@h/x?quorum=many", "quorum"),
        (f"clickhouse://me:{ENCODED}@h/x?timeout=0", "timeout"),
        (f"clickhouse://me:{ENCODED}@/x", "must name a host"),
    ],
)
def test_a_wrong_address_is_told_without_its_password(tmp_path: Path, wrong: str, said: str) -> None:
    with pytest.raises(Problem, match=said) as raised:
        load({"data": tmp_path, "clicks_url": wrong})
    told = f"{raised.value.document()}{raised.value!r}"
    assert ENCODED not in told
    assert SECRET not in told


def test_settings_don_t_show_it(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, clicks_url=f"clickhouse://me:{ENCODED}@h/x")
    assert ENCODED not in repr(settings)


def test_nobody_there(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Problem, match=r"does not answer at 127\.0\.0\.1:9") as raised:
        ClickHouseStore(f"clickhouse://me:{ENCODED}@127.0.0.1:9/x")
    assert raised.value.status == 503
    assert "spool keeps" in raised.value.remedy
    assert ENCODED not in caplog.text + str(raised.value.document())
    assert SECRET not in caplog.text + str(raised.value.document())


class Refusing(http.server.BaseHTTPRequestHandler):
    """A server that says what ClickHouse says to a wrong password, which it repeats."""

    def do_POST(self) -> None:
        text = (
            f"Code: 516. DB::Exception: me: Authentication failed: {SECRET}. (AUTHENTICATION_FAILED)".encode()
        )
        self.send_response(403)
        self.send_header("X-ClickHouse-Exception-Code", "516")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST  # noqa: N815

    def log_message(self, *_: object) -> None: ...


def test_a_wrong_password(caplog: pytest.LogCaptureFixture) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(Problem) as raised:
            ClickHouseStore(f"clickhouse://me:{ENCODED}@127.0.0.1:{server.server_port}/x")
        server.shutdown()
    assert raised.value.title == "The click store refuses the password"
    assert SECRET not in caplog.text + str(raised.value.document())


@pytest.mark.parametrize(("code", "title"), [(497, "refuses"), (701, "no such cluster"), (242, "only be read"), (243, "no more"), (241, "Too much"), (1, "not answer")])  # fmt: skip
def test_what_errors_mean(code: int, title: str) -> None:
    problem = explained(ClickHouseFault(f"Code: {code}.", code), Address("d", "h", password=SECRET))
    assert title in problem.title
    assert problem.remedy
    assert SECRET not in str(problem.document())


def test_a_store_of_a_newer_program_or_an_older_server(monkeypatch: pytest.MonkeyPatch) -> None:
    where = url("chdb")
    ClickHouseStore(where).close()
    ClickHouseStore(where).close()  # nothing is due
    with pytest.raises(Problem, match="were made without a cluster"):
        ClickHouseStore(f"{where}?cluster=c")
    written = clickhouse_schema.VERSION
    monkeypatch.setattr(clickhouse_schema, "VERSION", 0)
    with pytest.raises(Problem, match=f"format {written}, this one reads up to 0"):
        ClickHouseStore(where)
    monkeypatch.setattr(clickhouse_schema, "OLDEST", (99, 1))
    with pytest.raises(Problem, match=r"from 99\.1 on"):
        ClickHouseStore(where)
    drop(where)


def test_what_is_not_kept_is_let_go_of_by_clickhouse() -> None:
    where = url("chdb")
    for days, wanted in ((0, ""), (30, "toIntervalDay(32)"), (7, "toIntervalDay(9)"), (0, "")):
        store = ClickHouseStore(where, keep_days=days)
        [made] = store._ask(
            "SELECT create_table_query AS made FROM system.tables WHERE database = '{}' AND name = 'clicks'"
        )["made"].tolist()
        assert (" TTL " in made) == bool(days)
        assert wanted in made
        assert (store.kept_since is None) == (not days)
        store.close()
    drop(where)
