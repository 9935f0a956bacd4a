"""With `keep_clicks_days`, an answer that can't know older clicks says since when it knows them; no other does."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from clickatlas.atlas import files
from clickatlas.atlas.atlas import Atlas
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.store import Batch
from clickatlas.redirect.record import RECORD, Agent
from tests.frames import read
from tests.server.making import make
from tests.server.served import Served, until

DAY = 86_400_000
CLICKS, KEPT = 40, 10  # one a day


def test_since(data_folder: Callable[[str], Path]) -> None:
    data = data_folder("since")
    folder = files.current(data / "atlas")
    assert folder is not None
    now = round(time.time() * 1000)
    records = np.zeros(CLICKS, RECORD)
    records["time"], records["link"] = now - np.arange(CLICKS) * DAY, 1
    records["place"] = np.asarray(Atlas.open(folder).places.key)[-1]
    store = DuckDBStore(data / "clicks.duckdb")
    store.append(Batch(records, [Agent("mobile", "Safari", "iOS", "de")], [""], {}))
    store.close()
    midnight = datetime.fromtimestamp((now // DAY - KEPT) * DAY / 1000, UTC)
    served = Served(data).start(CLICKATLAS_KEEP_CLICKS_DAYS=str(KEPT))
    try:
        with served.client() as client:
            make(client)
            until(lambda: client.get("/api/filters").json()["kept_since"], "older clicks are let go of")
            area = client.get("/api/analytics/geo/countries").json()["rows"][0]["id"]

            def ask(path: str, **query: str) -> tuple[datetime | None, int]:
                found = client.get(f"/api/analytics/{path}", params=query).raise_for_status().json()
                return found["since"] and datetime.fromisoformat(found["since"]), found["total"]

            def film(bucket: str, **query: str) -> tuple[str | None, int]:
                about = read(
                    client.get("/api/heat/frames", params={"bucket": bucket, **query}).content
                ).header
                return about["since"], sum(frame["clicks"] for frame in about["frames"])

            single = midnight, KEPT + 1
            assert ask("clicks", bucket="hour") == (None, CLICKS)
            assert ask("clicks", bucket="day", area=area) == (None, CLICKS)
            assert ask("clicks", bucket="hour", area=area) == single
            recent = {"bucket": "hour", "area": area, "from": midnight.isoformat()}
            assert ask("clicks", **recent) == (None, KEPT + 1)
            assert ask("hours") == (None, CLICKS)
            assert ask("hours", clock="place") == single
            assert ask("breakdown", by="device") == (None, CLICKS)
            assert ask("breakdown", by="device", area=area) == single
            assert ask("breakdown", by="browser") == single
            assert ask("breakdown", by="link") == (None, CLICKS)
            assert ask("breakdown", by="link", area=area) == single
            assert film("day") == (None, CLICKS)
            assert film("hour") == (midnight.isoformat(), KEPT + 1)
    finally:
        served.stop()
