"""What the doctor says of a ClickHouse. Of a cluster's replicas nothing can be seen here: ClickHouse reads what would be asked."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from clickatlas.clicks import clickhouse_even
from clickatlas.clicks.clickhouse import ClickHouseStore, Note
from clickatlas.clicks.clickhouse_server import Server
from clickatlas.clicks.moving_notes import MoveNotes
from clickatlas.clicks.store import Position
from clickatlas.doctor import clickhouse
from clickatlas.doctor.examine import examine
from clickatlas.doctor.finding import Level
from clickatlas.settings import Settings
from tests.conformance.copies import few


def levels(where: str, tmp_path: Path) -> dict[str, Level]:
    found = list(clickhouse.look(Settings(data=tmp_path, clicks_url=where)))
    assert all(finding.mend for finding in found if finding.wrong)
    return {finding.name: finding.level for finding in found}


def test_what_the_doctor_says(tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fine = {"clickhouse": Level.FINE}
    monkeypatch.setattr(
        clickhouse, "HELD_S", 1 << 40
    )  # the engine runs as long as this process, and nobody tends
    assert levels(where, tmp_path) == fine
    store = ClickHouseStore(where)
    assert levels(where, tmp_path) == fine
    with monkeypatch.context() as soon:
        soon.setattr(clickhouse, "MANY_PARTS", 1)
        assert levels(where, tmp_path) == fine | {"clickhouse_parts": Level.WARNING}
    with monkeypatch.context() as later:
        later.setattr(clickhouse, "HELD_S", -1)
        assert levels(where, tmp_path) == fine | {"clickhouse_counts": Level.WARNING}
        note = Note(Position(0, 0), Position(1, 2), "token")
        store._note({"a stream": note})
        [said] = [f for f in clickhouse.look(Settings(data=tmp_path, clicks_url=where)) if f.wrong]
        assert "a batch of a stream was begun" in said.what
        store._note({"a stream": note._replace(done=note.ends, token="")})
        later.setattr(clickhouse_even, "EVERY_S", 0)
        for _ in range(10):  # an insert that just ended may be told of once more
            store._even.tend(int(time.time()) - 9, 0)
        assert levels(where, tmp_path) == fine
    server = Server(store.address)
    MoveNotes(server).begin("a file")
    assert levels(where, tmp_path) == fine | {"clicks_copied": Level.WARNING}
    monkeypatch.setattr(clickhouse, "VERSION", 0)
    assert levels(where, tmp_path) == {"clickhouse": Level.BROKEN}
    monkeypatch.setattr(clickhouse, "OLDEST", (99, 1))
    assert levels(where, tmp_path) == {"clickhouse": Level.BROKEN}
    server.close()
    store.close()


def test_nobody_there_beside_a_file_of_before(tmp_path: Path) -> None:
    few(tmp_path)
    found = examine(Settings(data=tmp_path, clicks_url="clickhouse://me:secret@127.0.0.1:9/x"))
    [said] = [finding for finding in found if finding.name == "clickhouse"]
    assert said.level is Level.BROKEN
    assert "does not answer at 127.0.0.1:9" in said.what
    assert "secret" not in f"{found}"


def test_what_is_asked_of_a_cluster(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server, asked = Server(ClickHouseStore(where).address), list[str]()
    server.address = replace(server.address, cluster="c")
    answers = {
        "FROM clusterAllReplicas(c, system.replicas)": {
            "host": np.array(["a", "b", "d"], object),
            "readonly": np.array([0, 1, 0]),
            "behind": np.array([0, 0, 90]),
        },
        "FROM system.clusters": {"servers": np.array([4])},
    }
    ask = server.ask

    def noted(sql: str) -> dict[str, np.ndarray]:
        asked.append(sql)
        return next(answer for part, answer in answers.items() if part in sql)

    monkeypatch.setattr(server, "ask", noted)
    found = list(clickhouse._replicas(server))
    assert [finding.level for finding in found] == [Level.WARNING, Level.BROKEN, Level.WARNING]
    assert "3 of 4" in found[0].what
    assert " b " in found[1].what
    assert "d is 90 seconds" in found[2].what
    for sql in asked:
        assert ask("SELECT formatQuery({sql:String}) AS sql", {"sql": sql})["sql"][0]
        ask(sql.replace("clusterAllReplicas(c, system.replicas)", "system.replicas"))  # the columns are there
