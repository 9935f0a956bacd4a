"""Alternating runs, and the table that shows them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple


class Row(NamedTuple):
    """One line: what was measured, its median, and its ratio to the row it is held against."""

    name: str
    value: str
    ratio: str = ""
    against: str = ""


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def alternate(contestants: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """A B C, A B C, …: a figure of each contestant from each round.

    Neighbours in time meet the same noise, so a ratio is taken within a round, never across rounds.
    """
    figures: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, measure in contestants.items():
            figures[name].append(measure())
    return figures


def rate(work: Callable[[], object], count: int) -> Callable[[], float]:
    """`count` things done per second by `work`."""
    return lambda: count / seconds(work)


def ratio(ours: list[float], peer: list[float]) -> str:
    """Median of the rounds' ratios, and their range."""
    each = [a / b for a, b in zip(ours, peer, strict=True)]
    return f"{_figure(statistics.median(each))} ({_figure(min(each))}–{_figure(max(each))})"


def row(
    name: str,
    figures: list[float],
    unit: Callable[[float], str],
    peer: tuple[str, list[float]] | None = None,
) -> Row:
    """A row of a contestant's figures, held against those of `peer` (its name, its figures)."""
    value = unit(statistics.median(figures))
    return Row(name, value) if peer is None else Row(name, value, ratio(figures, peer[1]), peer[0])


def per_second(what: str) -> Callable[[float], str]:
    """Shows a rate: ``26,400 redirects/s``."""
    return lambda value: f"{_rounded(value):,} {what}/s"


def milliseconds(value: float) -> str:
    """Shows seconds as milliseconds."""
    return f"{_figure(value * 1000)} ms"


def show(title: str, rows: list[Row], notes: tuple[str, ...] = ()) -> None:
    """Print a table, columns aligned."""
    print(f"\n{title}")
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for line in rows:
        name, value, held, against = line
        text = f"  {name:<{widths[0]}}  {value:>{widths[1]}}"
        print(f"{text}  {held:<{widths[2]}}  × {against}" if held else text)
    for note in notes:
        print(f"  · {note}", flush=True)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _rounded(value: float) -> int:
    """Three significant digits: what lies behind them is noise."""
    return int(float(f"{value:.3g}"))
