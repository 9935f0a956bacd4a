"""The same million clicks in a DuckDB file and in ClickHouse (its own engine, in the app's process): every endpoint that
reads clicks gives the same answer.
"""

from __future__ import annotations

import json
import math
import re
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from clickatlas.atlas.atlas import Atlas
from tests.server.answers import ASKED, ELSEWHERE, FILTERS, Asked
from tests.server.million import CLICKS, fill
from tests.server.served import Served, until

FILLED_S = 300.0
pytestmark = pytest.mark.timeout(1200)  # a minute on two free cores


class Question(NamedTuple):
    """One request: its row, and its address."""

    asked: Asked
    path: str
    filter: str
    url: httpx.URL


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    content: bytes
    seconds: float


def url(path: str, wanted: str, **names: str) -> httpx.URL:
    """An address with a filter; `from=-30` is the day thirty days ago."""
    for name, value in names.items():
        path = path.replace(f"{{{name}}}", value)
    path, _, own = path.partition("?")
    today = datetime.now(UTC).date()
    dated = re.sub(
        r"\b(from|to)=-(\d+)",
        lambda m: f"{m[1]}={today - timedelta(days=int(m[2]))}",
        "&".join((own, wanted)),
    )
    pairs = [tuple(pair.split("=", 1)) for pair in dated.split("&") if pair]
    return httpx.URL(path, params=pairs)


@pytest.fixture(scope="module")
def answers(
    data_folder: Callable[[str], Path], atlas: Atlas
) -> Iterator[list[tuple[Question, Answer, Answer]]]:
    """Every question and what the two say to it, each asked them in turn, the two at once."""
    data = data_folder("duckdb")
    secret = fill(data, atlas)
    one = Served(data)
    copied = data.with_name("copied")
    assert one.token
    shutil.copytree(data, copied, symlinks=True)
    other = Served(copied, "--clicks-url", f"chdb://{data.with_name('chdb')}")
    questions = [
        Question(asked, path, name, url(path, FILTERS[name], secret=secret))
        for asked in ASKED
        for path in asked.paths
        for name in asked.filters
    ]

    def ask(served: Served) -> list[Answer]:
        served.start()
        with served.client(one.token) as client:
            until(lambda: _counted(client), "a million clicks counted", FILLED_S)
            return [_answer(client, question.url) for question in questions]

    try:
        with ThreadPoolExecutor(2) as both:
            said = both.map(ask, (one, other))
            yield list(zip(questions, *said, strict=True))
    finally:
        for served in (one, other):
            served.stop()


def _counted(client: httpx.Client) -> bool:
    return bool(client.get("/api/status").raise_for_status().json()["store"]["clicks"] == CLICKS)


def _answer(client: httpx.Client, address: httpx.URL) -> Answer:
    started = time.monotonic()
    got = client.get(address, timeout=600)
    return Answer(got.status_code, dict(got.headers), got.content, time.monotonic() - started)


def difference(one: Any, other: Any, where: str = "") -> str | None:
    """Where two values are not the same, floats to nine digits; None where they are."""
    if isinstance(one, float) and isinstance(other, float):
        same = math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12) or (
            math.isnan(one) and math.isnan(other)
        )
        return None if same else f"{where}: {one!r} and {other!r}"
    if type(one) is not type(other):
        return f"{where}: {one!r:.200} and {other!r:.200}"
    if isinstance(one, dict):
        if one.keys() != other.keys():
            return f"{where}: keys {sorted(one.keys() ^ other.keys(), key=repr)}"
        pairs = [(one[key], other[key], f"{where}.{key}") for key in one]
    elif isinstance(one, list | tuple):
        if len(one) != len(other):
            return f"{where}: {len(one)} and {len(other)} of them"
        pairs = [(a, b, f"{where}[{at}]") for at, (a, b) in enumerate(zip(one, other, strict=True))]
    else:
        return None if one == other else f"{where}: {one!r:.200} and {other!r:.200}"
    return next((found for pair in pairs if (found := difference(*pair))), None)


def told(question: Question, answer: Answer) -> Any:
    """An answer as it is compared."""
    assert answer.status in (200, 204), answer.content[:300]
    if answer.status != 200:
        return answer.status, answer.content
    return answer.status, answer.headers["content-type"], question.asked.read(answer.content)


@pytest.mark.parametrize(
    "row", ASKED, ids=lambda row: f"{row.template} {row.paths[0].partition('?')[2]}".strip()
)
def test_both_stores_say_the_same(answers: list[tuple[Question, Answer, Answer]], row: Asked) -> None:
    mine = [(q, told(q, one), told(q, other)) for q, one, other in answers if q.asked is row]
    wrong = {str(q.url): found for q, one, other in mine if (found := difference(one, other))}
    assert not wrong, "\n".join(f"{url}\n    {found}" for url, found in wrong.items())
    assert len(mine) == len(row.paths) * len(row.filters)
    assert any(one[0] == 200 for _, one, _ in mine)


def test_filters_tell_clicks_apart(answers: list[tuple[Question, Answer, Answer]]) -> None:
    """Where every filter let the same clicks through, two wrong stores might agree."""
    totals = {
        q.filter: json.loads(one.content)["total"]
        for q, one, _ in answers
        if q.path.startswith("/api/analytics/geo/cities")
    }
    assert totals["everything"] == CLICKS
    assert totals["never"] == 0
    assert all(0 < total < CLICKS for name, total in totals.items() if name not in ("everything", "never"))
    assert len(set(totals.values())) >= len(totals) - 2  # hidden areas are in the total all the same


def test_every_endpoint_that_reads_clicks_is_asked() -> None:
    """A new endpoint fails here until it has a row in `answers.py`."""
    document = json.loads((Path(__file__).parents[2] / "docs/openapi.json").read_text("utf-8"))
    described = {path for path, methods in document["paths"].items() if "get" in methods}
    asked, elsewhere = {row.template for row in ASKED}, " ".join(ELSEWHERE.values()).split()
    assert asked | set(elsewhere) == described
    assert not asked & set(elsewhere)
    assert len(elsewhere) == len(set(elsewhere))
