"""Which links belong together is told to the store, and told again when it changes."""

from pathlib import Path

import numpy as np
import pytest

from clickatlas.clicks import bundles, groups, ingest, rollups
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.ingest import Ingest
from clickatlas.clicks.store import Batch
from clickatlas.links import links
from clickatlas.links.database import LinksDatabase
from clickatlas.links.links import LinkDraft
from clickatlas.links.models import Workspace
from clickatlas.links.together import together
from clickatlas.links.ways import SCAN, click_number
from clickatlas.redirect.record import RECORD, Agent


@pytest.fixture
def database(tmp_path: Path) -> LinksDatabase:
    found = LinksDatabase(tmp_path)
    found.migrate()
    with found.writing() as session:
        session.add_all([Workspace(id=1, name="one"), Workspace(id=2, name="two")])
        session.flush()
        for workspace, campaign, channel, tags in (
            (1, "spring", "mail", ()), (1, "spring", "mail", ("a", "b")), (1, None, "web", ("a",)),
            (2, "spring", "mail", ("a",)), (2, "autumn", "mail", ()), (1, "autumn", None, ()),
        ):  # fmt: skip
            draft = LinkDraft("https://a.example/", campaign=campaign, channel=channel, tags=tags)
            links.create(session, workspace, draft)
    return found


def test_links_by_what_they_share(database: LinksDatabase) -> None:
    with database.reading() as session:
        found = {name: tuple(numbers.tolist()) for name, numbers in together(session).items()}
    # Workspaces, a campaign, channels, a tag; nothing across workspaces, nothing of one link alone.
    scans = {name: of for name, of in found.items() if name.endswith(" qr")}
    assert set(scans.values()) == {scanned(1, 2, 3, 6), scanned(4, 5)}
    assert sorted({tuple(number for number in of if number < SCAN) for of in found.values()} - {()}) == [
        (1, 2), (1, 2, 3, 6), (2, 3), (4, 5)]  # fmt: skip
    assert len(found) == 6 + len(scans)
    channels = [of for name, of in found.items() if name.startswith("channel") and name not in scans]
    assert all(number < SCAN for of in channels for number in of)  # a scan's channel is qr
    everything = [of for name, of in found.items() if name.startswith("workspace")]
    assert set(everything) == {(1, 2, 3, 6, *scanned(1, 2, 3, 6)), (4, 5, *scanned(4, 5))}


def test_a_change_of_campaign_reaches_the_store(
    tmp_path: Path, database: LinksDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollups, "SETTLE_AT", 100)
    monkeypatch.setattr(bundles, "BUNDLE_AT", 50)
    monkeypatch.setattr(groups, "OWNER_COST", 10)
    monkeypatch.setattr(ingest, "BUNDLE_S", 0)
    store = DuckDBStore(tmp_path / "clicks.duckdb")
    records = np.zeros(600, RECORD)
    records["time"] = 1_700_000_000_000 + np.arange(600) * 10_000_000
    records["link"] = 1 + np.arange(600) % 6
    store.append(Batch(records, [Agent("", "", "", "")], [""], {}))
    moving = Ingest(tmp_path / "spool", store, database)

    def members() -> set[tuple[int, ...]]:
        for _ in range(20):
            moving.step()
        found: dict[int, list[int]] = {}
        # Of scans, of which there are none, nothing is kept but that they belong there.
        own = f"SELECT bundle, link FROM members WHERE link < {SCAN} ORDER BY ALL"
        for bundle, link in store._all(own):
            found.setdefault(bundle, []).append(link)
        assert store.place_counts(Selection((1, 2))).clicks.sum() == 200
        assert store.place_counts(Selection((1, 2, 3, 6))).clicks.sum() == 400
        return {tuple(each) for each in found.values()}

    assert members() == {(1, 2), (1, 2, 3, 6), (2, 3), (4, 5)}
    with database.writing() as session:
        links.change(session, links.find(session, 1, _code(database, 6)), {"campaign": "spring"})
    assert members() == {(1, 2), (1, 2, 6), (1, 2, 3, 6), (2, 3), (4, 5)}
    with database.writing() as session:
        links.delete(session, [links.find(session, 2, _code(database, 4))])
    assert members() == {(1, 2), (1, 2, 6), (1, 2, 3, 6), (2, 3)}


def scanned(*links: int) -> tuple[int, ...]:
    return tuple(click_number(link, scanned=True) for link in links)


def _code(database: LinksDatabase, number: int) -> str:
    from clickatlas.links.models import Link

    with database.reading() as session:
        link = session.get(Link, number)
        assert link is not None
        return link.code
