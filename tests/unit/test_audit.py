"""The audit of locked packages, against a service of our own that answers as OSV does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tests import audit
from tests.audit import ROOT, npm_packages, python_packages


class Osv(BaseHTTPRequestHandler):
    answer: Any = None  # None: as OSV does, with an advisory for every fastapi
    status = 200

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))["queries"]
        vulns = {"vulns": [{"id": "GHSA-test", "modified": "2026-01-01T00:00:00Z"}]}
        results = [vulns if query["package"]["name"] == "fastapi" else {} for query in asked]
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(json.dumps(self.answer or {"results": results}).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def osv(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(Osv, "answer", None)
    monkeypatch.setattr(Osv, "status", 200)
    server = HTTPServer(("127.0.0.1", 0), Osv)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_every_locked_package_is_asked_about() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    found = python_packages(lock)
    assert len(found) == sum("==" in line for line in lock.splitlines())
    assert {"fastapi", "argon2-cffi", "ua-parser"} <= {package.name for package in found}
    npm = npm_packages((ROOT / "web/package-lock.json").read_text())
    assert {"svelte", "@types/node"} <= {package.name for package in npm}
    assert all(package.version[0].isdigit() for package in found + npm)


def test_what_is_known_fails(osv: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main(service=osv) == 1
    said = capsys.readouterr().out
    assert "PyPI fastapi" in said
    assert "GHSA-test" in said


def test_what_does_not_concern_us_passes(osv: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "ACCEPTED", {"GHSA-test": "why"})
    assert audit.main("--strict", service=osv) == 0


@pytest.mark.parametrize(
    ("answer", "status"), [({"results": []}, 200), ({"x": 1}, 200), ([], 200), (None, 405)]
)
def test_who_is_offline_can_still_lint(
    osv: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: Any, status: int
) -> None:
    monkeypatch.setattr(Osv, "answer", answer or None)
    monkeypatch.setattr(Osv, "status", status)
    if answer == []:
        osv = "http://127.0.0.1:9"  # nobody is there
    assert audit.main(service=osv) == 0
    assert audit.main("--strict", service=osv) == 1
    assert "nobody could be asked" in capsys.readouterr().out
