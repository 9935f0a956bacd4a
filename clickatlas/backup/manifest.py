"""What a backup says of itself: ``manifest.json``, with a checksum of every file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from clickatlas.errors import Problem

FORMAT = 1
NAME = "manifest.json"
PREFIX = "clickatlas-"
LAST = "last-backup.json"  # in a data folder: where its last backup is
UNFINISHED = ".restoring"  # in a data folder that is being restored into


@dataclass
class Manifest:
    """One backup. `files` are SHA-256 and bytes by path; `counted` clicks are in the store, `waiting` in the spool."""

    taken: str  # ISO 8601, UTC
    version: str  # of clickatlas
    links_version: (
        str | None
    )  # newest migration in links.sqlite; None: links are in PostgreSQL, and not in here
    store_version: int
    links: int
    counted: int
    waiting: int
    atlas: str | None  # version of the atlas in use
    atlas_built: str | None  # of the City database it is made from
    has_atlas: bool
    format: int = FORMAT
    files: dict[str, tuple[str, int]] = field(default_factory=dict)

    @property
    def clicks(self) -> int:
        """All of them."""
        return self.counted + self.waiting

    @property
    def has_links(self) -> bool:
        """Whether links and people are in it."""
        return self.links_version is not None

    def sentence(self) -> str:
        """What is in it, in one line."""
        waiting = f", {self.waiting:,} of them still in the spool" if self.waiting else ""
        links = f"{self.links:,} links and " if self.has_links else ""
        return f"{links}{self.clicks:,} clicks{waiting}"

    def write(self, folder: Path) -> None:
        """Into the backup's folder."""
        (folder / NAME).write_text(json.dumps(asdict(self), indent=1) + "\n", "utf-8")
        (folder / NAME).chmod(0o600)


def read(folder: Path) -> Manifest:
    """A backup's manifest. Raises `Problem` (422) where there is none, or only one of a newer clickatlas."""
    try:
        fields = json.loads((folder / NAME).read_text("utf-8"))
        if fields["format"] > FORMAT:
            raise Problem(
                422,
                "Backup",
                f"{folder} was made by a newer clickatlas, {fields['version']}.",
                remedy="Restore it with that version.",
            )
        return Manifest(**fields)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise Problem(
            422,
            "Backup",
            f"{folder} is not a whole backup: {error}",
            remedy=f"Name the folder that has {NAME} in it: 'clickatlas backup' prints it.",
        ) from None


def backups(folder: Path) -> list[Path]:
    """The finished backups in a folder, oldest first."""
    return sorted(found.parent for found in folder.glob(f"{PREFIX}*/{NAME}"))


def checksum(file: Path) -> str:
    """SHA-256 of a file."""
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def contents(folder: Path) -> dict[str, Path]:
    """Every file of a backup but the manifest, by its path in it."""
    return {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != NAME
    }


def check_whole(data: Path) -> None:
    """Raise `Problem` (409) where a restore into `data` was cut short."""
    if (data / UNFINISHED).exists():
        raise Problem(
            409,
            "Half restored",
            f"A restore into {data} did not come to its end.",
            remedy="Run 'clickatlas restore' again.",
        )


def remember(data: Path, folder: Path, manifest: Manifest) -> None:
    """Note in the data folder where its last backup is."""
    said = {"folder": str(folder), "taken": manifest.taken, "version": manifest.version}
    note = data / f"{LAST}.new"
    note.write_text(json.dumps(said) + "\n", "utf-8")
    note.replace(data / LAST)


def advice(data: Path) -> str:
    """What to do where only a backup helps: half a sentence that names the last one."""
    try:
        last = json.loads((data / LAST).read_text("utf-8"))
        known = f"; the last one is {last['folder']} of {last['taken']}, by clickatlas {last['version']}"
    except (OSError, ValueError, TypeError, KeyError):
        known = ""
    return f"restore a backup made before the upgrade{known}"
