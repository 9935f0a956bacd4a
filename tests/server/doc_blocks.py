"""Examples of the documents: fenced blocks, in order, and those that say why they can't be run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).parents[2] / "docs"
FENCE = re.compile(
    r"(?:<!-- not run: (?P<why>[^\n]+?) -->\n)?^```(?P<language>\w+)\n(?P<code>.*?)^```$", re.M | re.S
)


class Block(NamedTuple):
    """One example: where it begins (`docs/links.md:7`), its language, and why it is not run (empty: it is)."""

    where: str
    language: str
    code: str
    why: str


def blocks(name: str) -> list[Block]:
    """The examples of docs/`name`."""
    text = (DOCS / name).read_text("utf-8")
    found = []
    for match in FENCE.finditer(text):
        line = text.count("\n", 0, match.start("language")) + 1
        found.append(Block(f"docs/{name}:{line}", match["language"], match["code"], match["why"] or ""))
    return found
