"""What the street says of the house by itself: that it lives, and while the app is away, that it is away.

In the shape of the app's own `/health`; each answer is a body and its media type.
"""

from __future__ import annotations

import json

from clickatlas import __version__
from clickatlas.faults import FAULTS, Cause

LIVE_PATH = "/health/live"
WAIT_S = 1.0  # for the app, where somebody asks how it is: probes give up soon
ANSWER_S = 4.0  # what it then may take to say so: an app that hangs is not ready
_APP = FAULTS[Cause.APP]
_SHOWN = {"name": _APP.cause.value, "severity": _APP.severity.value, "what": _APP.what, "mend": _APP.mend}


def _said(document: dict[str, object]) -> tuple[bytes, bytes]:
    return json.dumps(document).encode(), b"application/json"


LIVE = _said({"live": True})
AWAY = {  # by path, with status 503
    "/health": _said({"live": True, "ready": False, "faults": [_SHOWN], "version": __version__}),
    "/health/ready": _said({"ready": False}),
}
