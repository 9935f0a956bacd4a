"""A small real identity provider for tests: HTTP, RSA and EC keys, JWTs, PKCE. It can be told to misbehave."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

CLIENT, SECRET = "clickatlas", "the client's & secret"
PAGE = """<!doctype html><title>Lighthouse ID</title><h1>Lighthouse ID</h1>
<p><a href="{yes}">Go on as {name}</a></p><p><a href="{no}">Cancel</a></p>"""
Claims = dict[str, Any]


class Provider:
    """Whoever asks is `person`; `twist` may change what is signed, `sign` how."""

    def __init__(self) -> None:
        self.person: Claims = {}
        self.twist: Callable[[Claims], Claims] = lambda claims: claims
        self.sign: Callable[[Claims], str] = self.signed
        self.about: Claims = {}  # what the discovery document says besides, or otherwise
        self.down = False
        self.asks = False  # shows a page with a link to go on, and one to cancel
        self.userinfo: Claims | None = None
        self.fetched: list[str] = []
        self.codes: dict[str, dict[str, str]] = {}
        self.keys: dict[str, Any] = {}
        self.issuer = ""
        self.rotate()

    def calm(self) -> None:
        """Behave again."""
        self.twist, self.sign, self.about = (lambda claims: claims), self.signed, {}
        self.down, self.asks, self.userinfo = False, False, None

    def rotate(self, kind: str = "RS256") -> None:
        """Sign with a new key from now on; the one before is gone."""
        made: Any = (
            rsa.generate_private_key(65537, 2048)
            if kind == "RS256"
            else ec.generate_private_key(ec.SECP256R1())
        )
        self.kind, self.number = kind, secrets.token_hex(4)
        self.keys = {self.number: made}

    def signed(self, claims: Claims) -> str:
        return jwt.encode(claims, self.keys[self.number], self.kind, headers={"kid": self.number})

    def jwks(self) -> Claims:
        kinds = {"RS256": jwt.algorithms.RSAAlgorithm, "ES256": jwt.algorithms.ECAlgorithm}
        rows = []
        for number, key in self.keys.items():
            row = kinds[self.kind].to_jwk(key.public_key(), as_dict=True)
            rows.append(row | {"kid": number, "use": "sig", "alg": self.kind})
        return {"keys": rows}

    def discovery(self) -> Claims:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize?tenant=a",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
        } | self.about

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser goes with a new code."""
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], 'iss': self.issuer})}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, Claims]:
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode().split(":")
        if [unquote_plus(part) for part in pair] != [CLIENT, SECRET]:
            return 401, {"error": "invalid_client"}
        asked = self.codes.pop(form["code"], None)  # good once
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != form["redirect_uri"]
        ):
            return 400, {"error": "invalid_grant", "error_description": "a secret of mine"}
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        return 200, {
            "access_token": "at",
            "token_type": "Bearer",
            "id_token": self.sign(self.twist(claims | self.person)),
        }


class _Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        provider, parts = self.provider, urlsplit(self.path)
        provider.fetched.append(parts.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if provider.down:
            self._say(503, {})
        elif parts.path == "/.well-known/openid-configuration":
            self._say(200, provider.discovery())
        elif parts.path == "/jwks":
            self._say(200, provider.jwks())
        elif parts.path == "/userinfo" and self.headers["authorization"] == "Bearer at":
            self._say(200, provider.userinfo or {})
        elif parts.path == "/authorize" and provider.asks:
            no = f"{asked['redirect_uri']}?{urlencode({'error': 'access_denied', 'state': asked['state']})}"
            page = PAGE.format(yes=provider.authorize(asked), no=no, name=provider.person["name"])
            self._say(200, page.replace("&", "&amp;"))
        elif parts.path == "/authorize":
            self._say(302, {}, location=provider.authorize(asked))
        else:
            self._say(204 if parts.path == "/favicon.ico" else 404, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        self._say(*self.provider.token(form, self.headers.get("authorization", "")))

    def _say(self, status: int, what: Claims | str, location: str = "") -> None:
        body = (what if isinstance(what, str) else json.dumps(what)).encode()
        self.send_response(status)
        if location:
            self.send_header("location", location)
        self.send_header("content-type", "text/html" if isinstance(what, str) else "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def identity_provider() -> Iterator[Provider]:
    provider = Provider()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"provider": provider}))
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()


def flags(provider: Provider) -> tuple[str, ...]:
    """What `clickatlas serve` is told of it; the secret goes by the environment."""
    return ("--oidc-issuer", provider.issuer, "--oidc-client-id", CLIENT, "--oidc-name", "Lighthouse ID",
            "--oidc-networks", "127.0.0.0/8")  # fmt: skip
