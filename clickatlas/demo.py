"""Sample clicks: made up, but from real networks, real places and plausible hours, so that the map lives.

Each campaign has a geography of its own. Every link is marked as sample and goes, with its
clicks, by one click on the page or by `clickatlas demo --remove`.
"""

from __future__ import annotations

import ipaddress
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from clickatlas.atlas import files
from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.kinds import NetworkKind
from clickatlas.errors import Problem
from clickatlas.links import keys, links
from clickatlas.links.database import LinksDatabase
from clickatlas.links.models import Link
from clickatlas.redirect.record import RECORD, Agent, Flags
from clickatlas.redirect.spool import Spool
from clickatlas.redirect.visitor import agent_term, read_agent
from clickatlas.settings import Settings

DAYS = 90
CHUNK = 100_000
Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]


class Campaign(NamedTuple):
    """A made-up campaign: its part of all clicks, where it is strong, and how it moves."""

    name: str
    part: float
    countries: dict[str, float]  # weight of a country; its places share it by population
    power: float  # of population within a country: below 1 favours small places
    sweep: tuple[float, float] | None  # longitudes between which the campaign travels in its 90 days


def _weighted(text: str) -> dict[str, float]:
    """``US 7, IN 5`` as a dictionary."""
    return {word.split()[0]: float(word.split()[1]) for word in text.split(",")}


CAMPAIGNS = (
    Campaign("Coast to coast", 0.38, _weighted("US 1, CA 0.05"), 1.0, (-71.0, -120.0)),
    Campaign(
        "European tour",
        0.27,
        _weighted(
            "DE 5, FR 4, GB 4, IT 3, ES 3, NL 2, PL 2, BE 1, CH 1, AT 1, SE 1, DK 0.7, NO 0.6, PT 0.7, "
            "CZ 0.7, IE 0.6, FI 0.6, GR 0.6, RO 0.6, HU 0.6"
        ),
        0.9,
        None,
    ),
    Campaign("Campus season", 0.15, _weighted("US 1"), 0.55, None),
    Campaign(
        "World newsletter",
        0.20,
        _weighted(
            "US 7, IN 5, BR 4, GB 3, JP 3, MX 3, AU 2.5, CA 2, ZA 1.5, NG 1.5, PH 2, ID 2, KR 1.5, AR 1.5, "
            "CO 1, KE 0.8, EG 0.8, TR 1.2, VN 0.8, TH 0.8, NZ 0.7, SG 0.5, AE 0.5, IL 0.5, CL 0.6, DE 1.5, "
            "FR 1.5, ES 1, PE 0.5, MA 0.4"
        ),
        1.0,
        None,
    ),
)

# code, campaign, channel, title, part of the campaign, tags
LINKS = (
    ("coast-mail", 0, "email", "Coast to coast: the letter", 0.34, ("launch",)),
    ("coast-feed", 0, "social", "Coast to coast: posts", 0.38, ("launch", "video")),
    ("coast-qr", 0, "qr", "Coast to coast: posters", 0.18, ("print",)),
    ("coast-sms", 0, "sms", "Coast to coast: text message", 0.10, ("launch",)),
    ("tour-mail", 1, "email", "European tour: dates", 0.40, ("events",)),
    ("tour-feed", 1, "social", "European tour: trailer", 0.38, ("events", "video")),
    ("tour-partner", 1, "partner", "European tour: venues", 0.22, ("events",)),
    ("campus-qr", 2, "qr", "Campus season: door hangers", 0.55, ("print", "students")),
    ("campus-feed", 2, "social", "Campus season: stories", 0.45, ("students", "video")),
    ("world-mail", 3, "email", "World newsletter", 0.60, ("newsletter",)),
    ("world-feed", 3, "social", "World newsletter: shared", 0.25, ("newsletter",)),
    ("world-partner", 3, "partner", "World newsletter: friends", 0.15, ("newsletter",)),
)

BROWSERS = (
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
     "Version/19.1 Mobile/15E148 Safari/604.1", 0.27),
    ("Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 "
     "Mobile Safari/537.36", 0.30),
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 "
     "Safari/537.36", 0.20),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
     "Version/19.1 Safari/605.1.15", 0.10),
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0", 0.06),
    ("Mozilla/5.0 (iPad; CPU OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
     "Version/19.1 Mobile/15E148 Safari/604.1", 0.05),
    ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", 0.02),
)  # fmt: skip
REFERRERS = {
    "email": ("mail.google.com", "outlook.live.com", ""),
    "social": ("instagram.com", "facebook.com", "t.co", "linkedin.com", ""),
    "partner": ("partner.example", "friends.example"),
}
# Clicks by local hour: quiet at night, a peak at lunch and a higher one in the evening.
HOURS = np.array([2, 1, 1, 1, 1, 2, 4, 7, 9, 9, 9, 10, 12, 11, 9, 9, 9, 10, 12, 14, 15, 13, 8, 4], float)
WEEKDAYS = np.array([1.0, 1.08, 1.06, 1.02, 0.95, 0.82, 0.85])
WHOLE_COUNTRY = 0.10  # of clicks come from any network of the country, default centroids and hosting included


@dataclass(frozen=True)
class Networks:
    """The atlas's IPv4 ranges, grouped by place."""

    start: Numbers
    size: Numbers
    place: Numbers
    first: Numbers  # by place number: where its ranges begin in the three arrays
    last: Numbers

    @classmethod
    def of(cls, atlas: Atlas) -> Networks:
        """Read the ranges of `atlas`."""
        start = files.load(atlas.folder, "v4_start").astype(np.int64)
        place = files.load(atlas.folder, "v4_value").astype(np.int64)
        size = np.diff(np.append(start, 1 << 32))
        order = np.argsort(place, kind="stable")
        numbers = np.arange(len(atlas.places))
        ordered = place[order]
        return cls(
            start[order], size[order], ordered,
            np.searchsorted(ordered, numbers), np.searchsorted(ordered, numbers, side="right"),
        )  # fmt: skip

    def draw(self, places: Numbers, random: np.random.Generator) -> Numbers:
        """An address of each place, from a network of it drawn by chance."""
        first, count = self.first[places], self.last[places] - self.first[places]
        network = first + (random.random(len(places)) * count).astype(np.int64)
        return self.start[network] + (random.random(len(places)) * self.size[network]).astype(np.int64)


def add_sample(settings: Settings, clicks: int, seed: int) -> str:
    """Make the sample links and put `clicks` clicks into the spool; says what it did."""
    folder = files.current(settings.data / "atlas")
    assert folder is not None
    atlas = Atlas.open(folder)
    numbers = _make_links(settings)
    if numbers is None:
        return "The sample data is there already ('clickatlas demo --remove' removes it)."
    random = np.random.default_rng(seed)
    networks = Networks.of(atlas)
    spool = Spool(settings.data / "spool", fsync_ms=0)
    now = time.time()
    for campaign_number, campaign in enumerate(CAMPAIGNS):
        mine = [(numbers[row[0]], row) for row in LINKS if row[1] == campaign_number]
        weight = _weights(atlas, networks, campaign)
        for link, row in mine:
            count = round(clicks * campaign.part * row[4])
            days = _days(count, random)
            places = _places(atlas, weight, campaign, days, random)
            _write(atlas, networks, spool, link, row[2], places, days, now, random)
    spool.close()
    return f"{clicks:,} sample clicks on {len(LINKS)} links added."


def remove_sample(settings: Settings) -> str:
    """Delete the sample links; their clicks go with them, at once where a server is running."""
    database = LinksDatabase(settings.data, settings.database_url)
    with database.writing() as session:
        found = list(session.scalars(select(Link).where(Link.sample)).unique())
        links.delete(session, found)
    return f"{len(found)} sample links and their clicks removed."


def _make_links(settings: Settings) -> dict[str, int] | None:
    database = LinksDatabase(settings.data, settings.database_url)
    created = datetime.now(UTC) - timedelta(days=DAYS)
    with database.writing() as session:
        _person, workspace = keys.owner(session)
        if session.scalar(select(Link.id).where(Link.sample).limit(1)):
            return None
        made = {}
        for code, campaign, channel, title, _part, tags in LINKS:
            draft = links.LinkDraft(
                url=f"https://example.com/{code}", title=title, campaign=CAMPAIGNS[campaign].name,
                channel=channel, tags=tags, sample=True, created_at=created,
            )  # fmt: skip
            try:
                made[code] = links.create(session, workspace, replace(draft, code=code)).id
            except Problem:  # somebody has the code already: any other will do
                made[code] = links.create(session, workspace, draft).id
        return made


def _weights(atlas: Atlas, networks: Networks, campaign: Campaign) -> Floats:
    """How likely each place is: the country's weight, shared among its places by population."""
    places = atlas.places
    reachable = (networks.last > networks.first) & ~np.asarray(places.unplaced)
    people = np.where(reachable, np.asarray(places.population, np.float64), 0) ** campaign.power
    people[~reachable] = 0
    country = np.asarray(places.area[Level.COUNTRY])
    weight = np.zeros(len(places))
    for code, part in campaign.countries.items():
        mine = country == atlas.areas.number(f"country:{code}")
        total = people[mine].sum()
        if total > 0:
            weight[mine] = part * people[mine] / total
    return np.asarray(weight / weight.sum())


def _days(count: int, random: np.random.Generator) -> Floats:
    """Days ago, 0 (now) to 90: a campaign's clicks come in waves."""
    position = np.arange(DAYS) / DAYS
    wave = 1.2 + np.sin(position * 6 * np.pi + random.random() * 6) + 0.8 * position
    drawn: Floats = random.choice(DAYS, size=count, p=wave / wave.sum()) + random.random(count)
    return DAYS - drawn


def _places(
    atlas: Atlas, weight: Floats, campaign: Campaign, days: Floats, random: np.random.Generator
) -> Numbers:
    if campaign.sweep is None:
        return random.choice(len(weight), size=len(days), p=weight)
    # The campaign travels: each ten-day step favours the places around its longitude of that time.
    east, west = campaign.sweep
    lon = np.nan_to_num(np.asarray(atlas.places.lon))
    result = np.zeros(len(days), np.int64)
    step = (days // 10).astype(int)
    for number in np.unique(step):
        here = west + (east - west) * (number + 0.5) / (DAYS / 10)
        near = weight * (0.06 + np.exp(-(((lon - here) / 9) ** 2)))
        mine = step == number
        result[mine] = random.choice(len(weight), size=int(mine.sum()), p=near / near.sum())
    return result


def _write(
    atlas: Atlas, networks: Networks, spool: Spool, link: int, channel: str,
    places: Numbers, days: Floats, now: float, random: np.random.Generator,
) -> None:  # fmt: skip
    address = networks.draw(places, random)
    anywhere = random.random(len(places)) < WHOLE_COUNTRY
    address[anywhere] = _anywhere(atlas, networks, places[anywhere], random)
    located = atlas.locator.locate_packed(address.astype(np.uint32))
    kinds = atlas.locator.kinds([str(ipaddress.IPv4Address(one)) for one in address.tolist()])
    agents = [read_agent(text) for text, _ in BROWSERS]
    parts = np.array([part for _, part in BROWSERS])
    agent = random.choice(len(agents), size=len(places), p=parts / parts.sum())
    words = REFERRERS.get(channel, ("",))
    referrer = random.integers(0, len(words), size=len(places))
    moment = _local_hours(atlas, places, days, now, random)
    spool.rotate_if_due()
    agent_terms = np.array(
        [spool.term(agent_term(Agent(*found[:3], "en-US"))) for found in agents], np.uint32
    )
    referrer_terms = np.array([spool.term(word) for word in words], np.uint32)
    crawler = np.array([found[3] for found in agents])
    records = np.zeros(len(places), RECORD)
    records["time"], records["link"] = moment, link
    records["place"] = np.asarray(atlas.locator.keys)[located]
    records["visitor"] = random.integers(1, 1 << 62, size=len(places), dtype=np.uint64)
    records["agent"], records["referrer"] = agent_terms[agent], referrer_terms[referrer]
    records["kind"] = np.where(crawler[agent], int(NetworkKind.BOT), kinds)
    records["flags"] = int(Flags.SAMPLE)
    spool.write(records[np.argsort(moment)])


def _anywhere(atlas: Atlas, networks: Networks, places: Numbers, random: np.random.Generator) -> Numbers:
    """Addresses of any network of the same countries, by the networks' size."""
    country_of = np.asarray(atlas.places.area[Level.COUNTRY])
    network_country = country_of[networks.place]
    result = np.zeros(len(places), np.int64)
    for country in np.unique(country_of[places]):
        ranges = np.flatnonzero(network_country == country)
        ends = np.cumsum(networks.size[ranges])
        mine = country_of[places] == country
        drawn = (random.random(int(mine.sum())) * ends[-1]).astype(np.int64)
        at = np.searchsorted(ends, drawn, side="right")
        result[mine] = networks.start[ranges[at]] + drawn - (ends[at] - networks.size[ranges[at]])
    return result


def _local_hours(
    atlas: Atlas, places: Numbers, days: Floats, now: float, random: np.random.Generator
) -> Numbers:
    """Moments (ms UTC) about so many days ago, at hours that people are awake where they are."""
    zone = np.asarray(atlas.places.zone)[places]
    offset = np.array([_offset(name, now) for name in [*atlas.places.zones, "UTC"]])[zone]
    day = np.floor((now + offset) / 86_400 - days)
    hour = random.choice(24, size=len(days), p=HOURS / HOURS.sum()) + random.random(len(days))
    weekday = (day.astype(np.int64) + 3) % 7
    quiet = random.random(len(days)) > WEEKDAYS[weekday] / WEEKDAYS.max()
    early = day - 3 < np.floor((now + offset) / 86_400 - DAYS)
    day = np.where(quiet, np.where(early, day + 3, day - 3), day)
    moment = day * 86_400 + hour * 3600 - offset
    latest = now * 1000 - random.random(len(days)) * 6e5
    return np.asarray(np.minimum(moment * 1000, latest), np.int64)


def _offset(zone: str, now: float) -> float:
    delta = datetime.fromtimestamp(now, ZoneInfo(zone)).utcoffset()
    return delta.total_seconds() if delta else 0.0
