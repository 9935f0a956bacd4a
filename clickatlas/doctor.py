"""`clickatlas doctor`: what is wrong, in plain words, and how to mend it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clickatlas.atlas import files
from clickatlas.errors import Problem
from clickatlas.processes import is_held
from clickatlas.settings import Settings

OLD_DAYS = 30  # GeoLite2 is renewed twice a week, and its licence asks users to follow within 30 days
FULL_PART, FULL_BYTES = 0.05, 1 << 30
LAG_SECONDS = 10.0


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    wrong: bool
    what: str
    mend: str = ""

    def text(self) -> str:
        """Two lines for a terminal."""
        mark = "✗" if self.wrong else "✓"
        return f"{mark} {self.what}" + (f"\n    → {self.mend}" if self.mend else "")


def examine(settings: Settings) -> list[Finding]:
    """Look at everything that can be looked at from here."""
    running = is_held(settings.data)
    findings = [*_atlas(settings.data / "atlas"), *_page(), *_disk(settings.data), *_aside(settings.data)]
    try:
        status = _status(settings, running)
    except Problem as problem:
        return [*findings, Finding(True, problem.detail, problem.remedy)]
    return [*findings, *judge(status, running, settings.trusted_proxies)]


def judge(status: dict[str, Any], running: bool, trusted_proxies: tuple[str, ...]) -> Iterator[Finding]:
    """Findings on what the server (or, without one, the store) says of itself."""
    lag = status["ingest"]
    if not running:
        waiting = f"; {lag['lag_clicks']:,} clicks wait in the spool" if lag["lag_clicks"] else ""
        yield Finding(False, f"The server is not running{waiting}.", "Start it with 'clickatlas serve'.")
    elif lag.get("error"):
        yield Finding(
            True, f"Counting fails: {lag['error']}", "The spool keeps all clicks. See the server's log."
        )
    elif lag["lag_seconds"] > LAG_SECONDS:
        yield Finding(
            True,
            f"Counting is {lag['lag_seconds']:.0f} s behind ({lag['lag_clicks']:,} clicks wait in the spool).",
            "It catches up by itself. If this stays, raise store_memory or give the machine a faster disk.",
        )
    else:
        yield Finding(False, "The server is running, and counting keeps up.")
    clicks, private = status["store"]["clicks"], status["store"]["private"]
    if clicks and private == clicks:
        trusted = ", ".join(trusted_proxies) or "none"
        yield Finding(
            True,
            f"All {clicks:,} clicks come from private addresses, so none has a place. A reverse proxy hides "
            f"the visitors (trusted_proxies: {trusted}).",
            "Set trusted_proxies to the proxy's network, such as 127.0.0.1/32 or 10.0.0.0/8, and let the proxy "
            "set X-Forwarded-For.",
        )
    elif clicks:
        yield Finding(False, f"{clicks:,} clicks; {private / clicks:.0%} from private addresses.")
    else:
        yield Finding(False, "No clicks yet.", "Shorten a link, share it, or try 'clickatlas demo'.")


def _atlas(root: Path) -> Iterator[Finding]:
    try:
        folder = files.current(root)
        built = datetime.fromisoformat(files.about(folder)["built"]) if folder else None
    except Problem as problem:
        yield Finding(True, problem.detail, problem.remedy or "Run 'clickatlas atlas update'.")
        return
    if built is None:
        yield Finding(True, "There is no atlas: no address can be located.", "Run 'clickatlas atlas update'.")
        return
    days = (datetime.now(UTC) - built).days
    if days >= OLD_DAYS:
        yield Finding(
            True,
            f"The City database is {days} days old; places drift, and GeoLite2's licence asks for {OLD_DAYS}.",
            "Run 'clickatlas atlas update'. Where npm's copy is no newer, set maxmind_account and maxmind_key, "
            "which are free.",
        )
    else:
        yield Finding(False, f"The City database is {days} days old.")


def _page() -> Iterator[Finding]:
    if not (Path(__file__).parent / "static" / "index.html").is_file():
        yield Finding(True, "The web page is not built.", "Run 'make run', which builds it.")


def _disk(data: Path) -> Iterator[Finding]:
    usage = shutil.disk_usage(next(folder for folder in (data, *data.parents) if folder.is_dir()))
    if usage.free < FULL_BYTES or usage.free < FULL_PART * usage.total:
        yield Finding(
            True,
            f"The disk of {data} is nearly full: {usage.free / 1e9:.1f} GB free of {usage.total / 1e9:.0f} GB.",
            "Make room. Short links go on when it is full, but clicks can't be written down.",
        )
    else:
        yield Finding(False, f"{usage.free / 1e9:.0f} GB free on the disk.")


def _aside(data: Path) -> Iterator[Finding]:
    aside = list((data / "spool-aside").glob("*"))
    if aside:
        yield Finding(
            True,
            f"{len(aside)} spool segments could not be read to the end and were put aside.",
            f"See {data / 'spool-aside'} and the server's log; delete them when you have.",
        )


def _status(settings: Settings, running: bool) -> dict[str, Any]:
    if running:
        from clickatlas.local import answer

        with answer(settings, "/api/status") as response:
            found: dict[str, Any] = json.loads(response.read())
            return found
    from clickatlas.clicks.duckdb import DuckDBStore
    from clickatlas.clicks.filter import Selection
    from clickatlas.clicks.ingest import Ingest

    path = settings.data / "clicks.duckdb"
    if not path.exists():
        return {"ingest": {"lag_clicks": 0, "lag_seconds": 0.0}, "store": {"clicks": 0, "private": 0}}
    store = DuckDBStore(path, read_only=True)
    try:
        counts = store.place_counts(Selection())
        lag = Ingest(settings.data / "spool", store).lag()
        private = counts.clicks[counts.keys == 1].sum()
        return {
            "ingest": {"lag_clicks": lag.clicks, "lag_seconds": 0.0},
            "store": {"clicks": int(counts.clicks.sum()), "private": int(private)},
        }
    finally:
        store.close()
