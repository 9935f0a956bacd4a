"""Files as the named services export them, imported as they are: no mapping told."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.kinds import NetworkKind
from clickatlas.links.models import Link
from tests.imports import RECORDED, Desk


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, atlas: Atlas) -> Desk:
    return Desk.made(tmp_path_factory.mktemp("services") / "data", atlas)


@pytest.mark.parametrize(
    ("file", "links"),
    [
        ("bitly/bitlinks.json", {"3spring": "https://example.com/spring?utm_source=mail", "spring-sale": "https://example.com/spring?utm_source=mail", "4team": "https://example.com/team"}),
        ("shlink/short_urls.csv", {"kerry": "https://example.com/kerry", "ring": "https://example.com/ring"}),
        ("kutt/links.json", {"kt1": "https://example.com/kutt"}),
        ("dub/links.csv", {"launch": "https://example.com/launch", "manual": "https://example.com/docs"}),
        ("shortio/links.csv", {"jobs": "https://example.com/jobs"}),
        ("rebrandly/links.json", {"rb1": "https://example.com/rb?utm_source=fb"}),
    ],
)  # fmt: skip
def test_links_come_with_their_codes_and_once(desk: Desk, file: str, links: dict[str, str]) -> None:
    report = desk.bring_in(RECORDED / file)
    assert (report.new_links, report.refused, report.imported) == (len(links), 0, 0), report.refusals
    with desk.into.database.reading() as session:
        found = {link.code: link for link in session.scalars(select(Link).where(Link.code.in_(links)))}
        assert {code: link.url for code, link in found.items()} == links
        assert all(link.created_at.year == 2026 and link.created_at.month < 9 for link in found.values())
    again = desk.bring_in(RECORDED / file)
    assert (again.new_links, again.known_links, again.refused) == (0, len(links), 0)


def test_what_else_is_said_of_links_is_kept(desk: Desk) -> None:
    desk.bring_in(RECORDED / "bitly/bitlinks.json")
    with desk.into.database.reading() as session:
        spring, team = (
            session.scalars(select(Link).where(Link.code == code)).one() for code in ("3spring", "4team")
        )
        assert (spring.title, sorted(tag.tag for tag in spring.tags)) == ("Spring sale", ["mail", "sale"])
        assert (spring.archived_at is None, team.archived_at is not None) == (True, True)


def test_tags_come_by_their_names(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "links.json"
    file.write_text(
        '[{"key": "tagged", "url": "https://example.com/t", "tags": [{"id": "tag_1", "name": "sale", "color": "red"}, {"id": "tag_2", "name": "2026"}]}]'
    )
    assert desk.bring_in(file).new_links == 1
    with desk.into.database.reading() as session:
        link = session.scalars(select(Link).where(Link.code == "tagged")).one()
        assert sorted(tag.tag for tag in link.tags) == ["2026", "sale"]


@pytest.mark.parametrize("dry", [True, False])
def test_a_link_without_a_code_is_refused_and_told(desk: Desk, tmp_path: Path, dry: bool) -> None:
    file = tmp_path / "links.csv"
    file.write_text(
        "code,url\n,https://example.com/1\ncoded,https://example.com/2\n/,https://example.com/3\n"
    )
    report = desk.bring_in(file, dry=dry)
    assert (report.rows, report.new_links, report.refused) == (3, 1, 2)
    assert report.refusals == [(2, "has no code"), (4, "has no code")]
    assert "".join(report.refused_csv()) == 'row,reason\r\n2,"has no code"\r\n4,"has no code"\r\n'


def test_a_table_of_addresses_alone_says_that_codes_are_missing(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "links.csv"
    file.write_text("url\nhttps://example.com/1\nhttps://example.com/2\n")
    report = desk.bring_in(file)
    assert (report.new_links, dict(report.reasons)) == (0, {"has no code": 2})


def test_a_dump_may_write_texts_as_bytes(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "navicat.sql"
    url = "https://example.com/ü".encode().hex()
    file.write_text(
        "CREATE TABLE `yourls_url` (\n  `keyword` varchar(200) NOT NULL,\n  `url` text NOT NULL,\n  `title` text,\n"
        "  `timestamp` timestamp NOT NULL,\n  `ip` varchar(41) NOT NULL,\n  `clicks` int(10) NOT NULL\n);\n"
        f"INSERT INTO `yourls_url` VALUES ('hex', 0x{url}, 'T', '2014-03-08 00:38:44', '127.0.0.1', '0');\n"
    )
    assert desk.bring_in(file).new_links == 1
    with desk.into.database.reading() as session:
        assert (
            session.scalars(select(Link.url).where(Link.code == "hex"))
            .one()
            .startswith("https://example.com/")
        )


CLICKS = [
    ("shlink/visits.csv", {"US": 1, "IE": 1, "": 1}, 0),
    ("yourls/dump.sql", {"US": 1, "DE": 1}, 1),
    ("yourls/phpmyadmin.sql", {"US": 1, "": 1}, 0),
    ("kutt/visits.csv", {"US": 2, "DE": 1, "": 1}, 0),
    ("dub/clicks_export.csv", {"US": 1, "DE": 1}, 0),
    ("dub/clicks_default.csv", {"US": 1, "": 1}, 0),
    ("shortio/last_clicks.json", {"US": 1, "DE": 1}, 1),
    ("rebrandly/clickstream.ndjson", {"BR": 1, "DE": 1}, 0),
    ("logs/access.log", {"US": 1, "DE": 1}, 3),
    ("logs/caddy.ndjson", {"US": 1}, 0),
]


@pytest.mark.parametrize(("file", "countries", "refused"), CLICKS)
def test_clicks_come_from_where_they_were(
    tmp_path: Path, atlas: Atlas, file: str, countries: dict[str, int], refused: int
) -> None:
    desk = Desk.made(tmp_path / "data", atlas)
    for code in ("kerry", "launch", "jobs", "go1"):
        desk.link(code)
    if "phpmyadmin" in file:
        desk.link("ozh")
    report = desk.bring_in(RECORDED / file, dry=True)
    assert (report.imported, report.refused) == (sum(countries.values()), refused), report.refusals
    assert not (tmp_path / "data/spool").exists()
    report = desk.bring_in(RECORDED / file)
    assert (report.imported, report.refused) == (sum(countries.values()), refused), report.refusals
    assert desk.countries() == countries
    assert desk.has_on_disk(b"18.9.22.69") == [] == desk.has_on_disk(b"193.99.144.80")
    again = desk.bring_in(RECORDED / file)
    assert again.earlier is not None
    assert again.imported == 0
    assert len(desk.records()) == sum(countries.values())


def test_machines_are_told(tmp_path: Path, atlas: Atlas) -> None:
    desk = Desk.made(tmp_path / "data", atlas)
    desk.bring_in(RECORDED / "rebrandly/clickstream.ndjson")
    assert sorted(desk.records()["kind"].tolist()) == sorted([NetworkKind.RESIDENTIAL, NetworkKind.BOT])
