"""A ClickHouse on a socket for tests: its engine in a process of its own (`clickhouse_http`), on a folder that outlives it."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

PASSWORD = "a password that is nowhere else: /@:"  # with what a URL has to escape
ESCAPED = "a%20password%20that%20is%20nowhere%20else%3A%20%2F%40%3A"
ROOT = Path(__file__).parent.parent
PATIENCE_S = 60.0


class ClickHouse:
    """Start, stop and kill it as often as you like; always on the same port."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.log = folder.with_name(f"{folder.name}.log")
        self.process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "clickatlas", port: int = 0) -> str:
        """What `clicks_url` is set to; `port` of what stands between."""
        return f"clickhouse://tests:{ESCAPED}@127.0.0.1:{port or self.port}/{database}"

    def start(self) -> ClickHouse:
        """Until it answers."""
        line = [
            sys.executable,
            "-m",
            "tests.clickhouse_http",
            "--data",
            str(self.folder),
            "--port",
            str(self.port),
        ]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*line, "--user", "tests", "--password", PASSWORD], cwd=ROOT, stdout=log, stderr=log
            )
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self.process.poll() is None:
            with suppress(OSError), urlopen(f"http://127.0.0.1:{self.port}/ping", timeout=5) as answer:
                if answer.read() == b"Ok.\n":
                    return self
            time.sleep(0.05)
        self.kill()
        raise AssertionError(self.log.read_text())

    def stop(self) -> None:
        """End it in order."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE_S)

    def kill(self) -> None:
        """SIGKILL: what is on its disk is all there is."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE_S)
