"""What a person sees of a long export: a bar on a terminal, plain lines in a log, nothing where it is quick."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clickatlas import local_export, progress
from clickatlas.local_export import Sizes, export
from clickatlas.progress import Terminal
from clickatlas.settings import load

PIECES = 20


class Screen(io.StringIO):
    def __init__(self, *, live: bool) -> None:
        super().__init__()
        self._live = live

    def isatty(self) -> bool:
        return self._live


def pieces(terminal: Terminal, *, slow: bool) -> Any:
    """An export in 20 pieces, which takes its time, by the clock of who shows it."""

    def give(*_: object) -> Iterator[Sizes | bytes]:
        yield Sizes(7, 1000 * PIECES)
        if slow:
            terminal._show()  # as after a second
        for _ in range(PIECES):
            yield bytes(1000)

    return give


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Runs an export to a file; returns what was on the screen."""
    monkeypatch.setattr(progress, "PATIENCE", 3600.0)

    def run(*, live: bool, slow: bool) -> str:
        screen = Screen(live=live)
        terminal = Terminal(screen)
        monkeypatch.setattr(local_export, "_from_store", pieces(terminal, slow=slow))
        target = tmp_path / "out.csv"
        assert export(load({"data": tmp_path}), "clicks", "csv", target, terminal, {}) == 7
        assert target.stat().st_size == 1000 * PIECES
        assert [path.name for path in tmp_path.glob("out*")] == ["out.csv"]
        return screen.getvalue()

    return run


def test_on_a_terminal_a_bar_grows(exported: Any) -> None:
    said = exported(live=True, slow=True)
    percents = [int(number) for number in re.findall(r"(\d+) %", said)]
    assert percents == sorted(set(percents))
    assert len(percents) == PIECES
    assert percents[-1] == 99  # all of it is only there when the file has its name
    for bar, percent in zip(re.findall(r"\[(█*)·*\]", said), percents, strict=True):
        assert len(bar) == percent * progress.WIDTH // 100
    assert re.search(r"\r• Exporting: \d+\.\d s +\n$", said)


def test_in_a_log_it_is_two_words(exported: Any) -> None:
    assert re.fullmatch(r"• Exporting\n  \d+\.\d s\n", exported(live=False, slow=True))


def test_a_quick_one_says_nothing(exported: Any) -> None:
    assert exported(live=True, slow=False) == ""
