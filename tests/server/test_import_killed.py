"""`clickatlas import` killed on its way and run again: each row is counted once."""

from __future__ import annotations

import random
import subprocess
import time
from collections import Counter

from tests.server.files import Place
from tests.server.served import PROGRAM, command, environment

ROWS = 52_000  # two chunks


def test_killed_and_run_again_nothing_is_doubled(place: Place) -> None:
    file = place.data.with_name("many.csv")
    rows = "".join(
        f"2026-11-0{1 + n % 9},k,18.9.22.69,https://m{n}.example/,https://example.com\n" for n in range(ROWS)
    )
    file.write_text("time,code,ip,referrer,url\n" + rows)
    line = [PROGRAM, "import", str(file), "--data", str(place.data)]
    rng = random.Random(5)
    began = time.monotonic()
    said = command("import", file, "--again", data=place.data).stdout  # how long one takes, today
    whole = time.monotonic() - began
    assert said.startswith(f"{ROWS:,} clicks imported")
    file.write_text(file.read_text() + "2026-11-01,k,18.9.22.69,https://last.example/,\n")  # another file now
    for part in (0.3, 0.6, 0.8, 0.9, 1.0):
        process = subprocess.Popen(
            line, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(whole * part * rng.uniform(0.8, 1.1))
        process.kill()
        process.wait()
    said = command("import", file, data=place.data).stdout
    assert said.startswith((f"{ROWS + 1:,} clicks imported", "This file was imported before"))
    assert "imported before" in command("import", file, data=place.data).stdout
    referrers = Counter(row["referrer"] for row in place.exported())
    assert referrers["last.example"] == 1
    assert {referrers[f"m{n}.example"] for n in range(ROWS)} == {2}
    assert sum(referrers.values()) == 2 * ROWS + 1
    assert {path.suffix for path in (place.data / "imports").iterdir()} == {".json", ".npy"}
