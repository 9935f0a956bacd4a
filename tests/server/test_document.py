"""The API's document against the API: requests made from it by schemathesis, answers held to it.

`make test` asks each endpoint a few times; `make fuzz` (FUZZ=number) for as long as wanted.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.name_server import name_server
from tests.server.making import make
from tests.server.served import Served

EXAMPLES = int(os.environ.get("FUZZ", "4"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"  # that it is the server's is shown elsewhere
OPERATIONS = [found.ok() for found in schemathesis.openapi.from_path(DOCUMENT).get_all_operations()]


@pytest.fixture(scope="module", autouse=True)
def fuzzed(data_folder: Callable[[str], Path]) -> Iterator[Served]:
    with name_server() as names:  # else domains' checks would wait for one that may be far
        flags = ("--api-rate", "0", "--sign-in-rate", "0", "--dns-servers", f"127.0.0.1:{names.port}")
        served = Served(data_folder("fuzzed"), *flags).start()
        _click(served)
        yield served
        served.kill()


def _click(served: Served) -> None:
    with served.client() as client:
        made = make(client, code="fuzzed", campaign="c", channel="email", tags=["t"])
        for address in ("18.9.22.69", "130.225.0.1"):
            assert httpx.get(made["short_url"], headers={"x-forwarded-for": address}).status_code == 302
        served.settled(client, 2)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_whatever_the_document_allows_is_answered_as_it_says(fuzzed: Served, operation: Any) -> None:
    headers = {"authorization": f"Bearer {fuzzed.token}"}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        _listen_briefly(case)
        answer = case.call(base_url=fuzzed.url, headers=headers, timeout=30)
        case.validate_response(answer, checks=CHECKS)

    ask()


def _listen_briefly(case: Any) -> None:
    """A stream may be asked for by up to 300 s: half of one is as good."""
    if "/live" in case.path:
        asked = (case.query or {}).get("seconds", 300)
        if isinstance(asked, (int, float)) and 0.5 < asked <= 300:
            case.query = {**(case.query or {}), "seconds": 0.5}


def test_the_log_has_no_fault(fuzzed: Served) -> None:
    log = fuzzed.log.read_text("utf-8", "replace")
    assert "Traceback" not in log, log[log.index("Traceback") - 500 :][:3000]
