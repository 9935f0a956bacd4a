"""Clicks held against traits: as conditions in SQL on a store's columns, or on a batch that came just now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from clickatlas.clicks.filter import Traits
from clickatlas.clicks.origins import APPS, lets_through, origin
from clickatlas.clicks.store import Batch
from clickatlas.redirect.record import Agent

Listed = Callable[[str, npt.NDArray[Any]], str]  # the condition that a column is one of some numbers


def conditions(cursor: duckdb.DuckDBPyConnection, traits: Traits, listed: Listed) -> Iterator[str]:
    """All hold of the clicks that `traits` let through.

    Words are looked up once, in the dictionaries, and a click is held against numbers. An origin is told by the app
    first, so its condition has two sides: such an app, or no app and such a host.
    """
    if traits.browsers or traits.systems or traits.languages:
        rows = cursor.execute("SELECT id, browser, system, language FROM agents").fetchall()
        fit = [number for number, *words in rows if _agent_fits(traits, Agent("", *words))]
        yield listed("agent", np.array(fit, np.int32))
    if traits.referrers or traits.origins:
        hosts = cursor.execute("SELECT id, host FROM referrers").fetchall()
        if traits.referrers:
            fit = [number for number, host in hosts if host in traits.referrers]
            yield listed("referrer", np.array(fit, np.int32))
        if traits.origins:
            agents = cursor.execute("SELECT id, browser FROM agents").fetchall()
            apps = [(number, browser) for number, browser in agents if browser in APPS]
            mine = [number for number, browser in apps if lets_through(traits.origins, APPS[browser])]
            pages = [number for number, host in hosts if lets_through(traits.origins, origin("", host))]
            by_app = listed("agent", np.array(mine, np.int32))
            any_app = listed("agent", np.array([number for number, _ in apps], np.int32))
            by_page = listed("referrer", np.array(pages, np.int32))
            yield f"({by_app} OR (NOT {any_app} AND {by_page}))"


def fitting(batch: Batch, traits: Traits) -> npt.NDArray[np.bool_]:
    """Which of a batch's records `traits` let through."""
    records = batch.records
    keep: npt.NDArray[np.bool_] = np.array([_agent_fits(traits, agent) for agent in batch.agents], np.bool_)[
        records["agent"]
    ]
    if traits.referrers:
        fits = np.array([host in traits.referrers for host in batch.referrers], np.bool_)
        keep &= fits[records["referrer"]]
    if traits.origins:
        pairs = zip(records["agent"].tolist(), records["referrer"].tolist(), strict=True)
        found = (origin(batch.agents[agent].browser, batch.referrers[host]) for agent, host in pairs)
        keep &= np.fromiter((lets_through(traits.origins, one) for one in found), np.bool_, len(records))
    return keep


def _agent_fits(traits: Traits, agent: Agent) -> bool:
    return (
        (not traits.browsers or agent.browser in traits.browsers)
        and (not traits.systems or agent.system in traits.systems)
        and (not traits.languages or agent.language in traits.languages)
    )
