"""A newer atlas is taken up by a running server, and old clicks keep their meaning."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

import httpx

from clickatlas.atlas.files import activate, current
from clickatlas.atlas.update import KNOWN
from tests.atlas_fixtures import built_atlas
from tests.atlas_mmdb import write_mmdb
from tests.server.served import Served, command, quickly, until
from tests.unit.test_atlas_layouts import geolite
from tests.unit.test_atlas_update import town

OFFLINE = {"PIP_NO_INDEX": "1"}  # nobody is asked for a newer table of network kinds


def test_a_running_server_takes_up_another_atlas(tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(built_atlas(), data / "atlas")
    root = data / "atlas"
    first = current(root)
    assert first is not None
    shutil.copytree(first, root / "another")
    about = root / "another" / "atlas.json"
    about.write_text(about.read_text("utf-8").replace(first.name, "another"), "utf-8")

    served = Served(data).start()
    try:
        with served.client() as client:
            made = client.post("/api/links", json={"url": "https://example.com", "code": "swap"})
            assert made.status_code == 201
            client.get("/swap", headers={"x-forwarded-for": "18.9.22.69", "user-agent": "Mozilla/5.0"})
            served.settled(client, 1)
            activate(root, "another")
            until(lambda: client.get("/api/atlas").json()["version"] == "another", "the new atlas in use")
            shutil.rmtree(first)  # nobody needs it any more
            client.get("/swap", headers={"x-forwarded-for": "18.9.22.69", "user-agent": "Mozilla/5.0"})
            served.settled(client, 2)
            [row] = client.get("/api/analytics/geo/swap/postal-codes").json()["rows"]
            assert (row["postal_code"], row["clicks"]) == ("02139", 2)
    finally:
        served.stop()


def month(file: Path, built: int, cambridge: str, **more: Any) -> Path:
    """A small City database of one month; `cambridge` is where the network of Cambridge is in it."""
    networks = {
        f"{address}/32": town(country, "Town", 10.0 + n) for n, (address, country) in enumerate(KNOWN)
    }
    return write_mmdb(file, networks | {cambridge: geolite()} | more, built=built)


def test_updating_and_going_back_while_the_server_answers(tmp_path: Path) -> None:
    """The commands that an operator types; no visitor waits or is lost, and old clicks stay where they were."""
    data = tmp_path / "data"
    first = month(tmp_path / "first.mmdb", 1_700_000_000, "18.10.0.0/24")
    lubeck = town("DE", "Lübeck", 53.9)
    second = month(tmp_path / "second.mmdb", 1_702_600_000, "18.11.0.0/24", **{"18.10.0.0/24": lubeck})
    quickly("atlas", "update", "--file", first, data=data, **OFFLINE)
    served = Served(data).start()
    stop, answers = threading.Event(), list[int]()

    def visit() -> None:
        with httpx.Client(base_url=served.url, timeout=30) as visitor:
            while not stop.wait(0.02):
                headers = {"x-forwarded-for": "18.10.0.7", "user-agent": "Mozilla/5.0"}
                answers.append(visitor.get("/swap", headers=headers).status_code)

    visiting = threading.Thread(target=visit)
    try:
        with served.client() as client:
            client.post("/api/links", json={"url": "https://example.com", "code": "swap"}).raise_for_status()

            def cities() -> dict[str, int]:
                rows = client.get("/api/analytics/geo/swap/cities").json()["rows"]
                return {row["city"]: row["clicks"] for row in rows}

            def version() -> str:
                return str(client.get("/api/atlas").json()["version"])

            visiting.start()
            until(lambda: cities().get("Cambridge", 0) >= 5, "clicks from Cambridge")
            old = version()
            done = command("atlas", "update", "--file", second, data=data, **OFFLINE)
            assert "In use: 2023-12-15-" in done.stdout
            until(lambda: version() != old, "the new atlas in use")
            until(lambda: cities().get("Lübeck", 0) >= 5, "clicks from Lübeck")
            cambridge = cities()["Cambridge"]
            assert cambridge >= 5, "the place is in the newer file, too, elsewhere: its key is the same"
            assert "In use: 2023-11-14-" in command("atlas", "rollback", data=data).stdout
            until(lambda: version() == old, "the atlas before in use")
            until(lambda: cities()["Cambridge"] > cambridge, "clicks from Cambridge again")
            stop.set()
            visiting.join()
            served.settled(client, len(answers))
            assert set(answers) == {302}

            def total() -> int:
                return int(client.get("/api/analytics/geo/swap/cities").json()["total"])

            # An answer may rest for a second.
            until(lambda: total() >= len(answers), "every click, in whichever atlas it was located")
            assert total() == len(answers)
    finally:
        stop.set()
        served.stop()
