from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.atlas_fixtures import built_atlas
from tests.server.files import Place
from tests.server.served import Served, new_data
from tests.server.tally import Tally, send
from tests.server.visitors import draw


@pytest.fixture(scope="session")
def atlas_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An atlas that stays what it is while the tests run, whoever builds a new one meanwhile."""
    folder = tmp_path_factory.mktemp("real") / "atlas"
    try:
        shutil.copytree(built_atlas(), folder, copy_function=os.link)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(built_atlas(), folder)
    return folder


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory: pytest.TempPathFactory, atlas_folder: Path) -> Callable[[str], Path]:
    """Makes data folders with an atlas."""
    return lambda name: new_data(tmp_path_factory.mktemp(name) / "data", atlas_folder)


@pytest.fixture(scope="session")
def server(data_folder: Callable[[str], Path]) -> Iterator[Served]:
    """A server for tests that make links of their own and mind nobody else's."""
    served = Served(data_folder("shared")).start()
    yield served
    served.kill()


@pytest.fixture(scope="session")
def api(server: Served) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture(scope="session")
def tally(data_folder: Callable[[str], Path]) -> Iterator[Tally]:
    """A server that has had 3,000 known clicks, and who they were. Read only."""
    served = Served(data_folder("tally")).start()
    with served.client() as client:
        yield send(served, client, draw(3000, seed=20))
    served.kill()


@pytest.fixture(scope="module", params=["running", "stopped"])
def place(request: pytest.FixtureRequest, data_folder: Callable[[str], Path]) -> Iterator[Place]:
    data = data_folder("import")
    served = Served(data).start() if request.param == "running" else None
    yield Place(data, served)
    if served:
        served.kill()
