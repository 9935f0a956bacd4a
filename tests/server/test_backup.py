"""Backed up beside a running server under load, restored elsewhere: the same links, each click once."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections import Counter, namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.server.load import Load, counted
from tests.server.served import Served, command, free_port, quickly, until


def _links(served: Served) -> list[dict[str, Any]]:
    with served.client() as client:
        rows = client.get("/api/links", params={"limit": 100}).raise_for_status().json()["rows"]
    return sorted(({k: v for k, v in row.items() if k not in ("clicks", "sparkline", "short_url")} for row in rows),
                  key=lambda row: str(row["code"]))  # fmt: skip


@pytest.mark.parametrize("interval", ["20", "60000"], ids=["counted at once", "waiting in the spool"])
def test_backed_up_under_load_and_restored_elsewhere(
    data_folder: Callable[[str], Path], tmp_path: Path, interval: str
) -> None:
    served = Served(data_folder("busy"), "--workers", "2", "--ingest-interval-ms", interval).start()
    with served.client() as client:
        for code in ("hit", "other", "third"):
            body = {"url": f"https://example.com/{code}", "code": code, "tags": ["all"], "campaign": "spring"}
            client.post("/api/links", json=body).raise_for_status()
        client.delete("/api/links/other").raise_for_status()
    with Load(served.port, "hit", "backup") as load:
        until(lambda: len(load.answered) > 500, "clicks")
        time.sleep(0.2)
        answered_before, folder = set(load.answered), tmp_path / "backups"
        said = command("backup", folder, data=served.data)
        sent_by_its_end = set(load.sent)
        until(lambda: len(load.answered - answered_before) > 200, "clicks after it")
    links = _links(served)
    token = served.token
    served.kill()

    made = Path(said.stdout.strip())
    assert made.parent == folder
    elsewhere = tmp_path / "another" / "machine"
    told = command("restore", made, data=elsewhere).stdout
    manifest = json.loads((made / "manifest.json").read_text())
    assert f"2 links and {manifest['counted'] + manifest['waiting']:,} clicks" in told
    restored = Served(elsewhere).start()
    try:
        assert _links(restored) == links
        with restored.client(token) as client:  # keys are restored, too
            restored.settled(client, len(answered_before))
            found = counted(client)
            [number] = [r["clicks"] for r in client.get("/api/links").json()["rows"] if r["code"] == "hit"]
    finally:
        restored.stop()
    assert not (lost := answered_before - set(found)), f"{len(lost)} of {len(answered_before)} lost"
    assert not [mark for mark, times in found.items() if times > 1]
    assert set(found) <= sent_by_its_end
    assert number == found.total() == manifest["counted"] + manifest["waiting"]
    # As after a damaged store: what the old spool still has is read, too, and none of it twice.
    mended = tmp_path / "mended"
    quickly("restore", made, data=mended)
    shutil.copytree(served.data / "spool", mended / "spool", dirs_exist_ok=True)
    lines = quickly("export", "--format", "ndjson", data=mended).stdout.splitlines()
    again = Counter(json.loads(line)["referrer"] for line in lines)
    assert set(found) <= set(again) <= load.sent
    assert set(again.values()) == {1}
    assert interval == "20" or load.answered <= set(again)
    assert not (elsewhere / "spool-aside").exists()
    assert "Traceback" not in restored.log.read_text()


@pytest.fixture(scope="module")
def quiet(data_folder: Callable[[str], Path]) -> Path:
    """A data folder with some clicks that no server runs on."""
    data = data_folder("quiet")
    (data / "clickatlas.toml").write_text("keep_clicks_days = 400\n")
    file = data.with_name("clicks.csv")
    file.write_text("time,code,ip,url\n" + "2026-11-01,a,18.9.22.69,https://example.com\n" * 40)
    command("import", file, data=data)
    return data


@pytest.fixture
def backup(quiet: Path, tmp_path: Path) -> Path:
    """One to do harm to."""
    return Path(quickly("backup", tmp_path / "backups", "--no-atlas", data=quiet).stdout.strip())


def test_without_a_server_and_only_the_newest_kept(quiet: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    (folder / "clickatlas-mine").mkdir(parents=True)
    (folder / "clickatlas-20200101T000000Z.partial").mkdir()
    made = []
    for _ in range(3):
        made.append(Path(quickly("backup", folder, "--keep", "2", data=quiet).stdout.strip()))
        time.sleep(1.0 - time.time() % 1)  # a backup is called by its second
    assert sorted(folder.iterdir()) == sorted([*made[1:], folder / "clickatlas-mine"])
    [atlas] = [path for path in (made[1] / "atlas").iterdir() if path.is_dir()]
    for file in atlas.iterdir():  # an atlas is kept once for all backups that have it
        assert file.samefile(made[2] / "atlas" / atlas.name / file.name)
    assert not [path for path in made[2].rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    assert made[2].stat().st_mode & 0o777 == 0o700
    target = tmp_path / "restored"
    assert "1 links and 40 clicks of" in quickly("restore", made[2], data=target).stdout
    rows = quickly("export", data=target).stdout.splitlines()
    assert rows == quickly("export", data=quiet).stdout.splitlines()
    assert len(rows) == 41
    assert (target / "clickatlas.toml").read_text() == "keep_clicks_days = 400\n"
    assert {path.name for path in target.iterdir()} >= {"links.sqlite", "clicks.duckdb", "atlas"}
    assert not (target / ".restoring").exists()


def test_only_into_an_empty_folder_that_nobody_uses(backup: Path, quiet: Path, server: Served) -> None:
    refused = quickly("restore", backup, data=quiet, code=1).stderr
    assert "holds something already" in refused
    assert "Move it away" in refused
    assert "is running" in quickly("restore", backup, data=server.data, code=1).stderr


@pytest.mark.parametrize("harm", ["changed", "cut", "missing", "listed outside"])
def test_a_backup_that_is_not_whole_is_refused(backup: Path, tmp_path: Path, harm: str) -> None:
    store, listing = backup / "clicks.duckdb", backup / "manifest.json"
    if harm == "changed":
        with store.open("r+b") as file:
            file.seek(9000)
            file.write(b"\xff")
    elif harm == "cut":
        os.truncate(store, store.stat().st_size - 1)
    elif harm == "missing":
        store.unlink()
    else:
        listing.write_text(listing.read_text().replace('"clicks.duckdb"', '"../clicks.duckdb"'))
    said = quickly("restore", backup, data=tmp_path / "target", code=1).stderr
    assert {"missing": "is missing", "listed outside": "leads out of it"}.get(harm, "is damaged") in said
    assert {path.name for path in (tmp_path / "target").iterdir()} <= {"run"}
    assert not (tmp_path / "clicks.duckdb").exists()


def test_what_is_no_backup_or_a_newer_programs_is_refused(backup: Path, tmp_path: Path) -> None:
    assert "is not a whole backup" in quickly("restore", tmp_path, data=tmp_path / "t", code=1).stderr
    listing = backup / "manifest.json"
    for field, value in (("format", 2), ("store_version", 99), ("links_version", "9999")):
        fields = json.loads(listing.read_text())
        kept = listing.read_text()
        listing.write_text(json.dumps(fields | {field: value, "version": "9.9"}))
        assert (
            "made by a newer clickatlas, 9.9"
            in quickly("restore", backup, data=tmp_path / "t", code=1).stderr
        )
        listing.write_text(kept)


def test_a_restore_that_was_killed_is_run_again(backup: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    (target / ".restoring").mkdir(parents=True)
    (target / ".restoring" / "clicks.duckdb").write_text("half of it")
    refused = quickly("serve", "--port", str(free_port()), data=target, code=1).stderr
    assert "did not come to its end" in refused
    assert "restore' again" in refused
    quickly("restore", backup, data=target)

    between = tmp_path / "between"  # checked in full, and half of it put in place
    shutil.copytree(backup, between / ".restoring")
    (between / ".restoring" / "links.sqlite").rename(between / "links.sqlite")
    quickly("restore", backup, data=between)
    for data in (target, between):
        assert not (data / ".restoring").exists()
        assert len(quickly("link", "list", data=data).stdout.splitlines()) == 1
        assert (data / "clicks.duckdb").read_bytes() == (backup / "clicks.duckdb").read_bytes()


def test_a_full_disk_is_noticed_before_anything_is_copied(
    quiet: Path, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _path: usage(10**9, 10**9 - 10**6, 10**6))
    assert "1 MB free" in quickly("backup", tmp_path / "b", data=quiet, code=1).stderr
    assert list((tmp_path / "b").iterdir()) == []
    assert "1 MB free" in quickly("restore", backup, data=tmp_path / "r", code=1).stderr
    assert {path.name for path in (tmp_path / "r").iterdir()} <= {"run"}


def test_nothing_to_back_up(tmp_path: Path) -> None:
    said = quickly("backup", tmp_path / "b", data=tmp_path / "empty", code=1).stderr
    assert "nothing in" in said
