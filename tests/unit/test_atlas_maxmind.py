"""MaxMind's downloads: the key goes to MaxMind alone, and only what arrives whole is ever used."""

import base64
import hashlib
import io
import logging
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from clickatlas.atlas import files, update
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.maxmind import MaxMind, fetch_maxmind
from clickatlas.atlas.where import describe
from clickatlas.errors import Problem
from clickatlas.progress import Silent
from clickatlas.settings import Settings, load
from tests.atlas_fixtures import cache
from tests.unit.test_atlas_update import database
from tests.web_server import Answer, Asked, WebServer, web_server

KEY = "abcDEF_0123456789_secret_mmk"
LOGIN = "Basic " + base64.b64encode(f"99:{KEY}".encode()).decode()
SIGNED = "/databases/GeoLite2-City_20261117.tar.gz?X-Amz-Signature=5eed"


class FakeMaxMind:
    """Answers as download.maxmind.com does: a redirect to another host that holds the signed archive."""

    def __init__(self, content: bytes = b"the database", date: str = "20261117") -> None:
        self.stock(content, date)
        self.cuts: list[int] = []  # the next answers of the store end after so many bytes
        self.ranges = True
        self.status = 0  # what MaxMind says to everything, unless 0
        self.front: WebServer
        self.store: WebServer

    def stock(
        self, content: bytes, date: str = "20261117", member: str = "GeoLite2-City.mmdb", edition: str = "GeoLite2-City"
    ) -> None:  # fmt: skip
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for name, data in (("COPYRIGHT.txt", b"(c)"), ("LICENSE.txt", b"EULA"), (member, content)):
                info = tarfile.TarInfo(f"{edition}_{date}/{name}")
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        self.archive, self.name = packed.getvalue(), f"{edition}_{date}.tar.gz"
        self.stated = hashlib.sha256(self.archive).hexdigest()

    def answer(self, asked: Asked) -> Answer:
        if self.status:
            return Answer(self.status, b"Your account ID or license key could not be authenticated.")
        if asked.headers.get("authorization") != LOGIN:
            return Answer(401, b"Invalid license key")
        if asked.path == "/geoip/databases/GeoLite2-City/download?suffix=tar.gz.sha256":
            return Answer(200, f"{self.stated}  {self.name}".encode(), (("Content-Type", "text/plain"),))
        if asked.path == "/geoip/databases/GeoLite2-City/download?suffix=tar.gz":
            return Answer(302, b"", (("Location", self.store.url + SIGNED),))
        return Answer(404, b"Database edition not found")

    def serve_archive(self, asked: Asked) -> Answer:
        if "authorization" in asked.headers or asked.path != SIGNED:
            return Answer(400, b"<Error><Code>InvalidArgument</Code></Error>")  # as S3 says to two logins
        cut = self.cuts.pop(0) if self.cuts else None
        if self.ranges and (wanted := asked.headers.get("range")):
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(self.archive):
                return Answer(416)
            spread = f"bytes {start}-{len(self.archive) - 1}/{len(self.archive)}"
            return Answer(206, self.archive[start:], (("Content-Range", spread),), cut)
        return Answer(200, self.archive, (("Content-Type", "application/gzip"),), cut)

    def account(self, key: str = KEY) -> MaxMind:
        return MaxMind("99", key, base=self.front.url)


@pytest.fixture
def maxmind() -> Iterator[FakeMaxMind]:
    fake = FakeMaxMind()
    with web_server(fake.serve_archive, "localhost") as fake.store, web_server(fake.answer) as fake.front:
        yield fake


def test_the_database_is_fetched_and_the_key_goes_to_no_other_host(
    maxmind: FakeMaxMind, tmp_path: Path
) -> None:
    file = fetch_maxmind(maxmind.account(), tmp_path, Silent())
    assert file.name == "GeoLite2-City.mmdb"
    assert file.read_bytes() == b"the database"
    assert [asked.headers["authorization"] for asked in maxmind.front.asked] == [LOGIN, LOGIN]
    assert len(maxmind.store.asked) == 1
    assert "authorization" not in maxmind.store.asked[0].headers
    assert sorted(child.name for child in tmp_path.iterdir()) == ["maxmind+GeoLite2-City"]


def test_what_is_here_already_is_not_downloaded_again(maxmind: FakeMaxMind, tmp_path: Path) -> None:
    fetch_maxmind(maxmind.account(), tmp_path, Silent())
    fetch_maxmind(maxmind.account(), tmp_path, Silent())
    assert len(maxmind.front.asked) == 2, "in the cache: nobody is asked"
    fetch_maxmind(maxmind.account(), tmp_path, Silent(), fresh=True)
    assert len(maxmind.store.asked) == 1, "a digest that didn't change costs no download"
    maxmind.stock(b"a newer database", "20261120")
    assert (
        fetch_maxmind(maxmind.account(), tmp_path, Silent(), fresh=True).read_bytes() == b"a newer database"
    )


def test_a_download_that_breaks_off_goes_on_where_it_stopped(maxmind: FakeMaxMind, tmp_path: Path) -> None:
    maxmind.stock(os.urandom(300_000))
    maxmind.cuts = [100_000, 50_000]
    assert fetch_maxmind(maxmind.account(), tmp_path, Silent()).stat().st_size == 300_000
    assert [asked.headers.get("range") for asked in maxmind.store.asked] == [
        None, "bytes=100000-", "bytes=150000-"
    ]  # fmt: skip


def test_a_download_goes_on_in_the_next_run_too(maxmind: FakeMaxMind, tmp_path: Path) -> None:
    maxmind.stock(os.urandom(300_000))
    maxmind.cuts = [100_000, 0, 0, 0]
    with pytest.raises(Problem, match="GeoLite2-City could not be fetched") as broken:
        fetch_maxmind(maxmind.account(), tmp_path, Silent())
    assert "goes on where it stopped" in broken.value.remedy
    assert fetch_maxmind(maxmind.account(), tmp_path, Silent()).stat().st_size == 300_000
    assert maxmind.store.asked[-1].headers["range"] == "bytes=100000-"


def test_a_newer_release_is_not_patched_onto_half_of_an_older_one(
    maxmind: FakeMaxMind, tmp_path: Path
) -> None:
    maxmind.stock(os.urandom(300_000))
    maxmind.cuts = [100_000, 0, 0, 0]
    with pytest.raises(Problem):
        fetch_maxmind(maxmind.account(), tmp_path, Silent())
    maxmind.stock(b"newer")
    assert fetch_maxmind(maxmind.account(), tmp_path, Silent()).read_bytes() == b"newer"
    assert [child.name for child in tmp_path.iterdir()] == ["maxmind+GeoLite2-City"]


def test_a_server_without_ranges_sends_it_all_anew(maxmind: FakeMaxMind, tmp_path: Path) -> None:
    maxmind.stock(os.urandom(300_000))
    maxmind.cuts, maxmind.ranges = [100_000], False
    assert fetch_maxmind(maxmind.account(), tmp_path, Silent()).stat().st_size == 300_000


def test_an_archive_that_was_whole_already_is_used(maxmind: FakeMaxMind, tmp_path: Path) -> None:
    (tmp_path / f".GeoLite2-City-{maxmind.stated[:16]}.part").write_bytes(maxmind.archive)
    assert fetch_maxmind(maxmind.account(), tmp_path, Silent()).read_bytes() == b"the database"


@pytest.mark.parametrize("harm", ["another digest", "no digest", "another member", "junk"])
def test_what_is_not_right_is_refused_and_leaves_what_there_was(
    maxmind: FakeMaxMind, tmp_path: Path, harm: str
) -> None:
    fetch_maxmind(maxmind.account(), tmp_path, Silent())
    if harm == "another member":
        maxmind.stock(b"the database", member="GeoLite2-ASN.mmdb")
    elif harm == "junk":
        maxmind.archive = b"<html>maintenance</html>"
        maxmind.stated = hashlib.sha256(maxmind.archive).hexdigest()
    else:
        maxmind.stated = "0" * 64 if harm == "another digest" else "<html>"
    with pytest.raises(Problem) as refused:
        fetch_maxmind(maxmind.account(), tmp_path, Silent(), fresh=True)
    assert refused.value.remedy
    assert fetch_maxmind(maxmind.account(), tmp_path, Silent()).read_bytes() == b"the database"


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "account id"), (403, "may not download"), (404, "no edition called"), (429, "too many"), (503, "503")],
)  # fmt: skip
def test_a_refusal_says_what_to_do_and_never_the_key(
    maxmind: FakeMaxMind, tmp_path: Path, caplog: pytest.LogCaptureFixture, status: int, words: str
) -> None:
    maxmind.status = status
    with caplog.at_level(logging.DEBUG), pytest.raises(Problem, match=words) as refused:
        fetch_maxmind(maxmind.account(), tmp_path, Silent())
    assert refused.value.remedy
    assert KEY not in f"{refused.value.document()} {caplog.text} {maxmind.account()!r}"
    assert list(tmp_path.iterdir()) == []


def test_the_wrong_key_is_a_401_in_words(maxmind: FakeMaxMind, tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"doesn't know this account id with this licence key \(401\)"):
        fetch_maxmind(maxmind.account("wrong"), tmp_path, Silent())


def test_no_network_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="MaxMind doesn't answer"):
        fetch_maxmind(MaxMind("99", KEY, base="http://127.0.0.1:9"), tmp_path, Silent())


def test_settings_do_not_show_the_key_and_a_key_wants_an_account(tmp_path: Path) -> None:
    settings = load({"data": tmp_path, "cache": tmp_path, "maxmind_key": KEY})
    assert KEY not in repr(settings)
    with pytest.raises(Problem, match="no account id"):
        update.update(settings, fresh=True, progress=Silent())


def test_a_file_goes_before_the_key_and_the_key_before_npm(
    maxmind: FakeMaxMind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = database(tmp_path / "city.mmdb")
    maxmind.stock(database(tmp_path / "theirs.mmdb", city="Theirs").read_bytes())
    monkeypatch.setattr(update, "MaxMind", lambda *given: MaxMind(*given, base=maxmind.front.url))
    monkeypatch.setattr(update, "fresh_kinds", lambda *_, **__: None)

    def made(file: Path | None = None, **more: str) -> str:
        settings = Settings(
            data=tmp_path / "data", cache=cache(), maxmind_account="99", maxmind_key=KEY, **more
        )  # type: ignore[arg-type]
        return describe(Atlas.open(update.update(settings, file=file, fresh=True, progress=Silent())))

    monkeypatch.setattr(update, "fetch_maxmind", _into(tmp_path))
    assert "city.mmdb Test-City of 2023-11-14, a file of your own" in made(city)
    assert "from MaxMind by licence key" in made()
    assert "a file of your own" in made(city_file=str(city))
    assert KEY not in made()


def _into(folder: Path):  # type: ignore[no-untyped-def]
    """MaxMind's file in a cache of this test's own, beside the shared one."""
    return lambda maxmind, _cache, *rest, **more: fetch_maxmind(maxmind, folder / "cache", *rest, **more)


def test_rolling_back_puts_the_atlas_before_back_and_once_more_goes_forward(tmp_path: Path) -> None:
    root = tmp_path / "atlas"
    with pytest.raises(Problem, match="no atlas before"):
        files.rollback(root)
    first = update.build_atlas(root, cache(), city_file=database(tmp_path / "1.mmdb"), progress=Silent())
    with pytest.raises(Problem, match="no atlas before"):
        files.rollback(root)
    second = update.build_atlas(
        root, cache(), city_file=database(tmp_path / "2.mmdb", built=1_710_000_000), progress=Silent()
    )
    assert files.rollback(root) == first.name
    assert files.current(root) == first
    assert files.rollback(root) == second.name
    (first / "atlas.json").write_text("{}")
    with pytest.raises(Problem, match="another version"):
        files.rollback(root)
    assert files.current(root) == second
