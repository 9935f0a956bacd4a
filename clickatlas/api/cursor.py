"""Cursors of long lists: where the next page begins."""

from __future__ import annotations

from clickatlas.errors import invalid


def position(cursor: str | None) -> int | None:
    """The number in a cursor. Raises `Problem` (422)."""
    if not cursor:
        return None
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:
        raise invalid("The cursor can't be read.", remedy="Use 'next_cursor' as it came.", field="cursor")
    return int(cursor)
