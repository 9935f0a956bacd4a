"""An insight is the same while its figures move, and news when it is about something else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from clickatlas.insight.card import Kind
from clickatlas.insight.identity import alike, mark, where
from clickatlas.links import keys, sightings
from clickatlas.links.database import LinksDatabase
from clickatlas.links.models import now
from clickatlas.links.sightings import Sighting


def test_figures_and_areas_are_no_part_of_a_mark() -> None:
    one = mark(Kind.GAP, "ratio", {"ratio": 0.3, "level": "metro", "clicks": 12}, {"area": ["metro:14460"]})
    assert one == mark(Kind.GAP, "ratio", {"ratio": 0.2, "level": "metro"}, {})
    others = (
        mark(Kind.HOTSPOT, "ratio", {"level": "metro"}, {}),
        mark(Kind.GAP, "ratio", {"level": "county"}, {}),
        mark(Kind.GAP, "ratio", {"level": "metro"}, {"network": ["all"]}),
    )
    assert len({one, *others}) == 4
    assert where(Kind.CONCENTRATION, ["zip:02139"]) == frozenset()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("a", "a", True), ("a", "b", False), ("", "", True), ("", "a", False), ("abc", "ab", True), ("abc", "ad", False)],
)  # fmt: skip
def test_a_zone_that_grows_is_the_same_zone(one: str, other: str, same: bool) -> None:
    assert alike(one, other) is same


@pytest.fixture
def links(tmp_path: Path, database_url: str) -> Iterator[LinksDatabase]:
    opened = LinksDatabase(tmp_path, database_url)
    opened.migrate()
    yield opened
    opened.close()


def test_news_is_told_once_and_not_at_the_first_look(links: LinksDatabase) -> None:
    boston, peak = (
        Sighting("gap", frozenset({"metro:14460"}), "Boston"),
        Sighting("peak", frozenset(), "Monday"),
    )
    begun = now()

    def look(*found: Sighting, days: float) -> list[int]:
        with links.noting() as session:
            return sightings.note(session, workspace, found, begun + timedelta(days=days))

    with links.writing() as session:
        _, workspace = keys.owner(session)
    assert look(boston, days=0) == []
    assert look(boston, peak, days=1) == [1]
    assert look(peak._replace(sentence="Mondays"), days=2) == []
    with links.reading() as session:
        assert sightings.news_since(session, workspace, begun) == ["Mondays"]
        assert sightings.news_since(session, workspace, begun + timedelta(days=1.5)) == []
    assert look(boston, peak, days=80) == [], "it was gone for a while"
    assert look(boston, peak, days=171) == [0, 1], "it was gone for 90 days"
    with links.noting() as session:
        sightings.forget_unwanted(session, [workspace])
        assert sightings.looked_at(session, workspace) is not None
        sightings.forget_unwanted(session, [])
    assert look(boston, days=172) == [], "it begins anew"
