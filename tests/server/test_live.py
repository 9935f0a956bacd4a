"""Clicks told as they come: to the one who may know, no more precisely than allowed, and never a wrong number."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from clickatlas.api.broadcast import SAMPLE, WAITING, Broadcast, Listener
from clickatlas.clicks.store import Batch
from clickatlas.redirect.record import RECORD, Agent, Flags
from tests.server.bursts import Bursts
from tests.server.heard import Heard
from tests.server.load import counted, each_once
from tests.server.making import make, word
from tests.server.problems import is_problem
from tests.server.served import Served, until
from tests.server.visitors import BOT, DEVICES


def click(made: dict[str, Any], times: int = 1, address: str = "18.9.22.69", **headers: str) -> None:
    sent = {"user-agent": DEVICES["mobile"], "x-forwarded-for": address} | headers
    for _ in range(times):
        assert httpx.get(made["short_url"] + headers.pop("suffix", ""), headers=sent).status_code == 302


def test_a_click_is_heard_of_within_seconds(server: Served, api: httpx.Client) -> None:
    made, other = make(api, channel="email"), make(api)
    with Heard(server, f"/api/analytics/live/{made['code']}") as heard:
        click(other)
        click(made, referer="https://news.example/page", **{"accept-language": "de-AT"})
        httpx.get(
            made["short_url"] + "?q",
            headers={"x-forwarded-for": "18.9.22.69", "user-agent": DEVICES["desktop"]},
        )
        until(lambda: heard.count == 2, "heard")
    assert heard.kind.startswith("text/event-stream")
    first, scan = sorted(heard.clicks, key=lambda one: one["time"])
    assert (first["code"], first["channel"], first["device"], first["language"], first["referrer"], first["network"]) == (
        made["code"], "email", "mobile", "de-AT", "news.example", "residential",
    )  # fmt: skip
    assert first["place"]["country"] == "US"
    assert first["place"]["lat"] == pytest.approx(42.3, abs=1)
    assert 0 <= first["age_ms"] < 30_000
    assert scan["channel"] == "qr"
    assert "18.9.22" not in json.dumps(heard.events)


def test_filters_hold(server: Served, api: httpx.Client) -> None:
    campaign = word()
    made = make(api, campaign=campaign)
    with (
        Heard(server, "/api/analytics/live", campaign=campaign, area="country:US", device="mobile") as narrow,
        Heard(server, "/api/analytics/live", campaign=campaign, network="all") as wide,
    ):
        click(make(api))
        click(made, 2)
        click(made, 1, "2.16.0.1")
        click(made, 1, "18.9.22.69", **{"user-agent": BOT})
        until(lambda: wide.count == 4, "all heard")
    assert narrow.count == 2
    assert {one["network"] for one in wide.clicks} >= {"residential", "bot"}


def test_a_link_of_another_is_not_there(api: httpx.Client) -> None:
    is_problem(api.get("/api/analytics/live/nosuch"), 404)
    is_problem(api.get("/api/analytics/live", params={"area": "nowhere"}), 404, 422)


def test_with_min_cell_no_place_is_told_and_a_stream_keeps_nobody_from_stopping(
    data_folder: Callable[[str], Path],
) -> None:
    served = Served(data_folder("live"), "--min-cell", "5").start()
    try:
        with served.client() as client:
            made = make(client)
            with Heard(served, "/api/analytics/live") as heard:
                click(made, 20)
                until(lambda: heard.count == 20, "heard")
                assert all(one["place"] is None for one in heard.clicks)
                began = time.monotonic()
                served.stop()
                assert heard.ended.wait(20)
                assert time.monotonic() - began < 20
    finally:
        served.stop()


def batch(count: int, flags: int = 0) -> Batch:
    records = np.zeros(count, RECORD)
    records["time"] = np.arange(count)
    records["flags"] = flags
    return Batch(records, [Agent("", "", "", "")], [""], {})


@contextmanager
def listening(which: Any) -> Iterator[tuple[Broadcast, Listener, Any]]:
    import asyncio

    loop = asyncio.new_event_loop()
    broadcast = Broadcast()

    async def begin() -> Listener:
        return Listener(which)

    listener = loop.run_until_complete(begin())
    broadcast.join(listener, 1)
    yield broadcast, listener, lambda: loop.run_until_complete(listener.next(0.2))
    loop.close()


def test_a_storm_is_sampled_and_a_slow_listener_loses_no_number() -> None:
    everything = lambda found: np.arange(len(found.records))  # noqa: E731
    with listening(everything) as (broadcast, _, following):
        for _ in range(40):
            broadcast.tell(batch(100_000))
        heard = []
        while (told := following()) is not None:
            heard.append(told)
        assert len(heard) <= WAITING
        assert sum(told.clicks for told in heard) == 4_000_000
        assert all(told.sample is not None and len(told.sample.records) == SAMPLE for told in heard)


def test_what_is_brought_in_is_no_news() -> None:
    from clickatlas.api.broadcast import happened

    assert happened(batch(3)).all()
    assert happened(batch(3, int(Flags.HEAD))).all()
    assert not happened(batch(3, int(Flags.IMPORTED))).any()
    assert not happened(batch(3, int(Flags.SAMPLE))).any()


RATE, LASTS_S = 1000, 6  # clicks a second, asked of the generator; the machine may be slower


def test_a_thousand_a_second_are_all_counted_and_some_of_them_told(
    data_folder: Callable[[str], Path],
) -> None:
    """A real server, one listener, one generator: no number is lost, no event is large, and the stream doesn't fall behind."""
    served = Served(data_folder("live-load")).start()
    try:
        with served.client() as client:
            made = make(client)
            asked = {"link": made["code"], "network": "all"}
            with Heard(served, "/api/analytics/live", **asked) as heard:
                came: list[tuple[float, int]] = []
                began = time.monotonic()
                # 3 connections, each 16 clicks in one write, then a pause: 48 clicks a round.
                with Bursts(served.port, made["code"], "live", pause_s=3 * 16 / RATE) as load:
                    while time.monotonic() - began < LASTS_S:
                        time.sleep(0.1)
                        came.append((time.monotonic() - began, len(heard.events)))
                lasted = time.monotonic() - began
                each_once(served, client, load)
                total = sum(counted(client).values())
                until(lambda: heard.count >= total, "all told")
        clicks = len(load.answered)
        assert not load.refused
        assert heard.count == total >= clicks > 1000
        assert all(len(event["clicks"]) <= min(SAMPLE, event["count"]) for event in heard.events)
        assert len(heard.clicks) < total  # some of them
        assert {one["code"] for one in heard.clicks} == {made["code"]}
        # Twice a second as a rule; a slow machine is given three seconds for each.
        assert len(heard.events) > lasted / 3
        pauses = np.diff(
            [
                0.0,
                *(at for (at, many), (_, before) in zip(came[1:], came, strict=False) if many > before),
                lasted,
            ]
        )
        assert pauses.max() < 5, pauses
        ages = [max(one["age_ms"] for one in event["clicks"]) for event in heard.events if event["clicks"]]
        assert sorted(ages)[len(ages) // 2] < 5000, ages
    finally:
        served.stop()
