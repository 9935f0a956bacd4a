"""What a person sees while a long step runs: its name as soon as it has lasted a second."""

import sys
import threading
import time
from typing import Protocol, TextIO

WIDTH = 20  # letters of a bar
PATIENCE = 1.0  # seconds a step may last before it is worth a line


class Progress(Protocol):
    """Told by long work where it stands."""

    def step(self, name: str) -> None:
        """A step called `name` begins; the one before it is over."""

    def advance(self, fraction: float) -> None:
        """The current step is `fraction` (0 to 1) of the way."""

    def done(self) -> None:
        """The last step is over."""


class Silent:
    """Says nothing: for tests and for work that nobody watches."""

    def step(self, name: str) -> None:
        """Nothing to see."""

    def advance(self, fraction: float) -> None:
        """Nothing to see."""

    def done(self) -> None:
        """Nothing to see."""


class Terminal:
    """Steps on a terminal, one line each; plain lines when the output is a file or a pipe."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._live = self._out.isatty()
        self._name = ""
        self._began = 0.0
        self._percent = -1
        self._shown = False
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()

    def step(self, name: str) -> None:
        """Begin `name`; its line appears when it has lasted a second."""
        self.done()
        with self._lock:
            self._name, self._began, self._percent, self._shown = name, time.monotonic(), -1, False
            self._timer = threading.Timer(PATIENCE, self._show)
            self._timer.daemon = True
            self._timer.start()

    def advance(self, fraction: float) -> None:
        """Show the percentage, on a terminal only: a log file wants lines, not a count."""
        percent = max(0, min(100, int(fraction * 100)))
        with self._lock:
            if percent == self._percent:
                return
            self._percent = percent
            if self._shown and self._live:
                full = percent * WIDTH // 100
                self._write(f"\r• {self._name} [{'█' * full}{'·' * (WIDTH - full)}] {percent} %")

    def done(self) -> None:
        """End the line of the current step with the seconds it took, if it was ever shown."""
        with self._lock:
            if self._timer:
                self._timer.cancel()
                self._timer = None
            if self._shown:
                took = f"{time.monotonic() - self._began:.1f} s"
                self._write(f"\r• {self._name}: {took}{' ' * (WIDTH + 4)}\n" if self._live else f"  {took}\n")
            self._name, self._shown = "", False

    def _show(self) -> None:
        with self._lock:
            if not self._name or self._shown:
                return
            self._shown = True
            self._write(f"• {self._name} …" if self._live else f"• {self._name}\n")

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()
