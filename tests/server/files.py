"""Clicks in files, and a data folder to bring them in to."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from tests.server.served import Ended, Served, quickly, until


def write(file: Path, rows: list[dict[str, Any]]) -> Path:
    if file.suffix == ".csv":
        names = ("Time", "code", "ip", "url", "user_agent", "referrer", "language", "lat", "lon")
        with file.open("w", encoding="utf-8-sig", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(names)
            writer.writerows([row.get(name.lower(), "") for name in names] for row in rows)
    elif file.suffix == ".parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), file)
    else:
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


@dataclass(frozen=True)
class Place:
    """A data folder, and the server on it if one is running."""

    data: Path
    served: Served | None

    def bring_in(self, name: str, rows: list[dict[str, Any]]) -> Ended:
        return quickly("import", write(self.data.with_name(name), rows), data=self.data)

    def uploaded(self, file: Path) -> dict[str, Any]:
        """What the API of a running server says of an import, once it is over."""
        assert self.served is not None
        with self.served.client() as client:
            asked = client.post("/api/imports", params={"name": file.name}, content=file.read_bytes())
            job = asked.raise_for_status().json()["id"]

            def over() -> dict[str, Any] | None:
                told: dict[str, Any] = client.get(f"/api/imports/{job}").raise_for_status().json()
                return told if told["state"] in ("done", "failed") else None

            found: dict[str, Any] = until(over, "imported")
            return found

    def exported(self, *links: str) -> list[dict[str, Any]]:
        """By the API of a running server, by the command line without one."""
        if self.served is None:
            flags = [word for link in links for word in ("--link", link)]
            text = quickly("export", "--format", "ndjson", *flags, data=self.data).stdout
        else:
            with self.served.client() as client:
                self.served.settled(client, 1)
                query = {"network": "all", "link": links}
                text = client.get("/api/export/clicks.ndjson", params=query).raise_for_status().text
        return [json.loads(line) for line in text.splitlines()]
