"""The live feed of a store that others write: asks for nobody, begins before a listener goes on, and bears a store that is away."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from clickatlas.api import feed as room
from clickatlas.api.broadcast import Broadcast, Told
from clickatlas.api.feed import Feed
from clickatlas.clicks.store import Batch, StoreFault
from clickatlas.redirect.record import RECORD, Agent


class Store:
    """Tells of `waiting` clicks at the next question; fails where it is told to. As `Shared`, and `Arrivals`."""

    behind = False

    def __init__(self) -> None:
        self.asked = self.begun = self.waiting = 0
        self.fails: Exception | None = None
        self.holds = threading.Event()
        self.holds.set()

    def arrivals(self) -> Store:
        self.asked += 1
        self.holds.wait(30)
        if self.fails:
            raise self.fails
        self.begun += 1
        return self

    def new(self) -> Batch:
        self.asked += 1
        if self.fails:
            raise self.fails
        size, self.waiting = self.waiting, 0
        return Batch(np.zeros(size, RECORD), [Agent("", "", "", "")], [""], {})


class Listener:
    """All that a `Broadcast` needs of one."""

    def __init__(self) -> None:
        self.clicks = 0

    def which(self, batch: Batch) -> Any:
        return np.arange(len(batch.records))

    def tell(self, told: Told) -> None:
        self.clicks += told.clicks


def until(true: Callable[[], Any]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.002)


@pytest.fixture
def fed(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Store, Any, Feed]]:
    monkeypatch.setattr(room, "EVERY_S", 0.01)
    monkeypatch.setattr(room, "LINGERS_S", 0.05)
    store, broadcast = Store(), Broadcast()
    feed = Feed(store, broadcast)
    feed.start()
    yield store, broadcast, feed
    feed.stop()
    assert not feed.is_alive()


def test_nobody_listens_and_nothing_is_asked(fed: tuple[Store, Any, Feed]) -> None:
    store, broadcast, feed = fed
    for times in (1, 2):
        asked = store.asked
        time.sleep(0.1)
        assert store.asked == asked
        listener = Listener()
        broadcast.join(listener, 1)
        feed.ready()
        assert store.begun == times
        store.waiting = 5
        until(lambda: listener.clicks == 5)  # noqa: B023
        broadcast.leave(listener)
        until(lambda: feed._arrivals is None)


def test_who_connects_again_is_told_what_came_while_the_store_was_away(
    fed: tuple[Store, Any, Feed], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, broadcast, feed = fed
    monkeypatch.setattr(room, "LINGERS_S", 30.0)
    listeners = [Listener(), Listener()]
    broadcast.join(listeners[0], 1)
    feed.ready()
    store.fails = StoreFault("away")
    broadcast.leave(listeners[0])
    asked = store.asked
    until(lambda: store.asked > asked + 5)
    broadcast.join(listeners[1], 1)
    feed.ready()
    store.waiting, store.fails = 3, None
    until(lambda: listeners[1].clicks == 3)
    assert store.begun == 1


def test_a_listener_goes_on_when_it_is_told_of_all_that_comes(fed: tuple[Store, Any, Feed]) -> None:
    store, broadcast, feed = fed
    store.holds.clear()
    broadcast.join(Listener(), 1)
    waits = threading.Thread(target=feed.ready)
    waits.start()
    until(lambda: store.asked)
    assert waits.is_alive()
    store.holds.set()
    waits.join(30)
    assert store.begun


def test_a_store_that_is_away(
    fed: tuple[Store, Any, Feed], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in the log already, by who counts; anything else is said once."""
    store, broadcast, feed = fed
    monkeypatch.setattr(room, "BEGINS_S", 0.1)
    listener = Listener()
    store.fails = StoreFault("away")
    broadcast.join(listener, 1)
    feed.ready()  # not for ever
    asked = store.asked
    until(lambda: store.asked > asked + 5)
    store.fails = None
    feed.ready()
    store.waiting = 3
    until(lambda: listener.clicks == 3)
    store.fails = StoreFault("away")
    asked = store.asked
    until(lambda: store.asked > asked + 5)
    assert not caplog.records
    store.fails, asked = ValueError("never seen before"), store.asked
    until(lambda: store.asked > asked + 5)
    store.fails, store.waiting = None, 4
    until(lambda: listener.clicks == 7)
    assert store.begun == 1
    [said] = caplog.records
    assert said.levelno == logging.ERROR
