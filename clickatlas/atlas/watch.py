"""A newer atlas is noticed while a server runs."""

from __future__ import annotations

from pathlib import Path

from clickatlas.atlas.files import CURRENT, current

EVERY_S = 2.0


class Watch:
    """Tells when another atlas was put in use; asking costs one `stat`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._seen = self._mark()

    def _mark(self) -> tuple[int, int] | None:
        try:
            stat = (self._root / CURRENT).stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_ino

    def newer(self) -> Path | None:
        """The folder of the atlas now in use, once after it changed; else None."""
        mark = self._mark()
        if mark is None or mark == self._seen:
            return None
        self._seen = mark
        return current(self._root)
