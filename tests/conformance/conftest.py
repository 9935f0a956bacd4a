from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.stores import CLICKHOUSES, drop, url


@pytest.fixture(params=CLICKHOUSES)
def where(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a ClickHouse database that is gone afterwards."""
    made = url(request.param)
    yield made
    drop(made)
