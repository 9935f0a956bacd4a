"""The command line, as a person or a script uses it."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from clickatlas.cli import cli
from tests.server.making import word
from tests.server.served import PROGRAM, Served, command, environment, free_port, quickly

DataFolder = Callable[[str], Path]
COMMANDS = [
    [], ["serve"], ["demo"], ["token"], ["token", "create"], ["token", "list"],
    ["token", "revoke"], ["person"], ["person", "add"], ["person", "list"], ["person", "password"], ["link"], ["link", "create"], ["link", "list"], ["import"], ["export"],
    ["atlas"], ["atlas", "update"], ["atlas", "show"], ["atlas", "where"], ["doctor"], ["sign-in"], ["migrate-store"],
]  # fmt: skip


@pytest.fixture(scope="module")
def data(data_folder: DataFolder) -> Path:
    return data_folder("commands")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_is_there_for_every_command(words: list[str]) -> None:
    text = CliRunner().invoke(cli, [*words, "--help"]).stdout
    assert text.startswith("Usage: ")
    if words and words[-1] not in ("token", "person", "link", "atlas"):
        assert "--data" in text


def test_a_token_is_all_that_token_create_prints(server: Served) -> None:
    done = command("token", "create", "--name", "script", data=server.data)
    assert re.fullmatch(r"\S{20,}\n", done.stdout)
    assert done.stderr == ""
    with server.client(done.stdout.strip()) as client:
        assert client.get("/api/links").status_code == 200
    command("token", "create", data=server.data, code=2)


def test_a_link_made_or_changed_outside_is_followed_at_once(server: Served, api: httpx.Client) -> None:
    code = word()
    assert httpx.get(f"{server.url}/{code}").status_code == 404
    line = ["link", "create", "https://example.com/cli", "--code", code, "--port", str(server.port), "--title", "By hand",
            "--campaign", "c", "--channel", "sms", "--tag", "a", "--tag", "b"]  # fmt: skip
    assert command(*line, data=server.data).stdout == f"{server.url}/{code}\n"
    assert httpx.get(f"{server.url}/{code}").headers["location"] == "https://example.com/cli"
    made = api.get(f"/api/links/{code}").json()
    assert (made["title"], made["campaign"], made["channel"], made["tags"]) == (
        "By hand",
        "c",
        "sms",
        ["a", "b"],
    )
    listed = command("link", "list", "--search", code, data=server.data).stdout
    assert listed == f"{code}\thttps://example.com/cli\tBy hand\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["javascript:x"],
        ["https://a.example", "--code", "api"],
        ["https://a.example", "--code", "a/b"],
        [""],
        ["\udcff"],
        ["https://a.example/\udcff"],
    ],
    ids=repr,
)
def test_links_that_can_not_be_are_refused_in_two_lines(data: Path, arguments: list[str]) -> None:
    done = quickly("link", "create", *arguments, data=data, code=1)
    first, *more = done.stderr.splitlines()
    assert first.startswith("Error: ")
    assert len(more) == 1
    assert done.stdout == ""


def test_where_tells_place_parents_radius_and_people(data: Path) -> None:
    text = quickly("atlas", "where", "18.9.22.69", data=data).stdout
    for part in (
        "18.9.22.69",
        "Massachusetts",
        "United States",
        "country:US",
        "region:US-MA",
        " km",
        "population",
    ):
        assert part in text, text
    assert "private" in quickly("atlas", "where", "10.0.0.1", data=data).stdout
    for address in ("not-an-address", "1.2.3", "", "::ffff:18.9.22.69", "2001:db8::1", "fe80::1%eth0"):
        assert quickly("atlas", "where", address, data=data).stdout
    assert "MaxMind" in quickly("atlas", "show", data=data).stdout


def test_commands_on_nothing_say_what_to_do(tmp_path: Path) -> None:
    for words in (["atlas", "where", "1.1.1.1"], ["atlas", "show"]):
        done = quickly(*words, data=tmp_path / "none", code=1)
        assert "There is no atlas yet" in done.stderr
        assert "clickatlas atlas update" in done.stderr


def test_doctor_without_an_atlas(tmp_path: Path) -> None:
    done = quickly("doctor", data=tmp_path / "none", code=2)
    assert "There is no atlas" in done.stdout
    assert "clickatlas atlas update" in done.stdout


def test_doctor_knows_a_stopped_server_from_a_running_one(server: Served, data: Path) -> None:
    assert "not running" in command("doctor", data=data, code=None).stdout
    assert "The server is running" in command("doctor", data=server.data, code=None).stdout


def test_doctor_sees_that_all_clicks_are_private(data_folder: DataFolder) -> None:
    served = Served(data_folder("behind"), "--trusted-proxies", "").start()
    code = command(
        "link", "create", "https://example.com", "--port", str(served.port), data=served.data
    ).stdout.strip()
    for _ in range(3):
        assert httpx.get(code, headers={"x-forwarded-for": "18.9.22.69"}).status_code == 302
    with served.client() as client:
        served.settled(client, 3)
    running = command("doctor", data=served.data, code=1).stdout
    served.kill()
    killed = command("doctor", data=served.data, code=1).stdout
    for text in (running, killed):
        assert "All 3 clicks come from private addresses" in text, text
        assert "trusted_proxies" in text
    assert "not running" in killed


def test_a_second_server_on_the_same_data_is_refused(server: Served) -> None:
    line = [PROGRAM, "serve", "--data", str(server.data), "--port", str(free_port())]
    done = subprocess.run(line, env=environment(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "Another clickatlas is running" in done.stderr
    assert "Traceback" not in done.stderr
    assert httpx.get(f"{server.url}/health").status_code == 200


def test_a_busy_port_is_named(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = [PROGRAM, "serve", "--data", str(data), "--port", str(port)]
        done = subprocess.run(
            line, env=environment(), capture_output=True, text=True, timeout=60, check=False
        )
    assert done.returncode == 1
    assert f":{port}" in done.stderr
    assert "Choose another port" in done.stderr


def test_settings_flag_beats_environment_beats_file(data_folder: DataFolder) -> None:
    data = data_folder("settings")

    def url(*flags: str, **env: str) -> str:
        made = quickly("link", "create", "https://example.com", *flags, data=data, **env).stdout
        return made.rpartition("/")[0]

    assert url() == "http://127.0.0.1:8000"
    (data / "clickatlas.toml").write_text('public_url = "https://file.example/"\nport = 8123\n')
    assert url() == "https://file.example"
    assert url(CLICKATLAS_PUBLIC_URL="https://env.example") == "https://env.example"
    assert (
        url("--public-url", "https://flag.example", CLICKATLAS_PUBLIC_URL="https://env.example")
        == "https://flag.example"
    )
    assert url(CLICKATLAS_PUBLIC_URL="") == "http://127.0.0.1:8123"
    other = data.with_name("other.toml")
    other.write_text('public_url = "https://other.example"\n')
    assert url("--config", str(other)) == "https://other.example"


@pytest.mark.parametrize(
    ("text", "says"),
    [("port = 99999", "port"), ("colour = 'red'", "colour"), ("port = ", "clickatlas.toml"), ("trusted_proxies = ['x']", "trusted_proxies"),
     ("public_url = 'example.com'", "public_url"), ("port = 'many'", "port"), ("\udcff", "clickatlas.toml")],
)  # fmt: skip
def test_settings_that_can_not_be_are_named(data_folder: DataFolder, text: str, says: str) -> None:
    data = data_folder("broken")
    (data / "clickatlas.toml").write_text(text, errors="surrogateescape")
    done = quickly("link", "list", data=data, code=1)
    assert done.stderr.startswith("Error: ")
    assert says in done.stderr


def test_export_of_nothing_is_a_header(data: Path) -> None:
    assert quickly("export", data=data).stdout.startswith("time,local_time,code,campaign,")
    assert quickly("export", "--format", "ndjson", data=data).stdout == ""
    done = quickly("export", "--from", "never", data=data, code=1)
    assert "never" in done.stderr
