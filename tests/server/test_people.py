"""From sign-up to deletion: people come by letter, have roles, change them, and go. Over a real mail server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.mail import Mailbox, mail_server
from tests.server.making import make, word
from tests.server.problems import is_problem
from tests.server.served import Served, until

OWN = {"sec-fetch-site": "same-origin"}
NUMBERS = count(1)
PASSWORD = "marble otter staircase"


@pytest.fixture(scope="module")
def box() -> Iterator[Mailbox]:
    with mail_server() as found:
        yield found


@pytest.fixture(scope="module")
def served(data_folder: Callable[[str], Path], box: Mailbox) -> Iterator[Served]:
    flags = ("--sign-up", "open", "--smtp-host", "127.0.0.1", "--smtp-port", str(box.port), "--smtp-security", "none",
             "--mail-from", "Links <links@example.com>", "--sign-in-rate", "0", "--mail-rate", "5")  # fmt: skip
    made = Served(data_folder("people"), *flags).start()
    yield made
    made.kill()


class Somebody:
    """A browser of somebody's."""

    def __init__(self, served: Served, box: Mailbox, name: str = "") -> None:
        self.box = box
        self.name = name or word()
        self.email = f"{self.name}@a.example"
        self.client = httpx.Client(
            base_url=served.url, headers=OWN | {"x-forwarded-for": _somewhere()}, timeout=60
        )

    def ask(self, method: str, path: str, **body: Any) -> httpx.Response:
        return self.client.request(method, f"/api{path}", json=body or None)

    def done(self, method: str, path: str, **body: Any) -> Any:
        answer = self.ask(method, path, **body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def token(self, page: str = "join") -> str:
        """The secret in the next letter to them."""
        found = re.fullmatch(rf"http://[^/]+/app/{page}#([\w-]{{43}})", self.box.link(self.email))
        assert found
        return found.group(1)

    def sign_up(self) -> Somebody:
        self.done("POST", "/sign-up", email=self.email.upper())
        given = {"token": self.token(), "name": self.name, "password": PASSWORD}
        self.done("POST", "/letters/accept", **given, workspace=f"{self.name}'s")
        return self

    def join(self, owner: Somebody, role: str) -> Somebody:
        owner.done("POST", "/invitations", email=self.email, role=role)
        self.done("POST", "/letters/accept", token=self.token(), name=self.name, password=PASSWORD)
        return self

    @property
    def cookie(self) -> str:
        return self.client.cookies["clickatlas_session"]

    @property
    def number(self) -> int:
        rows = self.done("GET", "/people")["rows"]
        return int(next(row["id"] for row in rows if row["you"]))


def _somewhere() -> str:
    return f"81.2.69.{next(NUMBERS)}"


@pytest.fixture
def somebody(served: Served, box: Mailbox) -> Callable[[], Somebody]:
    return lambda: Somebody(served, box)


@pytest.fixture(scope="module")
def owner(served: Served, box: Mailbox) -> Somebody:
    """Who has signed up, with a link in a workspace of their own."""
    found = Somebody(served, box).sign_up()
    found.done("POST", "/links", url="https://example.com/", code=f"of-{found.name}")
    return found


Anybody = Callable[[], Somebody]


def test_signing_up_makes_a_workspace_of_ones_own(owner: Somebody, served: Served) -> None:
    session = owner.done("GET", "/session")
    assert session["user"] == {"name": owner.name, "email": owner.email, "has_password": True}
    assert session["workspace"]["name"] == f"{owner.name}'s"
    assert session["role"] == "owner"
    with served.client() as first:  # the installation's own workspace is another
        make(first)
        assert owner.done("GET", "/links")["total"] == 1


def test_a_letter_opens_once(somebody: Anybody) -> None:
    new = somebody()
    new.done("POST", "/sign-up", email=new.email)
    given = {"token": new.token(), "name": "x", "password": PASSWORD, "workspace": "w"}
    for lacking in ("name", "password", "workspace"):
        less = {name: value for name, value in given.items() if name != lacking}
        assert is_problem(new.ask("POST", "/letters/accept", **less), 422)["field"] == lacking
    weak = given | {"password": "password1234"}
    assert is_problem(new.ask("POST", "/letters/accept", **weak), 422)["field"] == "password"
    assert new.done("POST", "/letters/read", token=given["token"])["kind"] == "sign-up"
    new.done("POST", "/letters/accept", **given)
    for path in ("read", "accept"):
        is_problem(somebody().ask("POST", f"/letters/{path}", **({"token": given["token"]} | (given if path == "accept" else {}))), 404)  # fmt: skip


def test_nobody_learns_who_has_an_account(owner: Somebody, somebody: Anybody, box: Mailbox) -> None:
    stranger = somebody()
    for path in ("/sign-up", "/session/link"):
        known, unknown = (stranger.ask("POST", path, email=email) for email in (owner.email, stranger.email))
        assert known.status_code == unknown.status_code == 202
        assert known.text.replace(owner.email, "") == unknown.text.replace(stranger.email, "")
        assert "set-cookie" not in [*known.headers, *unknown.headers]
    # To the known one two sign-in links, to the unknown one the start of an account and nothing else.
    assert "have a clickatlas account" in str(box.letter(owner.email)["subject"])
    assert "sign-in link" in str(box.letter(owner.email)["subject"])
    assert "new clickatlas account" in str(box.letter(stranger.email)["subject"])
    owner.done("POST", "/session/link", email=owner.email)
    box.letter(owner.email)
    assert [to for to, _ in box.letters if to == stranger.email] == []


def test_a_mailed_link_signs_in_once_and_begins_a_new_session(owner: Somebody, somebody: Anybody) -> None:
    guest = somebody().join(owner, "viewer")
    before = guest.cookie
    guest.done("POST", "/session/link", email=f" {guest.email.upper()}")
    token = guest.token("enter")
    refused = guest.client.post(
        "/api/session/redeem", json={"token": token}, headers={"sec-fetch-site": "cross-site"}
    )
    is_problem(refused, 403)  # no other page signs a browser in
    guest.done("POST", "/session/redeem", token=token)
    assert guest.cookie != before
    is_problem(httpx.get(f"{guest.client.base_url}/api/session", cookies={"clickatlas_session": before}), 401)
    is_problem(guest.ask("POST", "/session/redeem", token=token), 401)
    actions = [row["action"] for row in owner.done("GET", "/audit")["rows"]]
    assert {"session.link", "session.create", "invitation.create", "invitation.accept"} <= set(actions)


def test_who_proves_an_address_ends_what_a_copied_link_had_set(
    owner: Somebody, somebody: Anybody, box: Mailbox
) -> None:
    copier, rightful = somebody(), somebody()
    rightful.email = copier.email
    made = owner.done("POST", "/invitations", email=copier.email, role="editor")
    letter = rightful.token()
    copied = made["link"].partition("#")[2]
    assert made["mailed"]
    assert copied != letter
    copier.done("POST", "/letters/accept", token=copied, name="Not them", password=PASSWORD)
    for secret in (copied, letter):  # one invitation, however it is read
        is_problem(rightful.ask("POST", "/letters/read", token=secret), 404)
    token = copier.done("POST", "/tokens", name="kept")["token"]
    bearer = {"authorization": f"Bearer {token}"}
    assert httpx.get(f"{copier.client.base_url}/api/links", headers=bearer).is_success
    rightful.done("POST", "/session/link", email=copier.email)
    assert rightful.done("POST", "/session/redeem", token=rightful.token("enter")) == {"had_password": True}
    is_problem(copier.ask("GET", "/session"), 401)
    is_problem(httpx.get(f"{copier.client.base_url}/api/links", headers=bearer), 401)
    is_problem(copier.ask("POST", "/session", email=copier.email, password=PASSWORD), 401)
    assert rightful.done("GET", "/session")["user"]["has_password"] is False
    # What they set themselves stays, the next time.
    fresh = "granite kettle lantern"
    rightful.done("PUT", "/session/password", new=fresh)
    rightful.done("POST", "/session/link", email=rightful.email)
    assert rightful.done("POST", "/session/redeem", token=rightful.token("enter")) == {"had_password": False}
    rightful.done("POST", "/session", email=rightful.email, password=fresh)
    # Who came by the letter has shown it already.
    guest = somebody().join(owner, "viewer")
    guest.done("POST", "/session/link", email=guest.email)
    assert guest.done("POST", "/session/redeem", token=guest.token("enter")) == {"had_password": False}
    guest.done("POST", "/session", email=guest.email, password=PASSWORD)


def test_letters_to_one_address_are_few(somebody: Anybody) -> None:
    new = somebody()
    answers = [new.ask("POST", "/session/link", email=new.email) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [202] * 5 + [429]
    assert int(answers[-1].headers["retry-after"]) > 60


def test_an_address_with_a_header_in_it_is_none(owner: Somebody, box: Mailbox) -> None:
    for email in ("a@b.example\r\nBcc: c@d.example", "a@b.example,c@d.example", "a@b.example\x00", "a" * 321):
        for path in ("/sign-up", "/session/link", "/invitations", "/profile/email"):
            is_problem(owner.ask("POST", path, email=email), 422)
    assert not [to for to, _ in box.letters if to in ("a@b.example", "c@d.example")]


def test_an_invitation_says_who_and_where_and_no_more(
    owner: Somebody, somebody: Anybody, box: Mailbox
) -> None:
    owner.done("PATCH", "/workspace", name="https://evil.example/win\u202e Bcc")
    guest = somebody()
    made = owner.done("POST", "/invitations", email=guest.email, role="editor")
    assert made["mailed"]
    assert made["problem"] is None
    subject = str(box.letters[-1][1]["subject"])
    text = box.letters[-1][1].get_content()
    assert "evil.example" not in subject + text
    assert text.count("://") == 1
    token = guest.token()
    assert made["link"].partition("#")[2] != token  # that one shows nothing of who has it
    owner.done("PATCH", "/workspace", name=f"{owner.name}'s")
    assert guest.done("POST", "/letters/read", token=token) == {
        "kind": "invitation", "email": guest.email, "workspace": f"{owner.name}'s", "role": "editor",
        "invited_by": owner.name, "has_account": False,
    }  # fmt: skip
    listed = owner.done("GET", "/invitations")["rows"]
    assert [row["email"] for row in listed] == [guest.email]
    assert token not in str(listed)
    again = owner.done("POST", "/invitations", email=guest.email, role="viewer")  # in place of the one before
    is_problem(guest.ask("POST", "/letters/read", token=token), 404)
    owner.done("DELETE", f"/invitations/{again['id']}")
    is_problem(guest.ask("POST", "/letters/read", token=guest.token()), 404)
    assert owner.done("GET", "/invitations")["rows"] == []


def test_who_has_an_account_signs_in_to_accept(owner: Somebody, somebody: Anybody, box: Mailbox) -> None:
    other, wrong = somebody().sign_up(), somebody().sign_up()
    owner.done("POST", "/invitations", email=other.email, role="editor")
    token = other.token()
    nobody = somebody()
    given = {"token": token, "name": "Mallory", "password": PASSWORD}
    is_problem(nobody.ask("POST", "/letters/accept", **given), 401)  # the link alone is not the account
    is_problem(wrong.ask("POST", "/letters/accept", **given), 403)
    other.done("POST", "/letters/accept", token=token)
    assert other.done("GET", "/session")["workspace"]["name"] == f"{owner.name}'s"
    rows = other.done("GET", "/workspaces")["rows"]
    assert {(row["name"], row["role"]) for row in rows} == {
        (f"{owner.name}'s", "editor"), (f"{other.name}'s", "owner")
    }  # fmt: skip
    is_problem(owner.ask("POST", "/invitations", email=other.email), 409)  # is in already

    before = other.cookie
    home = next(row["id"] for row in rows if row["role"] == "owner")
    other.done("PUT", "/session/workspace", id=home)
    assert other.cookie != before
    assert other.done("GET", "/links")["total"] == 0
    is_problem(wrong.ask("PUT", "/session/workspace", id=home), 404)
    there = next(row["id"] for row in rows if row["role"] == "editor")
    is_problem(other.ask("POST", f"/workspaces/{home}/leave", confirm=f"{other.name}'s"), 409)
    other.done("POST", f"/workspaces/{there}/leave", confirm=f"{owner.name}'s")
    is_problem(other.ask("PUT", "/session/workspace", id=there), 404)


def test_a_role_holds_from_the_next_request_on(owner: Somebody, somebody: Anybody) -> None:
    guest = somebody().join(owner, "viewer")
    link = {"url": "https://example.com/"}
    is_problem(guest.ask("POST", "/links", **link), 403)
    assert next(row["email"] for row in guest.done("GET", "/people")["rows"] if not row["you"]) is None
    is_problem(guest.ask("GET", "/invitations"), 403)
    is_problem(guest.ask("POST", "/invitations", email="x@a.example", role="owner"), 403)
    is_problem(guest.ask("PATCH", f"/people/{guest.number}", role="owner"), 403)
    owner.done("PATCH", f"/people/{guest.number}", role="editor")
    guest.done("POST", "/links", **link)
    token = guest.done("POST", "/tokens", name="mine", scopes=["read"])["token"]
    by_token = {"authorization": f"Bearer {token}"}
    assert httpx.get(f"{guest.client.base_url}/api/links", headers=by_token).status_code == 200
    owner.done("DELETE", f"/people/{guest.number}")
    is_problem(guest.ask("GET", "/links"), 401)
    is_problem(httpx.get(f"{guest.client.base_url}/api/links", headers=by_token), 401)
    is_problem(guest.ask("POST", "/session", email=guest.email, password=PASSWORD), 401)
    assert guest.join(owner, "viewer").done("GET", "/session")["role"] == "viewer"  # may come again


def test_the_last_owner_stays_until_somebody_takes_over(owner: Somebody, somebody: Anybody) -> None:
    first = somebody().sign_up()
    for answer in (
        first.ask("PATCH", f"/people/{first.number}", role="viewer"),
        first.ask("DELETE", f"/people/{first.number}"),
        first.ask("DELETE", "/profile", confirm=first.email, password=PASSWORD),
    ):
        assert "owner" in is_problem(answer, 409)["remedy"]
    assert is_problem(first.ask("DELETE", "/profile", confirm=first.email), 422)["field"] == "password"
    second = somebody().join(first, "owner")
    first.done("DELETE", "/profile", confirm=first.email, password=PASSWORD)
    is_problem(first.ask("GET", "/session"), 401)
    is_problem(first.ask("POST", "/session", email=first.email, password=PASSWORD), 401)
    rows = second.done("GET", "/audit")["rows"]
    assert [row["who"] for row in rows if row["action"] == "person.delete"] == [None]
    assert first.sign_up().done("GET", "/session")["role"] == "owner"  # the address is free again


def test_a_new_address_is_confirmed_and_the_old_one_told(somebody: Anybody, box: Mailbox) -> None:
    one, elsewhere = somebody().sign_up(), somebody()
    elsewhere.email = one.email
    elsewhere.done("POST", "/session", email=one.email, password=PASSWORD)
    old, new = one.email, f"{word()}@b.example"
    assert is_problem(one.ask("POST", "/profile/email", email=new), 422)["field"] == "password"
    assert one.done("POST", "/profile/email", email=new, password=PASSWORD) == {
        "email": new,
        "confirmed": False,
    }
    assert one.done("GET", "/session")["user"]["email"] == old
    one.email = new
    token = one.token()
    is_problem(somebody().ask("POST", "/letters/accept", token=token), 401)
    one.done("POST", "/letters/accept", token=token)
    assert one.done("GET", "/session")["user"]["email"] == new
    is_problem(elsewhere.ask("GET", "/session"), 401)
    assert "address was changed" in str(box.letter(old)["subject"])
    one.done("PATCH", "/profile", name="Another")
    assert one.done("GET", "/session")["user"]["name"] == "Another"


def test_mail_that_cant_be_sent_is_said(
    owner: Somebody, somebody: Anybody, box: Mailbox, served: Served
) -> None:
    guest = somebody()
    box.refuses = "554 No"
    made = owner.done("POST", "/invitations", email=guest.email)
    assert not made["mailed"]
    assert "answers 554" in made["problem"]
    box.refuses = ""
    token = made["link"].rpartition("#")[2]
    log = until(lambda: served.log.read_text() if "answers 554" in served.log.read_text() else "", "the log")
    assert token not in log
    assert guest.email not in log.partition("answers 554")[2]
    assert guest.done("POST", "/letters/read", token=token)["email"] == guest.email  # its link can be copied


def test_without_mail_links_are_copied_and_sign_up_is_shut(server: Served, box: Mailbox) -> None:
    with server.client() as api:
        ways = httpx.get(f"{server.url}/api/sign-in").json()
        assert ways == {"sign_up": "invitation", "mail": False, "provider": None}
        guest = Somebody(server, box)
        made = api.post("/api/invitations", json={"email": guest.email}).json()
        assert (made["mailed"], made["problem"]) == (False, None)
        is_problem(guest.ask("POST", "/sign-up", email=guest.email), 403)
        is_problem(guest.ask("POST", "/session/link", email=guest.email), 409)
        guest.done(
            "POST", "/letters/accept", token=made["link"].rpartition("#")[2], name="x", password=PASSWORD
        )
        assert guest.done("GET", "/session")["role"] == "editor"
        is_problem(guest.ask("POST", "/workspaces", name="own"), 403)
        changed = guest.done("POST", "/profile/email", email=f"{word()}@b.example", password=PASSWORD)
        assert changed["confirmed"]
