"""Every example of the documents, run as a reader would: in a shell and in Python, against one server with sample data."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from clickatlas.settings import Settings
from tests.server.doc_blocks import DOCS, Block, blocks
from tests.server.served import PROGRAM, Served, environment, quickly

PAGES = (
    "api",
    "links",
    "import",
    "export",
    "client",
    "sharing",
    "webhooks",
    "people",
    "plans",
    "analytics",
    "live",
    "insights",
)
NOTEBOOKS = sorted((DOCS.parent / "examples").glob("*.ipynb"))
SECRET = "whsec_c2VjcmV0IG9mIHRoZSBleGFtcGxlcw=="
# As a reader's shell, but a refusal ends it, and nothing is waited for.
PRELUDE = """set -euo pipefail
curl() { command curl -sS --fail-with-body --max-time 30 "$@"; }
"""
CLICKS = "time,code,ip\n" + "".join(
    f"2026-11-0{n % 9 + 1}T1{n % 10}:00:00Z,spring,18.9.22.{n}\n" for n in range(40)
)
FILES = {
    "clicks.csv": CLICKS,
    "export.csv": "clicked_at,Short URL,city,ip\n2026-11-02T10:00:00Z,https://s.example.com/spring,Boston,18.9.22.69\n",
    "one-link.csv": "time,country\n2026-11-02T10:00:00Z,US\n",
}


@pytest.fixture(scope="module")
def shown(data_folder: Callable[[str], Path]) -> Iterator[Served]:
    """A server with sample clicks, on which the examples' own links are."""
    data = data_folder("docs")
    quickly("demo", "--clicks", "6000", data=data)
    served = Served(data, "--plan-webhook-secret", SECRET).start()
    with served.client() as client:
        client.patch("/api/workspace", json={"name": "Lighthouse"}).raise_for_status()
        client.put("/api/workspace/logo", content=_picture()).raise_for_status()
        for code, campaign in (("autumn", "Autumn"), ("spring-sale", "Spring")):
            client.post(
                "/api/links", json={"url": "https://example.com/", "code": code, "campaign": campaign}
            ).raise_for_status()
    yield served
    served.kill()


@pytest.mark.parametrize("page", PAGES)
def test_every_example_runs(
    shown: Served, page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shown.client() as client:
        _prepare(client, page)
    told = {
        "CLICKATLAS": shown.url, "TOKEN": shown.token, "SECRET": SECRET, "CLICKATLAS_DATA": str(shown.data),
        "CLICKATLAS_PORT": str(shown.port),
    }  # fmt: skip
    monkeypatch.chdir(tmp_path)
    for name, content in FILES.items() if page == "import" else ():
        (tmp_path / name).write_text(content)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    space: dict[str, Any] = {}
    try:
        for block in blocks(f"{page}.md"):
            if not block.why:
                _run(block, told, space)
    finally:
        if page == "plans":
            quickly("workspace", "plan", "1", "unlimited", data=shown.data)


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_every_notebook_runs(
    shown: Served, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = json.loads(file.read_text("utf-8"))
    assert (found["nbformat"], found["nbformat_minor"]) == (4, 5)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLICKATLAS", shown.url)
    monkeypatch.setenv("TOKEN", shown.token)
    space: dict[str, Any] = {}
    for number, cell in enumerate(found["cells"]):
        if cell["cell_type"] != "code":
            continue
        assert not cell["outputs"], f"{file.name}: clear the outputs"
        assert cell["execution_count"] is None, f"{file.name}: clear the outputs"
        code = "".join(cell["source"])
        assert not any(line.startswith(("%", "!")) for line in code.splitlines()), (
            f"{file.name}: no kernel runs it"
        )
        exec(compile(code, f"{file.name}, cell {number}", "exec"), space)


def _picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "#1d3557").save(file, "PNG")
    return file.getvalue()


def _prepare(client: httpx.Client, page: str) -> None:
    """The link "spring", which most pages speak of and links.md makes."""
    if page == "links":
        for code in ("spring", "summer-a", "summer-b"):
            client.delete(f"/api/links/{code}")
    elif client.get("/api/links/spring").status_code == 404:
        link = {
            "url": "https://example.com/spring",
            "code": "spring",
            "campaign": "Spring",
            "channel": "email",
        }
        client.post("/api/links", json=link).raise_for_status()


def _run(block: Block, told: dict[str, str], space: dict[str, Any]) -> None:
    if block.language == "sh":
        path = f"{Path(PROGRAM).parent}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", PRELUDE + block.code],
            env=environment(PATH=path, **told), input="a pass phrase of many words\n",
            capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (
            f"{block.where}\n{block.code}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
        )
        assert "Traceback" not in done.stderr, f"{block.where}\n{done.stderr}"
    elif block.language == "python":
        exec(compile(block.code, block.where, "exec"), space)
    elif block.language == "json":
        json.loads(block.code)
    elif block.language == "toml":
        assert set(tomllib.loads(block.code)) <= set(Settings.model_fields), block.where
    else:
        raise AssertionError(f"{block.where}: nobody knows how to run {block.language!r}")


def test_few_examples_are_not_run() -> None:
    found = [block for page in PAGES for block in blocks(f"{page}.md")]
    left = [f"{block.where}: {block.why}" for block in found if block.why]
    assert len(found) > 50
    assert len(left) <= 8, left
