"""Signing in by an identity provider, over HTTP: who gets in, who doesn't, and what a hostile one can't do."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.provider import SECRET, Claims, Provider, flags, identity_provider
from tests.server.making import word
from tests.server.served import Served, command
from tests.server.test_people import OWN, PASSWORD, _somewhere


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with identity_provider() as found:
        yield found


@pytest.fixture
def provider(running: Provider) -> Provider:
    running.calm()
    return running


@pytest.fixture(scope="module")
def served(data_folder: Callable[..., Any], running: Provider) -> Iterator[Served]:
    more = ("--sign-up", "invitation", "--sign-in-rate", "0", "--oidc-domains", "a.example,b.example")
    made = Served(data_folder("oidc"), *flags(running), *more).start(CLICKATLAS_OIDC_CLIENT_SECRET=SECRET)
    yield made
    made.kill()


class Browser:
    """Somebody's, with cookies of its own."""

    def __init__(self, served: Served) -> None:
        self.client = httpx.Client(
            base_url=served.url, headers=OWN | {"x-forwarded-for": _somewhere()}, timeout=60
        )

    def begin(self, to: str = "/app") -> str:
        """The address of the provider that the button leads to."""
        answer = self.client.get("/app/oidc", params={"to": to})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def come_back(self, to: str = "/app") -> str:
        """The whole address to come back by, with a code."""
        return httpx.get(self.begin(to)).headers["location"]

    def enter(self, to: str = "/app") -> str:
        """All the way; where it ends."""
        return self.finish(self.come_back(to))

    def finish(self, address: str) -> str:
        answer = self.client.get(address)
        assert answer.status_code == 303, answer.text
        assert answer.headers["cache-control"] == "no-store"
        return answer.headers["location"]

    def session(self) -> Any:
        answer = self.client.get("/api/session")
        return answer.json() if answer.is_success else None

    def done(self, method: str, path: str, **body: Any) -> Any:
        answer = self.client.request(method, f"/api{path}", json=body or None)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None


@pytest.fixture
def browser(served: Served) -> Callable[[], Browser]:
    return lambda: Browser(served)


New = Callable[[], Browser]


def somebody(**more: Any) -> Claims:
    name = word()
    return {
        "sub": f"sub-{name}",
        "name": name.title(),
        "email": f"{name}@a.example",
        "email_verified": True,
    } | more


def invited(served: Served, email: str, role: str = "editor") -> None:
    with served.client() as owner:
        owner.post("/api/invitations", json={"email": email, "role": role}).raise_for_status()


def why(ending: str) -> str:
    return parse_qs(urlsplit(ending).query)["signin"][0]


def test_who_is_invited_comes_in_and_is_known_again(served: Served, provider: Provider, browser: New) -> None:
    ways = httpx.get(f"{served.url}/api/sign-in").json()
    assert ways["provider"] == {"name": "Lighthouse ID", "url": f"{served.url}/app/oidc"}
    provider.person = somebody()
    email = provider.person["email"]
    assert why(browser().enter()) == "uninvited"
    invited(served, email)
    one = browser()
    assert one.enter("/app/map?zoom=3") == "/app/map?zoom=3"
    session = one.session()
    assert (session["user"]["email"], session["role"]) == (email, "editor")
    assert session["user"]["name"] == provider.person["name"]
    provider.person |= {"email": f"{word()}@b.example", "name": "Married"}  # known by subject now
    again = browser()
    again.enter()
    assert again.session()["user"]["email"] == email
    with served.client() as owner:
        actions = [(row["action"], row["subject"]) for row in owner.get("/api/audit").json()["rows"]]
    assert ("session.create", "Lighthouse ID") in actions
    assert ("invitation.accept", email) in actions


def test_a_verified_address_joins_an_account_and_ends_what_opened_it_before(
    served: Served, provider: Provider, browser: New
) -> None:
    provider.person = somebody()
    email = provider.person["email"]
    command("person", "add", "--email", email, "--role", "viewer", data=served.data)
    link = command("sign-in", "--person", email, "--port", str(served.port), data=served.data).stdout.strip()
    before = browser()
    before.client.get(link)
    before.done("PUT", "/session/password", new=PASSWORD)
    assert before.session()
    one = browser()
    assert one.enter() == "/app/joined"
    assert one.session()["user"] == {"name": email.partition("@")[0], "email": email, "has_password": False}
    assert before.session() is None
    refused = browser().client.post("/api/session", json={"email": email, "password": PASSWORD})
    assert refused.status_code == 401
    assert one.enter() == "/app"  # only the first time
    provider.person |= {"sub": "the address's next owner"}
    assert why(browser().enter()) == "taken"


def test_an_identity_is_let_go_of_but_not_the_last_way_in(
    served: Served, provider: Provider, browser: New
) -> None:
    provider.person = somebody()
    invited(served, provider.person["email"])
    one, elsewhere, stranger = browser(), browser(), browser()
    for each in (one, elsewhere):
        each.enter()
    (row,) = one.done("GET", "/profile/identities")["rows"]
    assert (row["provider"], row["in_use"]) == ("Lighthouse ID", True)
    assert provider.person["sub"] not in row["id"]
    path = f"/profile/identities/{row['id']}"
    refused = one.client.delete(f"/api{path}")
    assert (refused.status_code, refused.json()["remedy"]) == (409, "Set a password first.")
    one.done("PUT", "/session/password", new=PASSWORD)
    elsewhere.enter()
    provider.person = somebody()
    invited(served, provider.person["email"])
    stranger.enter()
    assert stranger.client.delete(f"/api{path}").status_code == 404
    one.done("DELETE", path)
    assert one.done("GET", "/profile/identities")["rows"] == []
    assert elsewhere.session() is None  # it may have begun by that identity
    assert one.client.delete(f"/api{path}").status_code == 404


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"email_verified": False}, "unverified"),
        ({"email_verified": "yes"}, "unverified"),
        ({"email": None}, "unverified"),
        ({"email": "a@a.example,b@b.example"}, "unverified"),
        ({"email": "x@evil.example"}, "domain"),
        ({"email": "x@sub.a.example"}, "domain"),
    ],
    ids=str,
)
def test_an_address_that_nobody_vouches_for_is_none(
    served: Served, provider: Provider, browser: New, claims: Claims, said: str
) -> None:
    provider.person = somebody()
    invited(served, provider.person["email"])
    provider.person |= claims
    one = browser()
    assert why(one.enter()) == said
    assert one.session() is None


def unsigned(claims: Claims) -> str:
    return jwt.encode(claims, None, "none")


def by_the_public_key(provider: Provider) -> Callable[[Claims], str]:
    """HS256 with the public key as its secret, as careless programs take it."""

    def sign(claims: Claims) -> str:
        head = {"alg": "HS256", "typ": "JWT", "kid": provider.number}
        public = provider.keys[provider.number].public_key()
        secret = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in (head, claims)]
        text = b".".join(parts)
        mark = base64.urlsafe_b64encode(hmac.digest(secret, text, hashlib.sha256)).rstrip(b"=")
        return (text + b"." + mark).decode()

    return sign


def by_another_key(provider: Provider) -> Callable[[Claims], str]:
    other = Provider()
    other.number = provider.number
    other.keys = {provider.number: next(iter(other.keys.values()))}
    return other.signed


HOSTILE: dict[str, Callable[[Provider], None]] = {
    "unsigned": lambda p: setattr(p, "sign", unsigned),
    "signed by the public key": lambda p: setattr(p, "sign", by_the_public_key(p)),
    "signed by another's key": lambda p: setattr(p, "sign", by_another_key(p)),
    "no token": lambda p: setattr(p, "sign", lambda _: "x.y.z"),
    "half a megabyte": lambda p: setattr(p, "twist", lambda c: c | {"x": "x" * 500_000}),
    "for another client": lambda p: setattr(p, "twist", lambda c: c | {"aud": "another"}),
    "for two, made for the other": lambda p: setattr(
        p, "twist", lambda c: c | {"aud": [c["aud"], "another"], "azp": "another"}
    ),
    "for two, made for nobody": lambda p: setattr(p, "twist", lambda c: c | {"aud": [c["aud"], "another"]}),
    "of another trip": lambda p: setattr(p, "twist", lambda c: c | {"nonce": "another"}),
    "of no trip": lambda p: setattr(p, "twist", lambda c: {k: v for k, v in c.items() if k != "nonce"}),
    "expired": lambda p: setattr(p, "twist", lambda c: c | {"exp": int(time.time()) - 120}),
    "for ever": lambda p: setattr(p, "twist", lambda c: {k: v for k, v in c.items() if k != "exp"}),
    "of another issuer": lambda p: setattr(p, "twist", lambda c: c | {"iss": "https://evil.example"}),
    "of nobody": lambda p: setattr(p, "twist", lambda c: c | {"sub": ""}),
    "of a number": lambda p: setattr(p, "twist", lambda c: c | {"sub": 7}),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_token_that_is_wrong_lets_nobody_in(
    served: Served, provider: Provider, browser: New, kind: str
) -> None:
    provider.person = somebody()
    invited(served, provider.person["email"])
    HOSTILE[kind](provider)
    one = browser()
    assert why(one.enter()) == "refused"
    assert one.session() is None
    provider.calm()  # it was all that kept them out
    assert one.enter() == "/app"


def test_the_way_back_is_this_browsers_and_good_once(
    served: Served, provider: Provider, browser: New
) -> None:
    provider.person = somebody()
    invited(served, provider.person["email"])
    one, other = browser(), browser()
    address = one.come_back()
    other.begin()
    for cookies in (other, browser()):  # another's trip, and none at all
        assert why(cookies.finish(address)) == "lost"
    for wrong in (
        "/app/oidc/callback",
        "/app/oidc/callback?state=%ff&code=x",
        f"/app/oidc/callback?{'x' * 5000}",
    ):
        browser_ = browser()
        browser_.begin()
        assert why(browser_.finish(wrong)) == "lost"
    cookie = one.client.cookies["clickatlas_oidc"]
    assert one.finish(address) == "/app"
    assert "clickatlas_oidc" not in one.client.cookies
    assert why(one.finish(address)) == "lost"
    one.client.cookies.set("clickatlas_oidc", cookie, domain="127.0.0.1")
    assert why(one.finish(address)) == "refused"  # the provider takes a code once
    one.client.cookies.set("clickatlas_oidc", cookie[:-4] + "AAAA", domain="127.0.0.1")
    assert why(one.finish(address)) == "lost"
    mixed = browser()
    address = mixed.come_back().replace("iss=http", "iss=https")  # another provider's answer (RFC 9207)
    assert why(mixed.finish(address)) == "refused"


def test_the_way_on_is_to_our_own_pages(provider: Provider, served: Served, browser: New) -> None:
    provider.person = somebody()
    invited(served, provider.person["email"])
    browser().enter()
    for to in ("//evil.example", "/app//evil.example/../..", "https://evil.example", "/app\\evil", "/application", "/app?\r\nx: y", "/app?" + "x" * 5000):  # fmt: skip
        ending = browser().enter(to)
        assert ending == "/app" or urlsplit(ending).netloc == "", (to, ending)
        assert ending.startswith("/app"), (to, ending)
        assert ending in ("/app", to), (to, ending)


def test_who_cancels_is_told_so(provider: Provider, browser: New) -> None:
    for error, said in (("access_denied", "cancelled"), ("server_error", "refused"), ("<b>", "refused")):
        one = browser()
        state = parse_qs(urlsplit(one.begin()).query)["state"][0]
        ending = one.client.get("/app/oidc/callback", params={"error": error, "state": state})
        assert why(ending.headers["location"]) == said


def test_keys_may_change_and_be_of_either_kind(served: Served, provider: Provider, browser: New) -> None:
    provider.person = somebody()
    invited(served, provider.person["email"])
    for kind in ("RS256", "ES256", "RS256"):
        assert browser().enter() == "/app"
        fetched = len(provider.fetched)
        assert browser().enter() == "/app"
        assert provider.fetched[fetched:] == ["/authorize"]  # discovery and keys are kept
        provider.rotate(kind)


def test_an_address_may_come_by_userinfo_but_of_nobody_else(
    served: Served, provider: Provider, browser: New
) -> None:
    person = somebody()
    invited(served, person["email"])
    provider.person = {"sub": person["sub"]}
    provider.userinfo = person | {"sub": "another"}
    assert why(browser().enter()) == "refused"
    provider.userinfo = person
    one = browser()
    assert one.enter() == "/app"
    assert one.session()["user"]["name"] == person["name"]


def test_a_provider_that_is_down_is_said_and_the_log_has_no_secret(
    served: Served, provider: Provider, browser: New
) -> None:
    provider.person = somebody()
    one = browser()
    address = one.come_back()
    provider.keys["another"] = provider.keys[provider.number]
    provider.down = True
    provider.sign = by_another_key(provider)  # sends it to the keys, which are away
    assert why(one.finish(address)) == "away"
    log = served.log.read_text()
    code = parse_qs(urlsplit(address).query)["code"][0]
    for secret in (
        code,
        SECRET,
        "a secret of mine",
        provider.person["email"],
        one.client.cookies.get("clickatlas_oidc") or "-none-",
    ):
        assert secret not in log
    provider.rotate()


def test_one_lands_where_one_was_last(served: Served, provider: Provider, browser: New) -> None:
    provider.person = somebody()
    invited(served, provider.person["email"], "owner")
    one = browser()
    one.enter()
    made = one.done("POST", "/workspaces", name=f"second of {word()}")
    one.enter()
    assert one.session()["workspace"]["name"] != made["name"]
    one.done("PUT", "/session/workspace", id=made["id"])
    again = browser()
    again.enter()
    assert again.session()["workspace"]["name"] == made["name"]


def test_open_and_closed(data_folder: Callable[..., Any], provider: Provider) -> None:
    """Whoever comes gets a workspace, where that is wanted; and nobody, where it isn't. One server, started twice."""
    data = data_folder("oidc-open")
    served = Served(data, *flags(provider), "--sign-up", "open").start(CLICKATLAS_OIDC_CLIENT_SECRET=SECRET)
    try:
        provider.person = somebody(name="Ann \u202eO\u2019Neill\x00")
        one = Browser(served)
        assert one.enter() == "/app"
        session = one.session()
        assert session["role"] == "owner"
        assert session["workspace"]["name"] == "Ann O\u2019Neill\u2019s workspace"
        served.stop()
        provider.about = {"issuer": "https://evil.example"}
        served.flags = (*flags(provider), "--sign-up", "closed")
        served.start(CLICKATLAS_OIDC_CLIENT_SECRET=SECRET)
        away = httpx.get(f"{served.url}/app/oidc")
        assert why(away.headers["location"]) == "away"  # it says that it is somebody else
        served.stop()
        provider.calm()
        served.start(CLICKATLAS_OIDC_CLIENT_SECRET=SECRET)
        assert Browser(served).enter() == "/app"  # who has an account comes in
        provider.person = somebody()
        assert why(Browser(served).enter()) == "closed"
    finally:
        served.kill()
