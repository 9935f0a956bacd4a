"""A data folder with a million clicks in its spool, made up so that every question has something to tell."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.kinds import NetworkKind
from clickatlas.demo import add_sample
from clickatlas.links import keys, links, shares
from clickatlas.links.database import LinksDatabase
from clickatlas.links.ways import click_number
from clickatlas.redirect.record import RECORD, Agent, Flags
from clickatlas.redirect.spool import Spool
from clickatlas.redirect.visitor import agent_term
from clickatlas.settings import Settings

CLICKS, OF_CAMPAIGNS = 1_000_000, 700_000  # as `clickatlas demo` makes them: with hours, places and waves
LINKS = 40
DAY_MS, QUARTER_MS = 86_400_000, 900_000
DAYS = 400  # more than a year of whole months
LANGUAGES = ("en-US", "de", "de-DE", "es-MX", "zh-Hant-TW", "ar", "'; DROP TABLE clicks; --", "")
HOSTS = ("", "google.de", "bing.com", "l.facebook.com", "com.google.android.gm", "mail.google.com", "chatgpt.com",
         "blog.example\\'", "bücher.example", "a" * 200 + ".example")  # fmt: skip
BROWSERS = ("Chrome", "Firefox", "Safari", "Instagram", "")
SEED = 20261123


def fill(data: Path, atlas: Atlas) -> str:
    """Links and their clicks; returns the secret of a shared map of some of them. Takes five seconds."""
    settings = Settings(data=data)
    database = LinksDatabase(data)
    database.migrate()
    add_sample(settings, OF_CAMPAIGNS, SEED)
    with database.writing() as session:
        person, workspace = keys.owner(session)
        made = [
            links.create(
                session,
                workspace,
                links.LinkDraft(
                    url="https://example.com/",
                    code=f"odd-{number}",
                    title=f"Odd {number}",
                    campaign=(None, "Odd & ends", "Ünïcode", "Coast to coast")[number % 4],
                    channel=(None, "email", "social", "qr", "radio")[number % 5],
                    tags=("print", "odd")[: number % 3],
                    target={"areas": ["country:DE", "region:US-CA"]} if number == 7 else None,
                    split=({"name": "A", "weight": 1}, {"name": "B", "weight": 2}) if number == 7 else (),
                ),
            ).id
            for number in range(LINKS)
        ]
        session.flush()
        fields = {
            "title": "A map",
            "filter": {"network": ["all"], "today": True},
            "min_cell": 25,
            "mode": "heat",
        }
        _, secret = shares.create(session, workspace, person, fields)
    database.close()
    spool = Spool(data / "spool", fsync_ms=0)
    put = sum(round(OF_CAMPAIGNS * part) for part in _parts())
    spool.write(odd(CLICKS - put, np.array(made), np.asarray(atlas.locator.keys), spool))
    spool.close()
    return secret


def _parts() -> list[float]:
    from clickatlas.demo import CAMPAIGNS
    from clickatlas.demo import LINKS as OF_DEMO

    return [CAMPAIGNS[row[1]].part * row[4] for row in OF_DEMO]


def odd(count: int, numbers: np.ndarray, keys_: np.ndarray, spool: Spool) -> np.ndarray:
    """Clicks as they rarely come: of every network kind, from anywhere and from places that the atlas doesn't know, at the
    very edges of days and quarters of an hour, by visitors who come again, in words that are not harmless.
    """
    chance = np.random.default_rng(SEED)
    records = np.zeros(count, RECORD)
    now = int(time.time() * 1000)
    at = now - 3_600_000 - (DAYS * DAY_MS * chance.random(count) ** 2).astype(np.int64)
    grain = np.where(chance.random(count) < 0.5, DAY_MS, QUARTER_MS)
    at = np.where(chance.random(count) < 0.05, at // grain * grain - chance.integers(0, 2, count), at)
    records["time"] = at
    link = numbers[(len(numbers) * chance.random(count) ** 2).astype(np.int64)]
    scanned = chance.random(count) < 0.1
    way = np.where(link == numbers[7], chance.integers(0, 3, count), 0)
    records["link"] = [
        click_number(number, of, scanned=scan)
        for number, of, scan in zip(link.tolist(), way.tolist(), scanned.tolist(), strict=True)
    ]
    known = keys_[(len(keys_) * chance.random(count) ** 3).astype(np.int64)]
    records["place"] = np.where(
        chance.random(count) < 0.01, chance.integers(1, 1 << 63, count, np.uint64), known
    )
    records["visitor"] = chance.integers(1, 20_000, count, np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    records["visitor"][chance.random(count) < 0.1] = 0
    agents = [
        spool.term(agent_term(Agent(device, browser, system, language)))
        for device, system in (
            ("desktop", "Windows"),
            ("mobile", "iOS"),
            ("tablet", ""),
            ("other", "Linux"),
            ("", ""),
        )
        for browser in BROWSERS
        for language in LANGUAGES
    ]
    hosts = [spool.term(host) for host in HOSTS]
    records["agent"] = np.array(agents, np.uint32)[chance.integers(0, len(agents), count)]
    records["referrer"] = np.array(hosts, np.uint32)[chance.integers(0, len(hosts), count)]
    kinds = [int(kind) for kind in NetworkKind]
    records["kind"] = np.where(
        chance.random(count) < 0.8, 0, np.array(kinds)[chance.integers(0, len(kinds), count)]
    )
    records["flags"] = np.array([0, Flags.HEAD, Flags.IMPORTED])[chance.integers(0, 3, count)]
    return records[np.argsort(at)]
