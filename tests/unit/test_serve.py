"""What `serve` makes ready before it starts."""

import json
import shutil
from pathlib import Path

import pytest

from clickatlas.atlas import update as updating
from clickatlas.atlas.files import current
from clickatlas.serve import prepare
from clickatlas.settings import load
from tests.atlas_fixtures import built_atlas


def test_an_atlas_of_another_version_is_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(updating, "update", lambda settings, **_: asked.append(settings.data))
    settings = load({"data": tmp_path})
    prepare(settings).close()
    assert asked == [tmp_path]  # none yet

    built = current(built_atlas())
    assert built is not None
    folder = tmp_path / "atlas" / built.name
    folder.mkdir(parents=True)
    shutil.copy(built / "atlas.json", folder)
    (tmp_path / "atlas" / "current").write_text(folder.name)
    assert current(tmp_path / "atlas") == folder
    prepare(settings).close()
    assert asked == [tmp_path]  # of this version: nothing to do

    facts = json.loads((folder / "atlas.json").read_text("utf-8"))
    (folder / "atlas.json").write_text(json.dumps(facts | {"format": 0}))
    prepare(settings).close()
    assert asked == [tmp_path, tmp_path]
