"""`clickatlas doctor` on the age of the City database."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clickatlas.atlas.files import FORMAT, activate
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.doctor.examine import examine
from clickatlas.doctor.finding import Finding, as_json, broken, exit_code, fine, warning
from clickatlas.links import keys
from clickatlas.links.database import LinksDatabase
from clickatlas.links.links import LinkDraft, create
from clickatlas.settings import Settings


def on_the_database(data: Path, days: float) -> Finding:
    """What doctor finds where the database in use was built so many days ago."""
    folder = data / "atlas" / "one"
    folder.mkdir(parents=True)
    built = datetime.now(UTC) - timedelta(days=days)
    (folder / "atlas.json").write_text(json.dumps({"format": FORMAT, "built": built.isoformat()}))
    activate(data / "atlas", "one")
    [found] = [finding for finding in examine(Settings(data=data)) if "City database" in finding.what]
    return found


@pytest.mark.parametrize("days", [30.01, 31, 400])
def test_a_database_of_30_days_is_old(tmp_path: Path, days: float) -> None:
    found = on_the_database(tmp_path, days)
    assert found.wrong
    assert f"{int(days)} days old" in found.what
    assert "clickatlas atlas update" in found.mend


@pytest.mark.parametrize("days", [0, 29.9])
def test_a_younger_one_is_not(tmp_path: Path, days: float) -> None:
    assert not on_the_database(tmp_path, days).wrong


def backup_finding(data: Path) -> Finding | None:
    found = [one for one in examine(Settings(data=data)) if one.name.startswith("backup")]
    assert len(found) < 2
    return found[0] if found else None


@pytest.mark.parametrize(("days", "old"), [(0, False), (6.9, False), (7.1, True), (400, True)])
def test_a_backup_of_more_than_a_week_is_old(tmp_path: Path, days: float, old: bool) -> None:
    taken = datetime.now(UTC) - timedelta(days=days)
    (tmp_path / "last-backup.json").write_text(json.dumps({"taken": f"{taken:%Y-%m-%dT%H:%M:%SZ}"}))
    found = backup_finding(tmp_path)
    assert found is not None
    assert found.wrong == old
    assert ("clickatlas backup" in found.mend) == old


@pytest.mark.parametrize(
    ("days", "sample", "clicked", "hint"),
    [(8, False, True, True), (6, False, True, False), (8, True, True, False), (8, False, False, False)],
)
@pytest.mark.parametrize("note", [None, "{}", "torn"])
def test_no_backup_is_hinted_at_where_there_is_something_to_lose(
    tmp_path: Path, days: float, sample: bool, clicked: bool, hint: bool, note: str | None
) -> None:
    links = LinksDatabase(tmp_path)
    links.migrate()
    with links.writing() as session:
        _, workspace = keys.owner(session)
        made = create(session, workspace, LinkDraft(url="https://example.com/"))
        made.sample, made.created_at = sample, datetime.now(UTC) - timedelta(days=days)
    links.close()
    if clicked:
        DuckDBStore(tmp_path / "clicks.duckdb").close()
    if note:
        (tmp_path / "last-backup.json").write_text(note)
    found = backup_finding(tmp_path)
    assert (found is not None) == hint
    assert found is None or (not found.wrong and "clickatlas backup" in found.mend)


def test_the_worst_finding_is_the_exit_code() -> None:
    good, doubtful, bad = (
        fine("a", "Fine."),
        warning("b", "Old.", "Renew it."),
        broken("c", "Torn.", "Mend it."),
    )
    assert exit_code([]) == exit_code([good]) == 0
    assert exit_code([good, doubtful]) == 1
    assert exit_code([bad, good, doubtful]) == 2
    said = json.loads(as_json([good, bad]))
    assert said["exit_code"] == 2
    assert said["findings"][1] == {"level": "broken", "name": "c", "what": "Torn.", "mend": "Mend it."}
    assert [found.text()[0] for found in (good, doubtful, bad)] == ["✓", "!", "✗"]
    assert "→ Renew it." in doubtful.text()
