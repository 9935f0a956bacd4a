"""How deliveries are signed: Standard Webhooks (https://www.standardwebhooks.com), HMAC-SHA256 over id, time and body."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"


def new_secret() -> str:
    """192 random bits, as receivers' libraries take them."""
    return PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


def sign(secret: str, message: str, timestamp: int, body: bytes) -> str:
    """One signature of a delivery: ``v1,BASE64``."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    content = f"{message}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()


def headers(secrets_: Iterable[str], message: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of a delivery, signed by each of the secrets that hold: two while one is being replaced."""
    return {
        "webhook-id": message,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign(secret, message, timestamp, body) for secret in secrets_),
        "content-type": "application/json",
    }
