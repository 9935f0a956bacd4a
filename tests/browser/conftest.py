"""A real Chromium with WebGL in software, on a real server with sample data."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.atlas_fixtures import built_atlas
from tests.server.served import Served, command, new_data

ARTEFACTS = Path(__file__).parents[2] / "artefacts"
FLAGS = (
    "--no-sandbox --disable-quic --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync --use-angle=swiftshader --enable-unsafe-swiftshader"
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    expect.set_options(timeout=30_000)  # a machine that does other things too is slow, not wrong
    playwright: Playwright
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with 60,000 sample clicks."""
    data = new_data(tmp_path_factory.mktemp("browser") / "data", built_atlas())
    command("demo", "--clicks", "60000", data=data)
    served = Served(data).start()
    yield served
    served.stop()


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Served]:
    """A server with nothing in it."""
    served = Served(new_data(tmp_path / "data", built_atlas())).start()
    yield served
    served.stop()


def sign_in_link(served: Served) -> str:
    return command("sign-in", "--port", str(served.port), data=served.data).stdout.strip()


def asked(served: Served, path: str, **params: str) -> Any:
    """What the API says."""
    with served.client() as client:
        return client.get(path, params=params).raise_for_status().json()


def pick(page: Page, code: str, entry: str) -> None:
    """Take `entry` of the menu in a link's row. Scrolling closes a menu, so it is over before one is opened."""
    row = page.locator(f"[data-code={code}]")
    row.scroll_into_view_if_needed()
    page.wait_for_timeout(200)
    row.get_by_test_id("link-more").click()
    page.get_by_test_id(entry).click()


class Window:
    """One browser window that is signed in; problems it logs fail the test."""

    def __init__(self, browser: Browser, served: Served, **options: object) -> None:
        options = {"viewport": {"width": 1280, "height": 800}, "timezone_id": "Europe/Berlin", **options}
        self.served = served
        self.context: BrowserContext = browser.new_context(**options)  # type: ignore[arg-type]
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.problems: list[str] = []
        self.outside: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on(
            "console", lambda said: self.problems.append(said.text) if said.type == "error" else None
        )
        self.page.on("request", lambda request: self._note(request.url))
        self.page.goto(sign_in_link(served))

    def _note(self, url: str) -> None:
        if not url.startswith((self.served.url, "data:", "blob:")):
            self.outside.append(url)

    def ready(self) -> Page:
        """The page once its map is idle."""
        self.page.wait_for_selector('[data-testid=map][data-ready="true"]', timeout=60_000)
        return self.page

    def goto(self, path: str) -> Page:
        """Open `path` cold and wait for the map."""
        self.page.goto(self.served.url + path)
        return self.ready()

    def picture(self, name: str) -> None:
        """Keep what is seen as a build artefact."""
        ARTEFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTEFACTS / f"{name}.png")

    def close(self) -> None:
        """End; nothing may have gone wrong in the page, and nothing may have been asked of anybody else."""
        self.context.close()
        assert self.problems == []
        assert self.outside == []
