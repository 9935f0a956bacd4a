"""Load on a redirector: wrk where it is installed, else a client of our own."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.servers import CODE
from clickatlas.demo import BROWSERS

CONNECTIONS = 32

# One prepared request after the other, so that Lua costs wrk next to nothing.
SCRIPT = """
local requests, at = {}, 0
init = function(args)
  for head in io.lines(args[1]) do requests[#requests + 1] = head:gsub("|", "\\r\\n") .. "\\r\\n\\r\\n" end
end
request = function() at = at % #requests + 1; return requests[at] end
done = function(summary, latency)
  local e = summary.errors
  print("RESULT", summary.requests, summary.duration, latency:percentile(99),
        e.connect + e.read + e.write + e.status + e.timeout)
end
"""


class Result(NamedTuple):
    """What one run saw."""

    answered: int
    per_second: float
    p99: float  # seconds
    errors: int


def write_requests(folder: Path, addresses: Sequence[str]) -> Path:
    """A file of request heads, a line each with ``|`` between headers; each comes from another address."""
    browsers = cycle(agent for agent, _ in BROWSERS)
    file = folder / "requests.txt"
    with file.open("w") as out:
        for address, browser in zip(addresses, browsers, strict=False):
            print(
                f"GET /{CODE} HTTP/1.1|Host: 127.0.0.1|User-Agent: {browser}|Accept-Language: en-GB,en;q=0.9"
                f"|Accept: text/html|X-Forwarded-For: {address}",
                file=out,
            )
    (folder / "requests.lua").write_text(SCRIPT)
    return file


def has_wrk() -> bool:
    """Whether wrk is installed."""
    return shutil.which("wrk") is not None


def run(port: int, requests: Path, seconds: int) -> Result:
    """Load 127.0.0.1:`port` through 32 connections."""
    if not has_wrk():
        return asyncio.run(_ours(port, requests, seconds))
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(requests.with_suffix(".lua"))]
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{port}/", "--", str(requests)],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 30,
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT"))
    answered, lasted_us, p99_us, errors = (float(word) for word in line.split()[1:])
    return Result(int(answered), answered / lasted_us * 1e6, p99_us / 1e6, int(errors))


async def _ours(port: int, requests: Path, seconds: int) -> Result:
    """The same from Python: one request at a time on each connection. It is itself the limit of fast servers."""
    heads = cycle(
        line.replace("|", "\r\n").encode() + b"\r\n\r\n" for line in requests.read_text().split("\n")
    )
    taken: list[float] = []
    errors = 0
    started = time.perf_counter()

    async def visit() -> None:
        nonlocal errors
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < started + seconds:
            asked = time.perf_counter()
            writer.write(next(heads))
            head = await reader.readuntil(b"\r\n\r\n")
            if length := head.lower().partition(b"content-length:")[2]:
                await reader.readexactly(int(length.split(b"\r\n", 1)[0]))
            taken.append(time.perf_counter() - asked)
            errors += not head.startswith(b"HTTP/1.1 302")
        writer.close()

    await asyncio.gather(*(visit() for _ in range(CONNECTIONS)))
    lasted = time.perf_counter() - started
    return Result(len(taken), len(taken) / lasted, float(np.percentile(taken, 99)), errors)
