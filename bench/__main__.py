"""`python -m bench [NAME…]`: every benchmark, or the named ones."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import signal
import sys
import time

NAMES = (
    "redirect",
    "atlas",
    "locate",
    "ingest",
    "imports",
    "views",
    "mvt",
    "surface",
    "stores",
    "insight_parts",
    "page",
)
LONG = (
    "growth",
    "moving",
    "pan",
    "insights",
    "calibration",
    "calibration_audience",
    "calibration_differences",
    "calibration_times",
    "family",
    "planted",
    "scale",
)  # only when asked for


def main() -> None:
    """Run the named benchmarks, one behind the other."""
    listed = [f"  {name:<10}{importlib.import_module(f'bench.{name}').__doc__}" for name in NAMES + LONG]
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Figures as ratios against a peer or a limit measured in the same run.",
        epilog="\n".join(["names:", *listed, "", "docs/benchmarks.md says how each is measured."]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names", metavar="NAME", nargs="*", help="which benchmarks; without a name all but the long ones"
    )
    wanted = parser.parse_args().names or NAMES
    if unknown := [name for name in wanted if name not in NAMES + LONG]:
        parser.error(f"no benchmark is called {unknown[0]!r}; there are {', '.join(NAMES + LONG)}")
    # A polite kill unwinds like Ctrl-C does, so that servers end and temporary folders go.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    started = time.monotonic()
    load = os.getloadavg()[0]
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {load:.1f} at the start")
    print("Each ratio is the median of its rounds, with their range: 0.3 (0.28–0.31) × peer.")
    for name in wanted:
        importlib.import_module(f"bench.{name}").main()
    print(f"{time.monotonic() - started:.0f} s in all")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
