"""compose.cluster.yaml and deploy/cluster agree with each other, and with what clickatlas takes."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from clickatlas.cli import cli
from clickatlas.clicks.clickhouse_address import address
from clickatlas.links.destination import RESERVED
from clickatlas.redirect.apart import OWN
from clickatlas.settings import Settings

ROOT = Path(__file__).parents[2]
CLUSTER = ROOT / "deploy" / "cluster"
CADDYFILE = (CLUSTER / "Caddyfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.cluster.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service["image"] == "clickatlas"]
CLICKHOUSES = [name for name in SERVICES if name.startswith("clickhouse-")]
KEEPERS = [name for name in SERVICES if name.startswith("keeper-")]


def _environment(service: str) -> dict[str, str]:
    """What its processes find, with what somebody's .env might say."""
    said = {"CLICKATLAS_PUBLIC_URL": "https://go.example.com"}
    return {
        name: re.sub(r"\$\{(\w+)(:\?[^}]*)?\}", lambda match: said.get(match[1], "0123abcd"), value)
        for name, value in SERVICES[service].get("environment", {}).items()
    }


def _settings(service: str) -> Settings:
    names = {name.removeprefix("CLICKATLAS_").lower(): value for name, value in _environment(service).items()}
    assert names.keys() <= Settings.model_fields.keys()
    return Settings.model_validate(names)


def test_two_redirectors_the_app_and_all_that_they_stand_on() -> None:
    commands = [SERVICES[name]["command"][0] for name in OURS]
    assert sorted(commands) == ["app", "ingest", "ingest", "redirect", "redirect"]
    assert all(command in cli.commands for command in commands)
    assert (len(CLICKHOUSES), len(KEEPERS)) == (4, 3)
    for number in "12":  # what answers and what counts have one disk
        volumes = [SERVICES[f"{name}-{number}"]["volumes"] for name in ("redirect", "ingest")]
        assert volumes[0] == volumes[1]
        assert f"redirect-{number}:/data" in volumes[0]


def test_whatever_is_named_is_there() -> None:
    named = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    files = {name for name in named if name.startswith("./")}
    assert named - files == set(COMPOSE["volumes"])
    assert all((ROOT / file).is_file() for file in files)
    for service in SERVICES.values():
        assert set(service.get("depends_on", ())) <= set(SERVICES)
        assert ":" in service["image"] or service["image"] == "clickatlas"
        assert not service["image"].endswith(":latest")


def test_nothing_is_public_but_the_proxy_and_nothing_has_a_known_password() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["caddy"]
    secrets = {
        value
        for service in SERVICES.values()
        for name, value in service.get("environment", {}).items()
        if re.search("PASSWORD|SECRET|_URL", name)
    }
    assert secrets
    for value in secrets:
        assert re.search(r"\$\{\w+:\?", value), value  # refused where .env has none
    for name in OURS:
        service = SERVICES[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["user"] == "10001:10001"
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_every_clickatlas_has_the_same_settings_and_they_are_valid() -> None:
    assert len({str(_settings(name)) for name in OURS}) == 1
    settings = _settings("app")
    clicks = address(settings.clicks_url)
    assert settings.database_url.partition("@")[2] == "postgres/clickatlas"
    assert clicks.user == _environment("clickhouse-1a")["CLICKHOUSE_USER"]
    assert clicks.password == _environment("clickhouse-1a")["CLICKHOUSE_PASSWORD"]
    assert _environment("postgres")["POSTGRES_PASSWORD"] in settings.database_url
    for name in CLICKHOUSES:  # one name for any of them
        assert clicks.host in SERVICES[name]["networks"]["default"]["aliases"]
    proxy = SERVICES["caddy"]["networks"]["default"]["ipv4_address"]
    assert str(settings.trusted_proxies) in (f"{proxy}/32", f"['{proxy}/32']", f"('{proxy}/32',)")
    [network] = COMPOSE["networks"]["default"]["ipam"]["config"]
    assert network["subnet"].rpartition(".")[0] == proxy.rpartition(".")[0]


def test_clickhouse_has_the_cluster_that_the_url_names() -> None:
    made = ElementTree.parse(CLUSTER / "clickhouse.xml").getroot()
    cluster = address(_settings("app").clicks_url).cluster
    shards = made.findall(f"remote_servers/{cluster}/shard")
    hosts = {
        (str(number), host.text): (shard.findtext("internal_replication"), host.text)
        for number, shard in enumerate(shards, 1)
        for host in shard.findall("replica/host")
    }
    assert all(replication == "true" for replication, _ in hosts.values())
    theirs = {(_environment(name)["SHARD"], SERVICES[name]["hostname"]) for name in CLICKHOUSES}
    assert theirs == set(hosts)
    assert len({(_environment(name)["SHARD"], _environment(name)["REPLICA"]) for name in CLICKHOUSES}) == 4
    assert {macro.tag for macro in made.findall("macros/*")} == {"shard", "replica"}
    assert [host.text for host in made.findall("zookeeper/node/host")] == KEEPERS
    for name in CLICKHOUSES:
        _given(made, name)


def test_the_keepers_know_each_other() -> None:
    made = ElementTree.parse(CLUSTER / "keeper.xml").getroot()
    servers = {
        server.findtext("id"): server.findtext("hostname")
        for server in made.findall("keeper_server/raft_configuration/server")
    }
    assert servers == {_environment(name)["KEEPER"]: name for name in KEEPERS}
    asked = ElementTree.parse(CLUSTER / "clickhouse.xml").getroot().findtext("zookeeper/node/port")
    assert made.findtext("keeper_server/tcp_port") == asked
    for name in KEEPERS:
        _given(made, name)


def _given(made: ElementTree.Element, service: str) -> None:
    wanted = {element.attrib["from_env"] for element in made.iter() if "from_env" in element.attrib}
    assert wanted
    assert wanted <= _environment(service).keys()


def test_the_proxy_sends_the_apps_paths_to_the_app() -> None:
    [listed] = re.findall(r"@app path (.+)", CADDYFILE)
    firsts = {path.split("/")[1] for path in listed.split()}
    assert firsts == (RESERVED - OWN - {".well-known"}) | {""}  # health and figures are each machine's own
    [app, street] = re.findall(r"reverse_proxy (.+) \{", CADDYFILE)
    assert app == "app:8000"
    assert street.split() == [f"{name}:8000" for name in SERVICES if name.startswith("redirect-")]
    assert SERVICES["caddy"]["networks"]["default"]["ipv4_address"] in CADDYFILE


def test_caddy_takes_it() -> None:
    if not (caddy := shutil.which("caddy")):
        pytest.skip("Caddy is not installed")
    line = [caddy, "adapt", "--config", str(CLUSTER / "Caddyfile"), "--adapter", "caddyfile"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
