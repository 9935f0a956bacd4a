"""An import's clicks come into the spool as a whole, and once, however often it is killed.

They are written aside, in ``imports``. When all are, a note with the content's checksum says which stream they are, and a
rename makes it one of the spool's. Killed before the note, nothing has happened. Killed after it, the next import
finishes the rename. A file that has a note has been imported. Beside the note lies what tells its clicks from others
(see `seen.py`).
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = "imports"
SEEN = ".seen.npy"


class Landing:
    """Where an import's clicks wait until all of them are there. Another import waits for this one."""

    def __init__(self, data: Path, workspace: int) -> None:
        self.folder = data / FOLDER
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._spool = data / "spool"
        self._workspace = workspace
        self._lock = os.open(self.folder, os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._settle_earlier()

    def _settle_earlier(self) -> None:
        """What imports that were killed left: finished where all of it is there, else thrown away."""
        notes = list(self.folder.glob("*.json"))
        complete = {json.loads(note.read_text("utf-8")).get("stream") for note in notes}
        for stream in (path for path in self.folder.iterdir() if path.is_dir()):
            if stream.name in complete:
                self._move(stream)
            else:
                shutil.rmtree(stream)
        known = {note.stem for note in notes}
        for left in [*self.folder.glob("*.npy"), *self.folder.glob("*.new")]:
            if left.name.removesuffix(SEEN) not in known:
                left.unlink()

    def _note(self, digest: str) -> Path:
        return self.folder / f"w{self._workspace}-{digest}.json"

    def before(self, digest: str) -> dict[str, Any] | None:
        """What was said of the same content when it was imported; None where it never was."""
        # Notes of before there were imports into any workspace have no number: they are the first one's.
        for note in (self._note(digest), self.folder / f"{digest}.json"):
            try:
                told: dict[str, Any] = json.loads(note.read_text("utf-8"))
                return told
            except FileNotFoundError:
                continue
        return None

    def seen(self) -> list[Path]:
        """The files that tell this workspace's earlier clicks."""
        return seen_files(self.folder.parent, self._workspace)

    def land(self, stream: Path, digest: str, told: dict[str, Any], seen: np.ndarray[Any, Any]) -> None:
        """Make a complete `stream`, closed, one of the spool's."""
        note = self._note(digest)
        marks = note.with_suffix(SEEN)
        if marks.exists():  # imported once more: what was known before is known still
            seen = np.sort(np.concatenate([np.load(marks), seen]))
        with (new := marks.with_suffix(".new")).open("wb") as out:
            np.save(out, seen)
            out.flush()
            os.fsync(out.fileno())
        new.replace(marks)
        unfinished = note.with_suffix(".new")
        with unfinished.open("w", encoding="utf-8") as out_text:
            json.dump({"stream": stream.name} | told, out_text)
            out_text.flush()
            os.fsync(out_text.fileno())
        unfinished.replace(note)
        os.fsync(self._lock)
        self._move(stream)

    def _move(self, stream: Path) -> None:
        self._spool.mkdir(parents=True, exist_ok=True)
        stream.rename(self._spool / stream.name)
        fd = os.open(self._spool, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def close(self) -> None:
        """Throw away what did not land, and let the next import begin."""
        self._settle_earlier()
        os.close(self._lock)


def seen_files(data: Path, workspace: int) -> list[Path]:
    """The files that tell the clicks that `workspace` imported earlier."""
    return sorted((data / FOLDER).glob(f"w{workspace}-*{SEEN}"))


def forget(data: Path, workspace: int) -> None:
    """What was noted of the imports of a workspace that is deleted."""
    for noted in (data / FOLDER).glob(f"w{workspace}-*"):
        if noted.is_file():
            noted.unlink(missing_ok=True)
