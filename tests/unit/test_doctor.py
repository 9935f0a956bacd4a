"""`clickatlas doctor` on the age of the City database."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clickatlas.atlas.files import FORMAT, activate
from clickatlas.doctor import Finding, examine
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
