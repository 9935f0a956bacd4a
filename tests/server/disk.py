"""A small disk of its own under a data folder: it can be filled, and made read-only, for real."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

MS_RDONLY, MS_REMOUNT, MS_BIND = 1, 32, 4096


class Disk:
    """A tmpfs at `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def free(self) -> int:
        """Bytes that still fit."""
        seen = os.statvfs(self.folder)
        return seen.f_bavail * seen.f_frsize

    def fill(self, leave: int = 0) -> None:
        """Nothing but `leave` bytes fit any more."""
        with self._ballast.open("ab") as file:
            for _ in range(1000):
                if (room := self.free() - leave) <= 0:
                    return
                with suppress(
                    OSError
                ):  # somebody else was quicker, and then nothing of it is taken: once more
                    os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, room)
        raise AssertionError(f"{room} bytes can't be filled")

    def clear(self) -> None:
        """Room again."""
        self._ballast.unlink(missing_ok=True)

    def read_only(self, yes: bool) -> None:
        """Nothing can be written, though files are open for it."""
        flags = MS_REMOUNT | (MS_RDONLY if yes else 0)
        _mounted(ctypes.CDLL(None, use_errno=True).mount(b"none", bytes(self.folder), None, flags, None))


def _mounted(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Disk]:
    """A disk of its own at `folder`; skips the test where mounting is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)
