"""Versions of the atlas on disk: `<root>/<version>/…`, and `<root>/current` which names the one in use."""

import contextlib
import fcntl
import json
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from clickatlas.errors import Problem

CURRENT = "current"
UNFINISHED = ".tmp"
LOCK = "lock"
# NumPy parses an array's header with `ast`, which fails now and then in two threads at once ("AST constructor recursion depth mismatch").
_HEADERS = threading.Lock()
FORMAT = 2  # of the files in an atlas's folder; raised when an older reader would be wrong


def unusable(
    detail: str, remedy: str = "Run 'clickatlas atlas update' to fetch and build it again."
) -> Problem:
    """503: an atlas, or a file it is made from, can't be used."""
    return Problem(503, "Atlas not usable", detail, remedy=remedy)


def current(root: Path) -> Path | None:
    """Folder of the atlas in use, or None where there is none yet."""
    try:
        version = (root / CURRENT).read_text("utf-8").strip()
    except FileNotFoundError:
        return None
    folder = root / version
    return folder if version and folder.is_dir() else None


def activate(root: Path, version: str) -> None:
    """Make `version` the one in use, at once and for good: readers see the old name or the new one."""
    if not (root / version).is_dir():
        raise unusable(f"There is no atlas called {version}.", "'clickatlas atlas show' lists what there is.")
    note = root / f"{CURRENT}{UNFINISHED}"
    with note.open("w", encoding="utf-8") as out:
        out.write(version + "\n")
        out.flush()
        os.fsync(out.fileno())
    note.replace(root / CURRENT)
    _sync_folder(root)


@contextlib.contextmanager
def building(root: Path) -> Iterator[Path]:
    """An empty folder to build in. One process builds at a time: a second one waits for the first."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        unfinished = root / f"build{UNFINISHED}"
        shutil.rmtree(unfinished, ignore_errors=True)  # of a build that was killed
        try:
            yield unfinished
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def versions(root: Path) -> list[str]:
    """Finished atlases, oldest first."""
    folders = (
        [f for f in root.iterdir() if f.is_dir() and not f.name.endswith(UNFINISHED)] if root.is_dir() else []
    )
    return [folder.name for folder in sorted(folders, key=lambda f: (f.stat().st_mtime, f.name))]


def rollback(root: Path) -> str:
    """Put the kept atlas before the one in use back in use; returns its version. Once more: forward again."""
    in_use = current(root)
    others = [version for version in versions(root) if not in_use or version != in_use.name]
    if not others:
        raise unusable(
            "There is no atlas before this one to go back to.", "'atlas update' keeps one from now on."
        )
    about(root / others[-1])  # one that another version of clickatlas built is of no use
    activate(root, others[-1])
    return others[-1]


def finish(unfinished: Path, version: str) -> Path:
    """Give a built folder its final name, once every file in it is safely on disk."""
    for file in unfinished.iterdir():
        with file.open("rb") as handle:
            os.fsync(handle.fileno())
    _sync_folder(unfinished)
    final, again = unfinished.with_name(version), 1
    while (
        final.exists()
    ):  # built before, and broken since or rolled back from: readers may still have it open
        again += 1
        final = unfinished.with_name(f"{version}.{again}")
    unfinished.rename(final)
    _sync_folder(final.parent)
    os.utime(final)
    return final


def prune(root: Path, keep: int = 2) -> list[str]:
    """Remove all but the `keep` newest versions (never the one in use); returns what was removed.

    A process that still has an old one open keeps reading it: its files live until they are unmapped.
    """
    in_use = current(root)
    old = [v for v in versions(root) if not in_use or v != in_use.name]
    spare = old[: -(keep - 1)] if keep > 1 else old
    for version in spare:
        shutil.rmtree(root / version, ignore_errors=True)
    return spare


def about(folder: Path) -> dict[str, Any]:
    """What atlas.json says of itself: version, build date, zones, sources and so on."""
    try:
        facts = json.loads((folder / "atlas.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise unusable(f"{folder.name}/atlas.json can't be read: {error}.") from error
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise unusable(f"The atlas {folder.name} was built by another version of clickatlas.")
    return facts


def save(folder: Path, name: str, array: npt.NDArray[Any]) -> None:
    """Write `array` as `<name>.npy`."""
    np.save(folder / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)


def load(folder: Path, name: str) -> npt.NDArray[Any]:
    """`<name>.npy`, memory-mapped and read-only: shared by all processes, read when touched."""
    try:
        with _HEADERS:
            array: npt.NDArray[Any] = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise unusable(f"{folder.name}/{name}.npy can't be read: {error}.") from error
    # A plain view: np.memmap's own indexing costs several times more per call.
    return array.view(np.ndarray)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
