"""Secrets are compared in constant time: by `compare_digest`, and never by `==`, which ends at the first letter that differs."""

from __future__ import annotations

import ast
import hmac
import secrets
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import clickatlas
from clickatlas.api import metrics
from clickatlas.client.webhooks import SignatureError, verify
from clickatlas.errors import Problem
from clickatlas.links import payment, secret
from clickatlas.links.identities import TurnedAway
from clickatlas.oidc import trip
from clickatlas.webhooks import signature

HOUSE = Path(clickatlas.__file__).parent
# Where something secret that was sent is held against what is known.
PLACES = {
    "api/metrics.py", "client/webhooks.py", "links/payment.py", "links/secret.py", "oidc/claims.py", "oidc/trip.py",
}  # fmt: skip
TELLING = {"secret", "signature", "nonce", "ticket", "verifier", "digest_of", "_sign", "hexdigest"}
EQUAL = {ast.Eq, ast.NotEq, ast.In, ast.NotIn}
# A database finds a row by the SHA-256 of 256 random bits, a dictionary by a keyed hash: how long either takes says nothing
# of the secret. A checksum of a file is none.
ALLOWED = {
    ("api/caller.py", "(kind, secret) in self._known"),
    ("atlas/sources.py", "hashlib.sha256(packages[0].read_bytes()).hexdigest() != source.sha256"),
    ("links/keys.py", "Key.digest == digest_of(secret)"),
    ("links/letters.py", "found.mailed == digest_of(secret)"),
    ("links/shares.py", "Share.digest == digest_of(secret)"),
}


def _names(part: ast.AST) -> set[str]:
    return {
        node.id if isinstance(node, ast.Name) else node.attr
        for node in ast.walk(part)
        if isinstance(node, ast.Name | ast.Attribute)
    }


def test_nothing_secret_is_compared_otherwise() -> None:
    careful, careless = set(), set()
    for path in HOUSE.rglob("*.py"):
        name = path.relative_to(HOUSE).as_posix()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and "compare_digest" in _names(node.func):
                careful.add(name)
            if isinstance(node, ast.Compare) and _names(node) & TELLING and EQUAL & set(map(type, node.ops)):
                careless.add((name, ast.unparse(node)))
    assert careful == PLACES
    assert careless == ALLOWED


Compared = list[tuple[Any, Any]]


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> Compared:
    """What was held against each other in constant time."""
    found: Compared = []
    real: Callable[[Any, Any], bool] = hmac.compare_digest

    def watched(one: Any, other: Any) -> bool:
        found.append((one, other))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    monkeypatch.setattr(secrets, "compare_digest", watched)
    return found


def test_tickets(compared: Compared) -> None:
    good = secret.ticket(b"key", "share", 60)
    assert secret.is_good(good, b"key", "share")
    assert not secret.is_good(good[:-1] + ("0" if good[-1] != "0" else "1"), b"key", "share")
    assert [len(one) == len(other) == 32 for one, other in compared] == [True, True]


def test_signatures_of_payments_and_deliveries(compared: Compared) -> None:
    right = hmac.new(b"word", b"1000.body", "sha256").hexdigest()
    assert payment.is_genuine(f"t=1000,v1={right}", b"body", "word", 1000)
    assert not payment.is_genuine(f"t=1000,v1={right[:-1]}x,v1=", b"body", "word", 1000)
    assert [one for one, _ in compared] == [right.encode()] * 3
    compared.clear()
    key = signature.new_secret()
    sent = signature.headers([key], "m", 1000, b"{}")
    assert verify(b"{}", sent, key, now=1000) == {}
    with pytest.raises(SignatureError):
        verify(b"{ }", sent, key, now=1000)
    assert len(compared) == 2


def test_the_way_back_from_a_provider(compared: Compared) -> None:
    begun = trip.begin("/app")
    cookie = trip.seal(begun, b"k" * 32)
    assert trip.unseal(cookie, begun.state, b"k" * 32) == begun
    with pytest.raises(TurnedAway):
        trip.unseal(cookie, "another", b"k" * 32)
    # The library that reads the cookie holds its signature against another in the same way.
    ours = [pair for pair in compared if begun.state.encode() in pair]
    assert [other for _, other in ours] == [begun.state.encode(), b"another"]


def test_the_token_of_the_figures(compared: Compared) -> None:
    guesses = SimpleNamespace(check=lambda _: None, take=lambda _: None)
    state = SimpleNamespace(
        callers=SimpleNamespace(guesses=guesses), settings=SimpleNamespace(metrics_token="word")
    )
    for given, good in (("word", True), ("ward", False), ("", False)):
        request: Any = SimpleNamespace(
            app=SimpleNamespace(state=state),
            headers={"authorization": f"Bearer {given}"},
            client=SimpleNamespace(host="127.0.0.1"),
            state=SimpleNamespace(),
            scope={"client": ("127.0.0.1", 1)},
        )
        if good:
            metrics._may_read(request)
        else:
            with pytest.raises(Problem):
                metrics._may_read(request)
    assert compared == [(b"word", b"word"), (b"ward", b"word"), (b"", b"word")]
