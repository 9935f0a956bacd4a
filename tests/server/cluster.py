"""Several machines in one: an app, two redirectors that count their own clicks, a ClickHouse, a PostgreSQL, and the wires between."""

from __future__ import annotations

import statistics
from collections import Counter
from pathlib import Path
from urllib.request import Request, urlopen

import httpx

from tests.clickhouse import PASSWORD, ClickHouse
from tests.server.load import Load
from tests.server.making import make, word
from tests.server.parts import Part
from tests.server.served import Served, free_port, quickly, until
from tests.wires import HttpWire, Wire

PAUSE_S = 0.01
SILENT_S = 3  # that ClickHouse may be silent, so that what hangs is given up while somebody looks
COUNTS = ("place_days", "place_months", "time_quarters", "seen")


class Machine:
    """A redirector, and who counts its clicks, on one data folder."""

    def __init__(self, data: Path, app_url: str, env: dict[str, str]) -> None:
        self.data, self.env = data, env
        self.redirect = Part("redirect", data, "--app-url", app_url, **env)
        self.ingest = Part("ingest", data, "--ingest-interval-ms", "100", **env)

    def launch(self) -> None:
        self.redirect.launch()
        self.ingest.launch()

    def faults(self) -> list[str]:
        """Names of what is wrong, as its `/health` says."""
        return [
            fault["name"] for fault in httpx.get(f"{self.redirect.url}/health", timeout=30).json()["faults"]
        ]

    @property
    def is_ready(self) -> bool:
        return httpx.get(f"{self.redirect.url}/health/ready", timeout=30).status_code == 200

    @property
    def is_running(self) -> bool:
        """Whether anything of it is."""
        started = (self.redirect.process, self.ingest.process)
        return any(process is not None and process.poll() is None for process in started)

    def kill(self) -> None:
        for part in (self.redirect, self.ingest):
            if part.process is not None and part.process.poll() is None:
                part.kill()


class Cluster:
    """All of it, started; `code` is a link that everybody knows."""

    def __init__(self, folder: Path, data: list[Path], database_url: str) -> None:
        self.database_url = database_url
        self.clickhouse = ClickHouse(folder / "clickhouse", free_port())
        self.wire = HttpWire(free_port(), self.clickhouse.port)
        url = httpx.URL(database_url)
        assert url.port
        self.postgres_wire = Wire(free_port(), url.port)
        self.env = {
            "CLICKATLAS_DATABASE_URL": str(url.copy_with(port=self.postgres_wire.port)),
            "CLICKATLAS_CLICKS_URL": f"{self.clickhouse.url(port=self.wire.port)}?timeout={SILENT_S}",
        }
        self.app = Part("app", data[0], "--public-url", "https://links.example", **self.env)
        self.machines = [Machine(one, self.app.url, self.env) for one in data[1:]]
        self.code, self.token = word(), ""
        self.api = httpx.Client()

    def start(self) -> Cluster:
        self.clickhouse.start()
        self.app.launch()
        for machine in self.machines:
            machine.launch()
        for served in self.served():
            served.wait()
        said = quickly("token", "create", "--name", "t", "--scope", "admin", data=self.app.data, **self.env)
        self.token = said.stdout.strip()
        self.api = self.app.client(self.token)
        make(self.api, code=self.code)
        for machine in self.machines:
            until(lambda: location(machine.redirect, self.code), "known there")  # noqa: B023
        return self

    def served(self) -> list[Served]:
        return [self.app, *(machine.redirect for machine in self.machines)]

    def stop(self) -> None:
        self.app.kill()
        for machine in self.machines:
            machine.kill()
        self.clickhouse.kill()
        self.wire.close()
        self.postgres_wire.close()

    def moved(self, lost: Machine, data: Path) -> None:
        """A machine's disk is in another one, which goes on in its place."""
        made = Machine(data, self.app.url, self.env)
        self.machines[self.machines.index(lost)] = made
        made.launch()
        made.redirect.wait()

    def load(self, name: str, machine: int, threads: int = 1) -> Load:
        """Clicks on one of the machines."""
        return self.load_on(self.machines[machine].redirect, self.code, f"{name}{machine}", threads)

    def load_on(self, served: Served, code: str, name: str, threads: int = 1) -> Load:
        """Clicks of a link, wherever they are answered."""
        return Load(served.port, code, name, threads, pause_s=PAUSE_S)

    def ask(self, sql: str) -> list[list[str]]:
        """What ClickHouse itself says, by no wire and no program of ours."""
        headers = {"X-ClickHouse-User": "tests", "X-ClickHouse-Key": PASSWORD}
        asked = Request(f"http://127.0.0.1:{self.clickhouse.port}/", sql.encode(), headers)
        with urlopen(asked, timeout=60) as answer:
            return [line.split("\t") for line in answer.read().decode().splitlines()]

    def counted(self, *loads: Load) -> Counter[str]:
        """How often each click of some loads is in ClickHouse."""
        names = tuple(f"{load.name}-" for load in loads)
        rows = self.ask("SELECT referrer, count() FROM clickatlas.clicks GROUP BY referrer")
        return Counter({mark: int(times) for mark, times in rows if mark.startswith(names)})

    def each_once(self, *loads: Load) -> None:
        """Every answered click is counted, none twice and none that nobody sent; so it is in each table of counts."""
        answered, sent = (set().union(*(getattr(load, of) for load in loads)) for of in ("answered", "sent"))
        assert len(answered) > 50 * len(loads)
        until(lambda: answered <= set(self.counted(*loads)), "all of them counted", 120)
        found = self.counted(*loads)
        assert not (twice := [mark for mark, times in found.items() if times > 1]), twice[:5]
        assert not (strange := set(found) - sent), sorted(strange)[:5]
        assert not (lost := answered - set(found)), sorted(lost)[:5]

        def is_even() -> bool:  # a batch at hand is in the clicks a moment before it is in their counts
            total, *others = (int(self.ask(f"SELECT {what}")[0][0]) for what in (
                "count() FROM clickatlas.clicks", *(f"sum(clicks) FROM clickatlas.{name}" for name in COUNTS)
            ))  # fmt: skip
            return others == [total] * len(others)

        until(is_even, "as many in each table of counts", 120)


def location(served: Served, code: str) -> str | None:
    """Where a link leads there; None where it is not known."""
    return httpx.get(f"{served.url}/{code}", timeout=30).headers.get("location")


def middle(load: Load, since: int = 0) -> float:
    """Seconds that an answer took, in the middle of those from number `since` on."""
    return statistics.median(load.took[since:])
