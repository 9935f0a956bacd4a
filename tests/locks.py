"""`python -m tests.locks`: every package that gets installed is pinned to one version and one content."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def loose_python(text: str) -> list[str]:
    """Entries of a requirements lock that are not pinned, or carry no SHA-256."""
    entries = re.sub(r"\\\n\s*", " ", text).splitlines()
    good = re.compile(
        r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[^\s;*]+( ;[^#]+?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*"
    )
    return [
        entry[:100] for entry in entries if entry.strip() and entry[0] != "#" and not good.fullmatch(entry)
    ]


def loose_npm(text: str) -> list[str]:
    """Packages of an npm lock without a version, or without a SHA-512 of their content."""
    packages: dict[str, dict[str, str]] = json.loads(text)["packages"]
    return [
        name
        for name, package in packages.items()
        if name and not (package.get("version") and package.get("integrity", "").startswith("sha512-"))
    ]


def main() -> int:
    """Print what is loose; 0 where nothing is."""
    loose = {
        name: loose_python((ROOT / name).read_text())
        for name in ("requirements.lock", "requirements-dev.lock")
    }
    loose["web/package-lock.json"] = loose_npm((ROOT / "web/package-lock.json").read_text())
    for name, entries in loose.items():
        for entry in entries:
            print(f"{name}: {entry}: not pinned, or without a hash")
    return int(any(loose.values()))


if __name__ == "__main__":
    sys.exit(main())
