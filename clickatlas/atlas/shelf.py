"""The download cache: folders that are whole or are not there, each with a receipt of what was put in."""

import hashlib
import json
from pathlib import Path
from typing import Any

RECEIPT = "receipt.json"


def whole(folder: Path, wanted: list[Path]) -> bool:
    """Whether every wanted file is there and is what was once unpacked. Reading 66 MB costs about 0.1 s."""
    noted = receipt(folder).get("files", {})
    try:
        return all(noted[file.name] == digest(file) for file in wanted)
    except (OSError, KeyError, TypeError):
        return False


def receipt(folder: Path) -> dict[str, Any]:
    """What was noted when the folder was filled; empty where it wasn't or can't be read."""
    try:
        noted = json.loads((folder / RECEIPT).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def shelve(unpacked: Path, folder: Path, **facts: str) -> None:
    """Give `unpacked` its final name, with a receipt of its files and these facts.

    `unpacked` lies in a scratch folder on the same disk; what had the name before is moved there.
    """
    noted = facts | {"files": {file.name: digest(file) for file in sorted(unpacked.iterdir())}}
    (unpacked / RECEIPT).write_text(json.dumps(noted, indent=1), "utf-8")
    if folder.exists():
        folder.rename(unpacked.with_name("old"))
    unpacked.rename(folder)


def digest(file: Path) -> str:
    """Of a file's content."""
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "blake2b").hexdigest()
