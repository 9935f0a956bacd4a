"""Which insight is which: the same finding keeps its identity while its figures move from hour to hour."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence

from clickatlas.insight.card import Kind

OF_ALL = (Kind.CONCENTRATION, Kind.AUDIENCE)  # about all clicks: the areas only show where most of them are
WORDS = ("level", "figure", "about", "a", "b", "more", "by", "weekday")  # figures that say what it is about
ALIKE = 0.5  # from this part in common two lists of areas are one zone that grew or shrank


def mark(
    kind: Kind, of: str, numbers: Mapping[str, float | int | str], filter_: Mapping[str, Sequence[str]]
) -> str:
    """64 letters that say what a card is about, its areas and figures left out."""
    about = {name: numbers[name] for name in WORDS if isinstance(numbers.get(name), str)}
    shown = {name: sorted(values) for name, values in filter_.items() if name != "area"}
    told = json.dumps([kind, of, about, shown], sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(told.encode(), digest_size=32).hexdigest()


def where(kind: Kind, areas: Iterable[str]) -> frozenset[str]:
    """The areas (ids) that belong to what a card of this kind is about."""
    return frozenset() if kind in OF_ALL else frozenset(areas)


def alike(one: Collection[str], other: Collection[str]) -> bool:
    """Whether two lists of areas are of one finding: half of them in common (Jaccard), or none in either."""
    first, second = frozenset(one), frozenset(other)
    return first == second or len(first & second) >= ALIKE * len(first | second)
