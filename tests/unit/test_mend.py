"""A backup put in place of a damaged store: every click since is there, each once, whenever the backup was taken."""

from __future__ import annotations

import json
import os
import random
import sqlite3
from pathlib import Path

import pytest

from clickatlas.backup import mend
from clickatlas.backup.manifest import check_whole
from clickatlas.backup.restore import restore
from clickatlas.backup.take import take
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.ingest import Ingest
from clickatlas.clicks.quarantine import keep_spool, set_aside_before
from clickatlas.clicks.segments import Segment, segments
from clickatlas.errors import Problem
from clickatlas.links import keys
from clickatlas.links.database import LinksDatabase
from clickatlas.links.links import LinkDraft, create
from clickatlas.progress import Silent
from clickatlas.redirect.spool import Spool
from clickatlas.settings import Settings
from tests.unit.test_spool_and_ingest import stored_times, write


class House:
    """A data folder with one link, a writer of clicks numbered from 0, and its store."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(data=folder / "data")
        self.data = folder / "data"
        self.backups = folder / "backups"
        links = LinksDatabase(self.data)
        links.migrate()
        with links.writing() as session:
            _, workspace = keys.owner(session)
            create(session, workspace, LinkDraft(url="https://example.com/"))
        links.close()
        self.written = 0
        self.spool = Spool(self.data / "spool", segment_bytes=400)

    def click(self, times: int = 7) -> None:
        write(self.spool, range(self.written, self.written + times))
        self.written += times

    def new_stream(self) -> None:
        self.spool.close()
        self.spool = Spool(self.data / "spool", segment_bytes=400)

    def count(self, steps: int = 1000) -> list[int]:
        """Take in what waits; all times that are in the store then."""
        store = DuckDBStore(self.data / "clicks.duckdb", quarantine=True)
        ingest = Ingest(self.data / "spool", store)
        while steps and ingest.step():
            steps -= 1
        found = stored_times(store)
        store.close()
        return found

    def in_the_spool(self) -> set[int]:
        """All that is in the spool, read or not."""
        return {
            int(time)
            for stream in (self.data / "spool").glob("*")
            for path in segments(stream)
            for time in Segment(path).read()["time"]
        }

    def back_up(self) -> Path:
        folder = self.backups / str(len(list(self.backups.glob("*"))))
        return take(self.settings, folder, keep=0, with_atlas=False, progress=Silent())[0]

    def damage(self) -> None:
        (self.data / "clicks.duckdb").write_bytes(os.urandom(20_000))

    def restore(self, backup: Path) -> None:
        restore(self.settings, backup, Silent())


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.mark.parametrize("seed", range(6))
def test_every_click_since_is_there_once_whenever_the_backup_was_taken(house: House, seed: int) -> None:
    """Clicks, counting, new streams, damage and backups in any order; then each backup in turn takes the store's place."""
    chance = random.Random(seed)
    taken: list[tuple[Path, int]] = []
    kept = damaged_at = 0
    waiting = set[int]()
    for number in range(24):
        house.click(chance.randrange(1, 30))
        if chance.random() < 0.6:
            house.count(chance.choice([1, 1000]))
        if chance.random() < 0.3:
            house.new_stream()
        if number in (4, 16) or chance.random() < 0.15:
            taken.append((house.back_up(), house.written))
        if number == 11:
            waiting, damaged_at = house.in_the_spool(), house.written
            kept = (
                0 if seed % 4 else damaged_at
            )  # of before: none, or all where only a question met the damage
            house.damage() if seed % 4 else keep_spool(house.data)
            house.count(0)
    backup, had = chance.choice(taken)
    house.restore(backup)
    found = house.count()
    assert found == sorted(set(found))
    since = waiting | set(range(damaged_at, house.written))
    before = set(range(had if had <= damaged_at else kept))
    assert set(found) >= before | since
    assert not mend.is_due(house.data)
    house.spool.close()
    assert house.count() == found
    assert not list((house.data / "spool").iterdir())  # from here on it is removed again
    store = DuckDBStore(house.data / "clicks.duckdb")
    assert not store.positions()
    store.close()


def test_segments_read_and_removed_between_backup_and_damage_come_from_the_backup(house: House) -> None:
    house.click(50)
    backup = house.back_up()
    house.count()
    house.new_stream()
    house.click(3)
    house.count()
    house.damage()
    house.count()
    house.click(4)
    house.restore(backup)
    assert house.count() == list(range(57))


def test_a_damaged_segment_that_is_kept_gives_its_whole_clicks_again(house: House) -> None:
    backup = house.back_up()
    house.damage()
    house.count()
    house.click(40)
    house.new_stream()
    torn = sorted((house.data / "spool").glob("*/*.spool"))[1]
    content = bytearray(torn.read_bytes())
    content[len(content) // 2] ^= 0xFF
    torn.write_bytes(content)
    counted = house.count()
    assert 30 < len(counted) < 40
    [aside] = (house.data / "spool-aside").iterdir()
    house.restore(backup)
    assert house.count() == counted
    assert aside.read_bytes() == content
    assert not torn.exists()


@pytest.mark.parametrize("after", ["add_spool", "make_way", "give_back"])
def test_killed_on_its_way_it_is_run_again(house: House, monkeypatch: pytest.MonkeyPatch, after: str) -> None:
    house.click(30)
    backup = house.back_up()
    house.click(30)
    house.count()
    house.damage()
    house.count()
    house.click(30)
    house.new_stream()
    house.count()
    real = getattr(mend, after)

    def killed(*folders: Path) -> None:
        real(*folders)
        raise KeyboardInterrupt

    monkeypatch.setattr(mend, after, killed)
    with pytest.raises(KeyboardInterrupt):
        house.restore(backup)
    monkeypatch.undo()
    with pytest.raises(Problem, match="did not come to its end"):
        check_whole(house.data)
    house.restore(backup)
    check_whole(house.data)
    found = house.count()
    assert found == sorted(set(found))
    assert set(found) >= set(range(30)) | set(range(60, 90))


def test_the_store_in_use_and_the_links_stay(house: House) -> None:
    backup = house.back_up()
    links = LinksDatabase(house.data)
    with links.writing() as session:
        _, workspace = keys.owner(session)
        create(session, workspace, LinkDraft(url="https://example.com/later"))
    links.close()
    house.damage()
    house.count()
    new = (house.data / "clicks.duckdb").read_bytes()
    house.restore(backup)
    [before] = house.data.glob("clicks.duckdb.before-*")
    assert before.read_bytes() == new
    assert len(set_aside_before(house.data)) == 0  # none to be told of any more
    assert len(list(house.data.glob("clicks.duckdb.corrupt-*"))) == 1
    with sqlite3.connect(house.data / "links.sqlite") as found:
        assert found.execute("SELECT count(*) FROM links").fetchone() == (2,)


def test_another_installations_backup_is_refused(house: House, tmp_path: Path) -> None:
    other = House(tmp_path / "other").back_up()
    house.click()
    house.count()
    house.damage()
    house.count()
    before = (house.data / "clicks.duckdb").read_bytes()
    with pytest.raises(Problem, match="of another installation"):
        house.restore(other)
    assert (house.data / "clicks.duckdb").read_bytes() == before
    assert mend.is_due(house.data)


def test_a_file_whose_clicks_are_gone_may_be_imported_again(house: House) -> None:
    notes = house.data / "imports"
    notes.mkdir()
    for name in ("lost", "backed-up", "waiting"):
        (notes / f"{name}.json").write_text(json.dumps({"stream": name}))
        if name == "backed-up":
            backup = house.back_up()
            (notes / "lost.json").write_text(json.dumps({"stream": "lost"}))
    (backup / "imports" / "lost.json").unlink()
    manifest = json.loads((backup / "manifest.json").read_text())
    del manifest["files"]["imports/lost.json"]
    (backup / "manifest.json").write_text(json.dumps(manifest))
    (house.data / "spool" / "waiting").mkdir(parents=True)
    house.damage()
    house.count(0)
    house.restore(backup)
    assert sorted(note.stem for note in notes.glob("*.json")) == ["backed-up", "waiting"]
