"""Whether a webhook's delivery is genuine: Standard Webhooks (https://www.standardwebhooks.com), HMAC-SHA256."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

TOLERANCE_S = 300
PREFIX = "whsec_"


class SignatureError(ValueError):
    """A delivery that isn't genuine, or too old to be believed."""


def verify(
    body: bytes | str,
    headers: Mapping[str, str],
    secret: str,
    *,
    tolerance: float = TOLERANCE_S,
    now: float | None = None,
) -> dict[str, Any]:
    """The event in `body`, if `headers` show that it was signed with `secret`; raises `SignatureError` otherwise.

    `body` as it came, before anything parsed it. A delivery that is `tolerance` seconds old or from the future is
    refused: it may be somebody's recording. `webhook-id` is the same in every try: take each one once.
    """
    content = body.encode() if isinstance(body, str) else body
    given = {str(name).lower(): str(value) for name, value in headers.items()}
    message, moment, signatures = (
        given.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")
    )
    if not (message and moment and signatures):
        raise SignatureError("webhook-id, webhook-timestamp or webhook-signature is missing.")
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise SignatureError(
            "This is no secret: it begins with whsec_ and was shown when the webhook was made."
        ) from None
    if not key:
        raise SignatureError("The secret is empty.")
    if not (moment.isascii() and moment.isdigit() and len(moment) < 15):
        raise SignatureError("webhook-timestamp can't be read.")
    if abs((time.time() if now is None else now) - int(moment)) > tolerance:
        raise SignatureError("The delivery is too old, or this machine's clock is wrong.")
    wanted = b"v1," + base64.b64encode(
        hmac.digest(key, f"{message}.{moment}.".encode("utf-8", "replace") + content, hashlib.sha256)
    )
    if not any(hmac.compare_digest(wanted, one.encode("utf-8", "replace")) for one in signatures.split(" ")):
        raise SignatureError("No signature fits: another secret, or the body was changed on its way.")
    try:
        event = json.loads(content)
    except ValueError:
        raise SignatureError("The body is no JSON.") from None
    if not isinstance(event, dict):
        raise SignatureError("The body is no event.")
    return event
