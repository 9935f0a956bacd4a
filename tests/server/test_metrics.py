"""`/metrics`: read by Prometheus's own parser, right to the last redirect, and for nobody without its token."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families

from clickatlas.api.figures import FIGURES
from clickatlas.redirect.pulse import BOUNDS, Answer, Pulse
from tests.server.making import make, word
from tests.server.problems import is_problem
from tests.server.served import Served, command, until

Sample = dict[tuple[str, frozenset[tuple[str, str]]], float]
VISITOR = {"x-forwarded-for": "18.9.22.69"}


def token(served: Served) -> dict[str, str]:
    return {"authorization": f"Bearer {(served.data / 'metrics.token').read_text().strip()}"}


def figures(served: Served) -> Sample:
    """All samples by name and labels."""
    answer = httpx.get(f"{served.url}/metrics", headers=token(served), timeout=30).raise_for_status()
    families = text_string_to_metric_families(answer.text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def value(found: Sample, name: str, **labels: str) -> float:
    """The sum of all samples of that name with these labels."""
    chosen = [
        number for (own, has), number in found.items() if own == name and labels.items() <= dict(has).items()
    ]
    return sum(chosen)


@pytest.fixture(scope="module")
def watched(data_folder: Callable[[str], Path]) -> Iterator[Served]:
    """A server whose numbers nobody else changes, with a worker's pulse of our own beside its workers'."""
    served = Served(data_folder("metrics")).start()
    yield served
    served.kill()


def test_every_figure_is_there_once_as_it_is_described(watched: Served) -> None:
    answer = httpx.get(f"{watched.url}/metrics", headers=token(watched))
    assert answer.headers["content-type"].startswith("text/plain")
    assert "no-store" in answer.headers["cache-control"]
    ours = {
        family.name: family
        for family in text_string_to_metric_families(answer.text)
        if family.name.startswith("clickatlas_")
    }
    assert {name.removesuffix("_total") for name in FIGURES} == set(ours)
    for name, figure in FIGURES.items():
        family = ours[name.removesuffix("_total")]
        assert (family.type, family.documentation) == (figure.kind, figure.what)
        assert all(set(sample.labels) - {"le"} == set(figure.labels) for sample in family.samples)
    names = [line.split()[2] for line in answer.text.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
    assert all(name.endswith("_total") == (figure.kind == "counter") for name, figure in FIGURES.items())


def test_openmetrics_where_it_is_asked_for(watched: Served) -> None:
    accept = {"accept": "application/openmetrics-text; version=1.0.0"}
    answer = httpx.get(f"{watched.url}/metrics", headers=token(watched) | accept)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert {f.name for f in open_families(answer.text)} >= {name.removesuffix("_total") for name in FIGURES}


def test_clicks_are_counted_on_their_whole_way(watched: Served) -> None:
    with watched.client() as client:
        made = make(client)
        before = figures(watched)
        for _ in range(57):
            assert client.get(made["short_url"], headers=VISITOR).status_code == 302
        watched.settled(client, 57)
    after = figures(watched)
    assert (
        value(after, "clickatlas_ingested_clicks_total") - value(before, "clickatlas_ingested_clicks_total")
        == 57
    )
    assert value(after, "clickatlas_spool_lag_clicks") == 0
    assert value(after, "clickatlas_spool_lag_seconds") == 0
    assert 1 <= value(after, "clickatlas_ingest_batch_clicks") <= 57
    assert value(after, "clickatlas_spool_bytes") > 57 * 48
    assert value(after, "clickatlas_store_bytes") > 0
    assert value(after, "clickatlas_atlas_age_seconds") == pytest.approx(
        time.time() - value(after, "clickatlas_atlas_built_timestamp_seconds"), abs=60
    )
    assert 0 < value(after, "clickatlas_disk_free_bytes") < value(after, "clickatlas_disk_size_bytes")
    assert value(after, "process_resident_memory_bytes") > 50e6


def test_what_workers_tell_is_summed(watched: Served) -> None:
    before = figures(watched)
    pulses = [Pulse.open(watched.data / "run", slot) for slot in (90, 90, 91)]
    for number, pulse in enumerate(pulses, 1):
        pulse.turn(number, 0.0004)
        pulse.turn(10 * number, 60.0, lost=1)
        pulse.answered(Answer.EXPIRED)
        pulse.connections(number)
    after = figures(watched)

    def more(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    assert more("clickatlas_redirect_seconds_count") == 66
    assert more("clickatlas_redirect_seconds_bucket", le="0.00025") == 0
    assert more("clickatlas_redirect_seconds_bucket", le="0.0005") == 6
    assert more("clickatlas_redirect_seconds_bucket", le="10.0") == 6
    assert more("clickatlas_redirect_seconds_bucket", le="+Inf") == 66
    assert more("clickatlas_redirect_seconds_sum") == pytest.approx(6 * 0.0004 + 60 * 60.0)
    assert more("clickatlas_redirects_total", worker="90") == 33
    assert more("clickatlas_redirects_total", worker="91") == 33
    assert more("clickatlas_clicks_lost_total") == 3
    assert more("clickatlas_street_answers_total", kind="expired") == 3
    assert value(after, "clickatlas_connections", worker="90") == 3
    assert value(after, "clickatlas_street_up", worker="91") == 1
    assert value(after, "clickatlas_street_resident_bytes", worker="91") > 1e6
    assert value(after, "clickatlas_fault", fault="clicks_lost") == 1
    for pulse in pulses:
        pulse.close()
    assert value(figures(watched), "clickatlas_street_up", worker="91") == 0
    for path in (watched.data / "run").glob("street-9*.pulse"):
        path.unlink()
    bounds = [dict(labels)["le"] for name, labels in after if name == "clickatlas_redirect_seconds_bucket"]
    assert sorted(map(float, bounds))[:-1] == list(BOUNDS)


def test_requests_are_counted_by_route_and_class_and_nothing_that_is_sent(watched: Served) -> None:
    with watched.client() as client:
        made = make(client)
        before = figures(watched)
        for _ in range(5):
            client.get(f"/api/links/{made['code']}").raise_for_status()
            assert client.get(f"/api/links/{word()}").status_code == 404
            client.get(f"/api/{word()}/{word()}?{word()}")
            client.get(f"/static/{word()}")
            client.request(word().upper(), "/api/links")
        after = figures(watched)
    name, route = "clickatlas_api_request_seconds_count", "/api/links/{code}"
    for status in ("2xx", "4xx"):
        labels = {"method": "GET", "route": route, "status": status}
        assert value(after, name, **labels) - value(before, name, **labels) == 5
    assert value(after, "clickatlas_api_request_seconds_sum", route=route) > 0
    routes = {dict(labels)["route"] for own, labels in after if own == name}
    assert routes <= {*paths(watched), "/api/openapi.json", "other"}
    assert {dict(labels)["method"] for own, labels in after if own == name} <= {"GET", "POST", "other"}


def paths(served: Served) -> list[str]:
    return list(httpx.get(f"{served.url}/api/openapi.json").json()["paths"])


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Bearer"}, {"authorization": "Bearer wrong"}, {"authorization": "Basic {token}"},
     {"authorization": "Bearer {token}x"}, {"x-forwarded-for": ""}, {"x-forwarded-for": "127.0.0.1"}, {"x-forwarded-for": "\x80"},
     {"cookie": "token={token}"}, {"authorization": "Bearer \xff"}, {"x-real-ip": "127.0.0.1", "host": "localhost"}],
    ids=repr,
)  # fmt: skip
def test_nobody_reads_them_without_the_token(watched: Served, headers: dict[str, str]) -> None:
    secret = (watched.data / "metrics.token").read_text().strip()
    sent = [(name, text.replace("{token}", secret).encode("latin-1")) for name, text in headers.items()]
    answer = httpx.get(f"{watched.url}/metrics", headers=sent)
    is_problem(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "clickatlas_" not in answer.text
    assert secret not in answer.text


def test_no_key_of_a_workspace_opens_them(watched: Served) -> None:
    with watched.client() as client:
        is_problem(client.get("/metrics"), 401)


def test_the_token_is_nobody_elses_to_read_and_stays(watched: Served) -> None:
    path = watched.data / "metrics.token"
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_text()
    watched.stop()
    watched.start()
    assert path.read_text() == before
    assert before.strip() not in watched.log.read_text("utf-8", "replace")


def test_wrong_tokens_are_few_a_minute(data_folder: Callable[[str], Path]) -> None:
    served = Served(data_folder("guessed"), "--sign-in-rate", "5", "--metrics-token", "right").start()
    try:
        wrong = {"authorization": "Bearer wrong", "x-forwarded-for": "18.9.22.69"}
        for _ in range(5):
            is_problem(httpx.get(f"{served.url}/metrics", headers=wrong), 401)
        is_problem(httpx.get(f"{served.url}/metrics", headers=wrong), 429)
        assert (
            httpx.get(f"{served.url}/metrics", headers={"authorization": "Bearer right"}).status_code == 200
        )
        assert not (served.data / "metrics.token").exists()
    finally:
        served.kill()


def test_metrics_is_no_links_code(watched: Served) -> None:
    command("link", "create", "https://example.com", "--code", "metrics", data=watched.data, code=1)


def test_redirects_are_exact(watched: Served) -> None:
    """As many as were sent: by worker, in the histogram, and counted at the end; and what was no redirect, too."""
    with watched.client() as client:
        made = make(client)
        before = figures(watched)
        for _ in range(123):
            assert client.get(made["short_url"], headers=VISITOR).status_code == 302
        for _ in range(4):
            client.get(f"/{word()}")
        client.get(made["short_url"] + "+")
        client.post(made["short_url"])
        after = until(lambda: _all_there(watched, before, 123), "123 redirects told")

    def more(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    assert more("clickatlas_redirects_total") == 123
    assert more("clickatlas_redirect_seconds_count") == 123
    assert more("clickatlas_redirect_seconds_bucket", le="+Inf") == 123
    assert 0 < more("clickatlas_redirect_seconds_sum") < 60
    for kind, number in {"unknown": 4, "preview": 1, "method": 1, "expired": 0}.items():
        assert more("clickatlas_street_answers_total", kind=kind) == number
    assert more("clickatlas_street_answers_total", kind="app") >= 1
    assert more("clickatlas_clicks_lost_total") == 0
    assert value(after, "clickatlas_street_up") == 1


def _all_there(served: Served, before: Sample, number: int) -> Sample | None:
    after = figures(served)
    told = value(after, "clickatlas_redirects_total") - value(before, "clickatlas_redirects_total")
    return after if told >= number else None


def test_counters_go_on_when_a_worker_is_killed(watched: Served) -> None:
    with watched.client() as client:
        made = make(client)
        before = figures(watched)
        for _ in range(20):
            assert client.get(made["short_url"], headers=VISITOR).status_code == 302
    for pid in watched.street_pids():
        os.kill(pid, signal.SIGKILL)

    def one_more() -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(made["short_url"], headers=VISITOR, timeout=60).status_code == 302
        return False

    until(one_more, "another worker")
    for _ in range(9):
        assert httpx.get(made["short_url"], headers=VISITOR).status_code == 302
    after = until(lambda: _all_there(watched, before, 30), "30 redirects told")
    told = value(after, "clickatlas_redirects_total") - value(before, "clickatlas_redirects_total")
    assert told == 30
    assert (
        value(after, "clickatlas_street_starts_total") == value(before, "clickatlas_street_starts_total") + 1
    )
    assert value(after, "clickatlas_street_up") == 1
