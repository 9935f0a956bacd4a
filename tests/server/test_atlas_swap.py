"""A newer atlas is taken up by a running server, and old clicks keep their meaning."""

from __future__ import annotations

import shutil
from pathlib import Path

from clickatlas.atlas.files import activate, current
from tests.atlas_fixtures import built_atlas
from tests.server.served import Served, until


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
