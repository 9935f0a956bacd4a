"""The examples in deploy/ are what their programs take."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from clickatlas.cli import cli
from clickatlas.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = ["clickatlas.service", "clickatlas@.service", "clickatlas-backup.service", "clickatlas-backup.timer"]
PARTS = ["app", "ingest", "redirect"]
PROXIES = ["nginx.conf", "Caddyfile", "Caddyfile.domains", "haproxy.cfg", "traefik.yml"]


def _unit(name: str) -> configparser.RawConfigParser:
    parsed = configparser.RawConfigParser(strict=False)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(DEPLOY / name)
    return parsed


@pytest.mark.parametrize("name", UNITS[:3])
def test_units_run_commands_that_exist_as_nobody_special(name: str) -> None:
    unit = _unit(name)["Service"]
    words = unit["ExecStart"].split()[1:]
    for command in PARTS if words[0] == "%i" else words[:1]:
        told = CliRunner().invoke(cli, [command, "--help"])
        assert told.exit_code == 0
        assert all(word in told.output for word in words if word.startswith("--"))
    assert unit["User"] == "clickatlas"
    assert unit["ProtectSystem"] == "strict"
    assert unit["NoNewPrivileges"] == "true"
    assert "/var/lib/clickatlas" in unit["ReadWritePaths"].split()


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if not analyze:
        pytest.skip("systemd-analyze is not installed")
    for name in UNITS:  # with a program and a user that this machine has
        text = re.sub(r"(?m)^(ExecStart=)\S+", r"\1/bin/true", (DEPLOY / name).read_text())
        (tmp_path / name).write_text(re.sub(r"(?m)^(User|Group)=.*", r"\1=root", text))
    line = [analyze, "verify", "--man=no", *(tmp_path / name for name in UNITS)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if "Failed to" in done.stderr and "bus" in done.stderr:
        pytest.skip(done.stderr)
    assert (done.returncode, done.stderr) == (0, "")
    line = [analyze, "security", "--offline=true", "--no-pager", str(DEPLOY / UNITS[0])]
    found = re.search(
        r"exposure level for \S+: ([\d.]+)",
        subprocess.run(line, capture_output=True, text=True, check=False).stdout,
    )
    assert found is None or float(found[1]) < 2.5  # older ones can't tell without a running systemd


@pytest.mark.parametrize("name", PROXIES)
def test_each_proxy_comes_with_the_settings_it_needs(name: str) -> None:
    text = (DEPLOY / name).read_text()
    for setting in ("public_url", "trusted_proxies"):
        match = re.search(rf'{setting} = [^"\n]*("[^"\n]+")', text)
        assert match, setting
        Settings.model_validate(tomllib.loads(f"{setting} = {match[1]}"))
    assert "Forwarded" in text
