"""What breaks between machines, over real sockets: each answered click is counted once, and redirects don't notice.

An app and two redirectors, each with a data folder of its own, a PostgreSQL, and ClickHouse's engine behind its HTTP interface in a
process of its own (`tests/clickhouse_http.py` says what of it is not ClickHouse's). What stands between them is broken on purpose.
"""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from clickatlas.links.database import LinksDatabase
from clickatlas.links.links import change
from clickatlas.links.models import Link
from tests.postgres import Databases
from tests.server.cluster import SILENT_S, Cluster, location, middle
from tests.server.heard import Heard
from tests.server.load import Load
from tests.server.making import make, word
from tests.server.parts import Part
from tests.server.problems import is_problem
from tests.server.served import command, quickly
from tests.server.served import until as patiently
from tests.wires import What

CLICKS, NOTES = "INSERT INTO clickatlas.clicks", "INSERT INTO clickatlas.spool_positions"
ARRIVALS = "FROM clickatlas.arrivals"
READS = "FROM clickatlas.spool_positions"
SLOW_S = 1.0
UNNOTICED_S = 0.25  # what the middle answer may take longer, on two cores that are busy with mending


# All of it runs on one machine, which may have others' tests, too, and what starts again gives way to them.
def until(true: Callable[[], Any], what: str, patience: float = 120.0) -> Any:
    return patiently(true, what, patience)


@pytest.fixture(scope="module")
def cluster(
    tmp_path_factory: pytest.TempPathFactory, data_folder: Callable[[str], Path], databases: Databases
) -> Iterator[Cluster]:
    folders = [data_folder(name) for name in ("app", "one", "two")]
    made = Cluster(tmp_path_factory.mktemp("cluster"), folders, databases.migrated())
    try:
        yield made.start()
    finally:
        made.stop()


@contextmanager
def visitors(cluster: Cluster, name: str, *, ends: int = -1) -> Iterator[list[Load]]:
    """Visitors of both machines meanwhile. Each has an answer, as soon as before, and is counted once; those of
    machine `ends` may be refused a connection.
    """
    loads = [cluster.load(name, number) for number in range(len(cluster.machines))]
    with ExitStack() as running:
        for load in loads:
            running.enter_context(load)
        until(lambda: all(len(load.took) > 30 for load in loads), "answers")
        before = [(len(load.took), middle(load)) for load in loads]
        yield loads
        more(loads)
    for number, (load, (first, usual)) in enumerate(zip(loads, before, strict=True)):
        assert number == ends or load.sent == load.answered
        assert not load.refused
        assert middle(load, first) < usual + UNNOTICED_S
    cluster.each_once(*loads)


def more(loads: list[Load], clicks: int = 20) -> None:
    """Until there are some more answers."""
    wanted = [len(load.answered) + clicks for load in loads]
    until(lambda: all(len(load.answered) >= n for load, n in zip(loads, wanted, strict=True)), "more answers")


def test_clickhouse_is_slow(cluster: Cluster) -> None:
    with visitors(cluster, "slow") as loads, cluster.wire.slow(SLOW_S):
        done = cluster.wire.answered + 8
        until(lambda: cluster.wire.answered >= done, "slow answers")
        more(loads)


def test_what_is_lost_between_question_and_answer(cluster: Cluster) -> None:
    """Every kind of break at every step of a batch, many of them of the same batch."""
    met = [(what, words) for what in What for words in (CLICKS, NOTES, READS)]
    random.Random(8).shuffle(met)
    with visitors(cluster, "lost"):
        faults = [cluster.wire.fault(what, words) for what, words in met]
        until(lambda: all(fault.is_over for fault in faults), "each of them met")


@pytest.mark.parametrize("after_s", [0.0, 0.01, 0.03])
def test_clickhouse_is_killed_while_it_stores_a_batch(cluster: Cluster, after_s: float) -> None:
    def end() -> None:
        time.sleep(after_s)
        cluster.clickhouse.kill()

    with visitors(cluster, f"killed{after_s}") as loads:
        fault = cluster.wire.fault(What.LOST, CLICKS, then=end)
        until(lambda: fault.is_over, "killed")
        for machine in cluster.machines:
            until(lambda: "ingest_failing" in machine.faults(), "said by /health")  # noqa: B023
            assert machine.is_ready
        more(loads)
        cluster.clickhouse.start()
        for machine in cluster.machines:
            until(lambda: "ingest_failing" not in machine.faults(), "well again")  # noqa: B023


def test_clickhouse_takes_everything_and_answers_nothing(cluster: Cluster) -> None:
    with visitors(cluster, "hung") as loads:
        with cluster.wire.hung():
            for machine in cluster.machines:
                until(lambda: "ingest_failing" in machine.faults(), "said by /health")  # noqa: B023
            more(loads)
            make(cluster.api)  # links don't wait for clicks
            began = time.monotonic()
            for _ in range(10):  # and questions don't each wait
                told = is_problem(cluster.api.get("/api/status"), 503)
                assert told["title"] == "The click store can't be reached"
            assert time.monotonic() - began < 5 * SILENT_S
        for machine in cluster.machines:
            until(lambda: "ingest_failing" not in machine.faults(), "well again")  # noqa: B023


def test_postgresql_is_gone(cluster: Cluster, tmp_path: Path) -> None:
    first = cluster.machines[0]
    with visitors(cluster, "links") as loads:
        with cluster.postgres_wire.gone():
            for machine in cluster.machines:
                until(lambda: "links" in machine.faults(), "said by /health")  # noqa: B023
                assert machine.is_ready
                assert httpx.get(f"{machine.redirect.url}/not-known").status_code == 503
            assert cluster.api.patch(f"/api/links/{cluster.code}", json={"title": "x"}).status_code == 503
            first.ingest.stop()
            first.ingest.launch()
            waiting = set(loads[0].answered)
            until(lambda: waiting <= set(cluster.counted(loads[0])), "counted without it, after a start")
            elsewhere = LinksDatabase(tmp_path, cluster.database_url)
            with elsewhere.writing() as session:  # by a machine that still has it
                link = session.scalars(select(Link).where(Link.code == cluster.code)).one()
                change(session, link, {"url": "https://example.com/new"})
            elsewhere.close()
        new = {"https://example.com/new"}
        until(lambda: {location(m.redirect, cluster.code) for m in cluster.machines} == new, "told", 10.0)
        for machine in cluster.machines:
            until(lambda: not {"links", "ingest_failing"} & {*machine.faults()}, "well again")  # noqa: B023
        until(lambda: cluster.api.get("/api/links").status_code == 200, "its links again")


def test_a_machine_is_lost_in_the_middle_of_a_batch_and_its_disk_is_not(
    cluster: Cluster, tmp_path: Path
) -> None:
    lost = cluster.machines[1]
    with cluster.load("disk", 1) as load:
        until(lambda: len(load.answered) > 60, "answers")
        fault = cluster.wire.fault(What.UNANSWERED, CLICKS, then=lost.kill)
        until(lambda: fault.is_over and not lost.is_running, "killed")
    assert load.answered < load.sent
    assert not load.answered <= set(cluster.counted(load))
    moved = tmp_path / "moved"
    shutil.move(lost.data, moved)
    ended = command("ingest", "--once", data=moved, code=0, **cluster.env)
    assert "cut short" in ended.stderr
    assert "clicks moved" in ended.stdout
    cluster.each_once(load)
    assert quickly("ingest", "--once", data=moved, code=0, **cluster.env).stdout.startswith("0 clicks")
    cluster.moved(lost, moved)
    with visitors(cluster, "elsewhere"):
        pass


def test_each_part_is_started_again_under_load(cluster: Cluster) -> None:
    [first, second] = cluster.machines
    with visitors(cluster, "again", ends=0) as loads:
        first.ingest.stop()
        more(loads)
        first.ingest.launch()
        first.redirect.stop()
        more(loads[1:])
        first.redirect.launch()
        second.ingest.kill()
        cluster.app.stop()
        more(loads[1:])
        cluster.app.launch()  # while ClickHouse is away, too
        second.ingest.launch()
        cluster.clickhouse.stop()
        more(loads[1:])
        cluster.clickhouse.start()
        for served in cluster.served():
            served.wait()
        more(loads)


def test_the_page_is_told_live_of_what_every_machine_counts(cluster: Cluster) -> None:
    """By the app, which counts none of the others' clicks; while batches come again, and ClickHouse is away."""
    code = make(cluster.api, code=word())["code"]
    own = Part(
        "redirect", cluster.app.data, **cluster.env
    )  # what it writes down is counted by the app itself
    streets = [*(machine.redirect for machine in cluster.machines), own]
    own.launch()
    try:
        own.wait()
        with Heard(cluster.app, f"/api/analytics/live/{code}", token=cluster.token) as heard:
            for street in streets:
                until(lambda: location(street, code), "known there")  # noqa: B023
            until(lambda: heard.count == len(streets), "heard")
            loads = [cluster.load_on(street, code, f"live{at}") for at, street in enumerate(streets)]
            with ExitStack() as running:
                for load in loads:
                    running.enter_context(load)
                until(lambda: all(len(load.answered) > 30 for load in loads), "answers")
                met = [(What.LOST, CLICKS), (What.DENIED, CLICKS), (What.CUT, CLICKS)]
                met += [(what, ARRIVALS) for what in (What.LOST, What.TORN, What.DENIED, What.REFUSED)]
                faults = [cluster.wire.fault(what, words) for what, words in met]
                until(lambda: all(fault.is_over for fault in faults), "each of them met")
                cluster.clickhouse.kill()
                more(loads)
                cluster.clickhouse.start()
                more(loads)
                until(lambda: heard.count > sum(len(load.answered) for load in loads) // 2, "heard again")
            cluster.each_once(*loads)
            clicks = cluster.counted(*loads).total() + len(streets)
            until(lambda: heard.count >= clicks, "all of them heard")
            until(lambda: location(streets[0], code), "one more")
            until(lambda: heard.count > clicks, "and heard")
            assert heard.count == clicks + 1
            marks = [click["referrer"] for click in heard.clicks if click["referrer"]]
            assert len(set(marks)) == len(marks) > 50
    finally:
        own.stop()


def test_the_app_knows_all_of_them(cluster: Cluster) -> None:
    [[clicks]] = cluster.ask("SELECT count() FROM clickatlas.clicks")
    until(lambda: cluster.api.get("/api/status").json()["store"]["clicks"] == int(clicks), "the same number")
    for served in cluster.served():
        said = served.log.read_text()
        assert "Traceback" not in said, said[said.index("Traceback") - 1000 :][:4000]
