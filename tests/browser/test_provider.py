"""To an identity provider and back, as somebody at a browser goes: cancelled, not invited, invited, and joined."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.atlas_fixtures import built_atlas
from tests.browser.conftest import Window
from tests.browser.test_people import look, settings
from tests.provider import SECRET, Provider, flags, identity_provider
from tests.server.served import Served, command, new_data

pytestmark = pytest.mark.browser
PERSON = {"sub": "1", "name": "Ann Keeper", "email": "ann@example.com", "email_verified": True}


@pytest.fixture
def provider() -> Iterator[Provider]:
    with identity_provider() as found:
        found.person, found.asks = PERSON, True
        yield found


@pytest.fixture
def served(tmp_path: Path, provider: Provider) -> Iterator[Served]:
    made = Served(new_data(tmp_path / "data", built_atlas()), *flags(provider))
    yield made.start(CLICKATLAS_OIDC_CLIENT_SECRET=SECRET)
    made.stop()


def test_signing_in_by_an_identity_provider(chromium: Browser, served: Served, provider: Provider) -> None:
    window = Window(chromium, served, color_scheme="light")
    page = window.page
    window.context.clear_cookies()
    page.goto(f"{served.url}/app?zoom=3")
    button = page.get_by_test_id("by-provider")
    expect(button).to_have_text("Continue with Lighthouse ID")
    look(window, "by-provider")
    button.click()
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("heading", name="Nobody was signed in")).to_be_visible()
    expect(page.get_by_test_id("turned-away")).to_contain_text("You cancelled at Lighthouse ID")
    look(window, "turned-away")
    button.click()
    page.get_by_role("link", name="Go on as Ann").click()
    expect(page.get_by_role("heading", name="No invitation yet")).to_be_visible()

    with served.client() as owner:
        made = owner.post("/api/invitations", json={"email": PERSON["email"], "role": "viewer"}).json()
    page.goto(made["link"])
    expect(page.get_by_role("heading", name="Join My workspace")).to_be_visible()
    look(window, "join-by-provider")
    button.click()
    page.get_by_role("link", name="Go on as Ann").click()
    window.ready()
    expect(page.get_by_test_id("looking")).to_contain_text("My workspace")

    # Somebody who had a password is told, the first time, that it has ended.
    command("person", "add", "--email", "ben@example.com", "--role", "viewer", data=served.data)
    link = command("sign-in", "--person", "ben@example.com", "--port", str(served.port), data=served.data)
    page.goto(link.stdout.strip())
    window.ready()
    page.evaluate(
        "fetch('/api/session/password', {method: 'PUT', headers: {'content-type': 'application/json'},"
        " body: JSON.stringify({new: 'marble otter staircase'})}).then((answer) => answer.status)"
    )
    window.context.clear_cookies()
    provider.person = PERSON | {"sub": "2", "name": "Ben", "email": "ben@example.com"}
    page.goto(f"{served.url}/app")
    button.click()
    page.get_by_role("link", name="Go on as Ben").click()
    joined = page.get_by_test_id("joined")
    expect(joined).to_contain_text("The password and the other sessions that your account had are ended")
    look(window, "joined")
    page.get_by_test_id("joined-close").click()
    expect(joined).to_have_count(0)

    settings(page, "profile")
    page.get_by_test_id("identity-part").click()
    page.get_by_test_id("identity-part").click()
    expect(page.get_by_role("alert")).to_contain_text("This is your only way in. Set a password first.")
    look(window, "only-way-in")
    page.get_by_test_id("account-new").fill("marble otter staircase")
    page.get_by_test_id("account-save").click()
    expect(page.get_by_text("Password set.")).to_be_visible()
    page.get_by_test_id("identity-part").click()
    page.get_by_test_id("identity-part").click()
    expect(page.get_by_text("opens this account no longer")).to_be_visible()
    expect(page.get_by_test_id("identity-row")).to_have_count(0)
    window.outside.clear()  # the provider
    window.problems[:] = [said for said in window.problems if "status of 4" not in said]
    window.close()
