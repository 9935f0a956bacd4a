"""A clickatlas in parts: an app, and two machines that answer its short links, each with a data folder of its own.

PostgreSQL is real. The click store of both is ClickHouse's engine on a folder, which one process at a time can open: so each
machine's `ingest` has it one after the other.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.server.making import word
from tests.server.parts import Part
from tests.server.served import Served, command, environment, quickly, until

VISITOR = {"x-forwarded-for": "18.9.22.69"}
PUBLIC = "http://links.example"


def clicked(served: Served, code: str, times: int) -> int:
    """Clicks on a link that were answered; all of them are."""
    with httpx.Client(base_url=served.url, headers=VISITOR) as visitor:
        return sum(visitor.get(f"/{code}").status_code == 302 for _ in range(times))


def location(served: Served, code: str) -> str | None:
    return httpx.get(f"{served.url}/{code}").headers.get("location")


def test_two_machines_of_redirects_and_an_app(
    data_folder: Callable[[str], Path], postgres_url: str, tmp_path: Path
) -> None:
    env = {"CLICKATLAS_DATABASE_URL": postgres_url, "CLICKATLAS_CLICKS_URL": f"chdb://{tmp_path}/store"}
    app = Part("app", data_folder("app"), "--public-url", PUBLIC, CLICKATLAS_DATABASE_URL=postgres_url)
    one, two = (Part("redirect", data_folder(name), "--app-url", app.url, **env) for name in ("one", "two"))
    parts = (app, one, two)
    try:
        for part in parts:
            part.launch()
        for part in parts:
            part.wait()
        said = quickly("token", "create", "--name", "t", "--scope", "admin", data=app.data, **app.env)
        token = said.stdout.strip()
        code = word()
        with app.client(token) as api:
            api.post("/api/links", json={"url": "https://example.com/a", "code": code}).raise_for_status()
            for machine in (one, two):
                until(lambda: location(machine, code), "known there", 1.0)  # noqa: B023
            api.patch(f"/api/links/{code}", json={"url": "https://example.com/b"}).raise_for_status()
            for machine in (one, two):
                until(lambda: location(machine, code) == "https://example.com/b", "changed there", 1.0)  # noqa: B023
            looks = sum(_spooled(machine.data) for machine in (one, two))
            _leave_to_each_other(app, one, code)
        app.stop()  # none needs the others
        sent = looks + clicked(one, code, 40) + clicked(two, code, 30)
        one.kill()
        one.start()
        sent += clicked(one, code, 20)
        assert sent == looks + 90
        assert _counted(one.data, env) == sent - _spooled(two.data)
        _ingest_runs_beside(two, _spooled(two.data), env)
        assert _in_store(env) == sent  # all of it, and once
        assert set(one.log.read_text().split()) >= {"clickatlas", "redirect"}
    finally:
        for part in parts:
            part.stop()


def _spooled(data: Path) -> int:
    """Clicks in a spool that were not moved yet."""
    from clickatlas.clicks.segments import Segment

    return sum(len(Segment(path).read()) for path in (data / "spool").glob("*/*.spool"))


def _counted(data: Path, env: dict[str, str]) -> int:
    said = command("ingest", "--once", data=data, **env).stdout
    return int(said.split()[0].replace(",", ""))


def _in_store(env: dict[str, str]) -> int:
    """Clicks in the store that all have in common, asked by a process that ends: its engine has one at a time."""
    asked = (
        "import sys; from pathlib import Path; from clickatlas.clicks.opening import open_store;"
        "from clickatlas.clicks.filter import Selection;"
        "print(open_store(sys.argv[1], Path(), memory='1GB').place_counts(Selection()).clicks.sum())"
    )
    line = [sys.executable, "-c", asked, env["CLICKATLAS_CLICKS_URL"]]
    return int(subprocess.run(line, env=environment(), capture_output=True, text=True, check=True).stdout)


def _leave_to_each_other(app: Served, redirects: Served, code: str) -> None:
    asked = httpx.get(f"{redirects.url}/app/sign-in?token=x")
    assert (asked.status_code, asked.headers["location"]) == (307, f"{app.url}/app/sign-in?token=x")
    short = httpx.get(f"{app.url}/{code}?utm_source=a%20b")
    assert (short.status_code, short.headers["location"]) == (307, f"{PUBLIC}/{code}?utm_source=a%20b")
    round_about = httpx.get(f"{redirects.url}/api/links", headers={"host": app.url.removeprefix("http://")})
    assert round_about.status_code == 404  # a proxy that leads the app's paths astray: no endless round
    assert "short links only" in round_about.json()["detail"]
    for part in (app, redirects):
        assert httpx.get(f"{part.url}/health/live").status_code == 200
        assert httpx.get(f"{part.url}/health/ready").status_code == 200
        assert httpx.get(f"{part.url}/metrics").status_code == 401
    assert httpx.get(f"{redirects.url}/counting").status_code == 404
    secret = (redirects.data / "metrics.token").read_text().strip()
    figures = httpx.get(f"{redirects.url}/metrics", headers={"authorization": f"Bearer {secret}"}).text
    assert 'clickatlas_street_up{worker="0"} 1.0' in figures
    assert "clickatlas_spool_lag_clicks" not in figures  # nobody counts there yet


def _ingest_runs_beside(redirects: Part, clicks: int, env: dict[str, str]) -> None:
    """The running `ingest` moves what its neighbour on the folder answers, and the neighbour says how far it is."""
    ingest = Part("ingest", redirects.data, **env)
    ingest.launch()
    secret = {"authorization": f"Bearer {(redirects.data / 'metrics.token').read_text().strip()}"}

    def is_done() -> bool:
        figures = httpx.get(f"{redirects.url}/metrics", headers=secret).text
        return (
            f"clickatlas_ingested_clicks_total {clicks}.0" in figures
            and "clickatlas_spool_lag_clicks 0.0" in figures
        )

    try:
        until(is_done, "counted by a running ingest")
        found = json.loads(quickly("doctor", "--json", data=redirects.data, code=None, **env).stdout)[
            "findings"
        ]
        said = " ".join(one["what"] for one in found)
        assert "Short links are answered." in said
        assert "counting keeps up" in said
    finally:
        ingest.stop()
    assert ingest.process is not None
    assert ingest.process.returncode == 0


def test_a_part_says_what_it_lacks(tmp_path: Path, atlas_folder: Path) -> None:
    bare, placed = tmp_path / "bare", tmp_path / "placed"
    placed.mkdir()
    (placed / "atlas").symlink_to(atlas_folder, target_is_directory=True)
    nowhere = "postgresql://nobody:secret-word@127.0.0.1:1/none"
    for role, data, env, words in (
        ("redirect", bare, {}, "no atlas"),
        ("redirect", placed, {}, "no links"),
        ("redirect", placed, {"CLICKATLAS_DATABASE_URL": nowhere}, "does not answer"),
        ("ingest", placed, {}, "no links"),
        ("ingest", placed, {"CLICKATLAS_DATABASE_URL": nowhere}, "clicks_url is empty"),
    ):
        ended = quickly(role, *(["--once"] if role == "ingest" else []), data=data, code=1, **env)
        assert words in ended.stderr
        assert len(ended.stderr.splitlines()) == 2, "a remedy, too"
        assert "secret-word" not in ended.stderr


def test_one_folder_has_one_of_each(server: Served) -> None:
    ended = command("redirect", "--port", "1", data=server.data, code=1)
    assert "Another clickatlas is running" in ended.stderr
