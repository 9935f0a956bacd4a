"""Digests: sent when their reader wants them, once, with a picture of the map, and ended at a press."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clickatlas.atlas.atlas import Atlas
from clickatlas.digests import sender as sending
from clickatlas.digests.change import Changed, changed
from clickatlas.digests.figures import told
from clickatlas.digests.picture import FOOT, HEIGHT, WIDTH, framed, gathered
from clickatlas.digests.schedule import Every, Schedule, due, period
from clickatlas.digests.sender import Sender, may_leave
from clickatlas.links import digests, sightings
from clickatlas.links.models import Membership, Person, Webhook, now
from clickatlas.links.models_told import Digest
from clickatlas.links.sightings import Sighting
from clickatlas.mail.post import Post
from clickatlas.settings import Settings
from tests.mail import Mailbox, mail_server
from tests.unit.test_lookout import House

BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("schedule", "at", "expected"),
    [
        (Schedule(zone=BERLIN), "2026-11-23T06:59Z", None),  # a Monday, before 8 o'clock; the last is a week old
        (Schedule(zone=BERLIN), "2026-11-23T07:00Z", "2026-11-16/2026-11-22"),
        (Schedule(zone=BERLIN), "2026-11-25T07:01Z", None),  # two days late is too late
        (Schedule(weekday=6, hour=0, zone="Pacific/Auckland"), "2026-11-21T11:00Z", "2026-11-15/2026-11-21"),
        (Schedule(Every.DAY, hour=2, zone=BERLIN), "2026-03-29T01:00Z", "2026-03-28/2026-03-28"),  # no 2 o'clock
        (Schedule(Every.MONTH, zone="UTC"), "2026-03-01T08:00Z", "2026-02-01/2026-02-28"),
        (Schedule(Every.MONTH, zone="UTC"), "2026-03-15T08:00Z", None),
    ],
)  # fmt: skip
def test_it_is_due_by_the_clock_of_its_reader(schedule: Schedule, at: str, expected: str | None) -> None:
    found = due(schedule, datetime.fromisoformat(at))
    assert (found.name if found else None) == expected


def test_a_week_is_held_against_the_week_before_through_a_change_of_clocks() -> None:
    began, start, end = period(Every.WEEK, date(2026, 10, 26), BERLIN).edges
    hour = 3_600_000
    assert (start - began, end - start) == (168 * hour, 169 * hour)
    month = period(Every.MONTH, date(2026, 3, 1), "UTC")
    assert (month.first, month.last, month.before) == (date(2026, 2, 1), date(2026, 2, 28), date(2026, 1, 1))


def test_only_what_chance_does_not_make_has_changed() -> None:
    generator = np.random.default_rng(3)
    steady = {f"a{n}": 200 for n in range(40)}
    draws = [
        changed({name: int(generator.poisson(n)) for name, n in steady.items()},
                {name: int(generator.poisson(n)) for name, n in steady.items()})
        for _ in range(200)
    ]  # fmt: skip
    assert sum(map(bool, draws)) <= 36, "0.27 % of 40 rows in each of 200: some 21"
    assert changed(steady | {"a0": 400}, steady) == [Changed("a0", 400, 200)]
    assert changed({"new": 50}, {}) == [Changed("new", 50, 0)]
    assert changed({"new": 50}, {}, whole=False) == [], "before it may have been hidden"
    assert changed({"a": 310}, {"a": 280}, days=31 / 28) == []


def test_the_picture_shows_where_the_clicks_are() -> None:
    x, y = np.array([0.30, 0.31, 0.9]), np.array([0.37, 0.38, 0.5])
    near = framed(x, y, np.array([500.0, 500.0, 1.0]))
    assert near.left < 0.30 < 0.31 < near.left + near.width < 0.5
    assert framed(x, y, np.ones(3)).width == framed(x[:0], y[:0], x[:0]).width == 1.0
    across, down, clicks = gathered(
        np.array([1.0, 3.0, 500.0]), np.array([1.0, 1.0, 300.0]), np.array([1.0, 3.0, 2.0])
    )
    assert (across.tolist(), down.tolist(), clicks.tolist()) == ([2.5, 500.0], [1.0, 300.0], [4.0, 2.0])


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as found:
        yield found


def readable(message: EmailMessage) -> tuple[str, str, bytes]:
    """Text, HTML and picture of a letter."""
    text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    [image] = [part for part in message.walk() if part.get_content_type() == "image/png"]
    assert image["content-id"].strip("<>") in html.get_content()
    return text.get_content().replace("\r\n", "\n"), html.get_content(), image.get_content()


def test_a_digest_is_sent_once_and_ended_at_a_press(
    atlas: Atlas, tmp_path: Path, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(atlas, tmp_path, 2)
    given = {"smtp_host": "127.0.0.1", "smtp_port": box.port, "smtp_security": "none", "min_cell": 2}
    house.opened.post = Post(Settings.model_validate(given))
    today = now().astimezone(UTC).date()
    week = period(Every.WEEK, today, "UTC")
    house.click("metro:14460", 900, 1, ends=week.edges[2] - 1)
    house.click("country:DE", 200, 2, ends=week.edges[1] - 1)
    with house.links.writing() as session:
        person = session.query(Person).one()
        person.email = "ann@example.com"
        digests.want(session, house.workspace, person.id, Schedule(weekday=today.weekday(), hour=0))
        stranger = Person(name="Eve", email="eve@example.com")
        session.add(stranger)
        session.flush()
        digests.want(session, house.workspace, stranger.id, Schedule(Every.DAY, hour=0))
        sightings.note(session, house.workspace, [], now() - timedelta(days=2))
        sightings.note(
            session, house.workspace, [Sighting("m", frozenset(), "Boston & all is <hot>.")], now()
        )
    assert Sender(house.opened).round() == 0, "the first is that of the next period"

    with house.links.noting() as session:
        for one, _ in digests.readers(session):
            one.done = None
    box.refuses = "451 Later"
    sender = Sender(house.opened)
    assert sender.round() == 0
    box.refuses = ""
    assert sender.round() == 0, "not at once again"
    monkeypatch.setattr(sending, "AGAIN_S", 0)
    assert [Sender(house.opened).round() for _ in range(2)] == [1, 0]
    assert [to for to, _ in box.letters] == ["ann@example.com"], "and nobody who is not in the workspace"

    came = box.letter("ann@example.com")
    text, html, image = readable(came)
    Path("artefacts").mkdir(exist_ok=True)
    Path("artefacts/digest.png").write_bytes(image)
    assert Image.open(io.BytesIO(image)).size == (WIDTH, HEIGHT + FOOT)
    assert len(image) < 150_000
    assert "900 clicks" in came["subject"]
    assert "350 % more than the 200 of the week before" in text
    assert "New insights\n- Boston & all is <hot>." in text
    assert "Boston &amp; all is &lt;hot&gt;." in html
    assert came["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    with house.links.reading() as session:
        digest = digests.of_person(session, house.workspace, person.id)
        assert digest is not None
        _, number, word = came["list-unsubscribe"].strip("<>").rsplit("/", 2)  # the word has its second in it
        assert number == str(digest.id)
        assert may_leave(digest, word)
        assert not may_leave(digest, word[:-1])
        membership = session.get_one(Membership, (person.id, house.workspace))
    with house.links.writing() as session:
        session.delete(membership)
    assert Sender(house.opened).round() == 0
    with house.links.reading() as session:
        assert session.query(Digest).all() == [], "who leaves gets none"


def test_a_webhook_gets_the_figures_once_and_a_fault_keeps_nobody_back(
    atlas: Atlas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    house = House(atlas, tmp_path, 0)
    house.opened.post = Post(Settings.model_validate({}))  # no mail server: webhooks need none
    today = now().astimezone(UTC).date()
    house.click("country:DE", 30, 1, ends=period(Every.WEEK, today, "UTC").edges[2] - 1)
    with house.links.writing() as session:
        session.query(Webhook).update({Webhook.events: "digest"})
        broken = Webhook(
            workspace_id=house.workspace, url="http://b.example/", events="digest", secret="whsec_"
        )
        session.add(broken)
        at = {"weekday": today.weekday(), "hour": 0, "tz": "UTC"}
        for hook in session.query(Webhook):
            hook.digest = at | {"every": "week" if hook is broken else "day"}
    sender = Sender(house.opened)
    assert sender.round() == 0, "the first is that of the next week"
    with house.links.noting() as session:
        for digest, _ in digests.readers(session):
            digest.done = None
    real = sending.figures.told

    def fails(opened: Any, workspace: int, every: Every, of: Any) -> Any:
        if every is Every.DAY:
            raise ValueError("broken")
        return real(opened, workspace, every, of)

    monkeypatch.setattr(sending.figures, "told", fails)
    assert [sender.round(), sender.round(), Sender(house.opened).round()] == [1, 0, 0]
    assert "digest 1 could not be sent" in caplog.text
    with house.links.noting() as session:
        session.get_one(Webhook, broken.id).digest = at | {"every": "month"}
    assert Sender(house.opened).round() == 0, "told another time, it is the next one's"
    [one] = [one for one in house.told() if one["type"] == "digest"]
    assert one["data"]["clicks"] == 30
    assert [row["id"] for row in one["data"]["countries"]] == ["country:DE"]
    with house.links.noting() as session:
        session.query(Webhook).update({Webhook.active: False})
    assert sender.round() == 0
    with house.links.reading() as session:
        assert digests.readers(session) == []


def test_a_quiet_week_is_told_of_nobody_and_few_clicks_name_nothing(atlas: Atlas, tmp_path: Path) -> None:
    house = House(atlas, tmp_path / "quiet", 50)
    week = period(Every.WEEK, now().date(), "UTC")
    found = told(house.opened, house.workspace, Every.WEEK, week)
    assert (found.figures.clicks, found.picture) == (0, None)
    house = House(atlas, tmp_path / "few", 50)
    house.click("metro:14460", 300, 1, ends=week.edges[2] - 1)
    house.click("country:DE", 20, 2, ends=week.edges[2] - 1)
    few = told(house.opened, house.workspace, Every.WEEK, week).figures
    assert "Germany" not in few.model_dump_json()
    assert few.clicks == 320
