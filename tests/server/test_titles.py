"""Links made without a title get that of their page, where the operator wants it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.server.making import make, word
from tests.server.served import Served, until
from tests.unit.test_outside import Site

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux answers on all of 127.0.0.0/8")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.close()


@pytest.fixture(scope="module")
def curious(data_folder: Callable[[str], Path], site: Site) -> Iterator[Served]:
    flags = ("--fetch-titles", "--fetch-networks", "127.0.0.2/32", "--fetch-ports", f"80,{site.port}")
    served = Served(data_folder("titles"), *flags).start()
    yield served
    served.kill()


def test_a_link_gets_the_title_of_its_page(curious: Served, site: Site) -> None:
    url = site.page("/titled", "<title>=Spring\u202e & more</title>".encode())
    with curious.client() as api:
        made = make(api, url=url)
        assert made["title"] == ""
        found = until(lambda: api.get(f"/api/links/{made['code']}").json()["title"], "a title")
        assert found == "=Spring & more"
        own = make(api, url=url, title="Mine")
        inside = make(api, url=f"http://127.0.0.1:{site.port}/titled")
        last = make(api, url=url)
        until(lambda: api.get(f"/api/links/{last['code']}").json()["title"], "a title")
        assert api.get(f"/api/links/{own['code']}").json()["title"] == "Mine"
        assert api.get(f"/api/links/{inside['code']}").json()["title"] == ""
    assert not site.trapped()


def test_nothing_is_fetched_unless_the_operator_says_so(server: Served, site: Site) -> None:
    path = f"/{word()}"
    with server.client() as api:
        made = make(api, url=site.page(path))
        make(api, url=site.page(path))
        assert api.get(f"/api/links/{made['code']}").json()["title"] == ""
    assert not [asked for asked, _ in site.asked if asked == path]
