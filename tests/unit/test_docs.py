"""What the documents say is true."""

import json
import re
from pathlib import Path

import jsonschema_rs
import pytest

from clickatlas.api.examples import UNKNOWN
from clickatlas.app import create_app
from clickatlas.cli import cli
from clickatlas.settings import Settings, load
from clickatlas.settings_page import markdown

ROOT = Path(__file__).parents[2]


def test_the_settings_page_is_printed_from_the_table() -> None:
    assert (ROOT / "docs/settings.md").read_text("utf-8") == markdown(), "run 'make docs'"


def test_the_api_document_is_the_apis_own() -> None:
    written = json.loads((ROOT / "docs/openapi.json").read_text("utf-8"))
    assert written == create_app(Settings.model_validate({})).openapi(), "run 'make docs'"


def test_every_setting_has_one_name_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flags = {option.name: option.opts[0] for option in cli.commands["serve"].params}
    for name in Settings.model_fields:
        assert flags[name] == f"--{name.replace('_', '-')}"
    (tmp_path / "clickatlas.toml").write_text("port = 8001\ningest_interval_ms = 50\nworkers = 2\n")
    monkeypatch.setenv("CLICKATLAS_PORT", "8002")
    monkeypatch.setenv("CLICKATLAS_WORKERS", "3")
    found = load({"data": tmp_path, "workers": "4"})
    assert (found.ingest_interval_ms, found.port, found.workers) == (50, 8002, 4)


def test_the_architecture_page_matches_the_tree() -> None:
    page = (ROOT / "docs/architecture.md").read_text("utf-8")
    block = page.split("```tree\n", 1)[1].split("```", 1)[0]
    named: set[str] = set()
    room = ""
    for line in block.splitlines():
        if match := re.match(r"clickatlas/([\w/]+)/", line):
            room = f"{match.group(1)}/"
        elif line.startswith("clickatlas/"):
            room = ""
        named |= {f"{room}{file}" for file in re.findall(r"\b(\w+\.py)\b", line)}
    tree = {
        path.relative_to(ROOT / "clickatlas").as_posix()
        for path in (ROOT / "clickatlas").rglob("*.py")
        if path.name != "__init__.py" and "migrations" not in path.parts
    }
    assert named == tree


def test_links_between_documents_lead_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_rooms_keep_to_their_walls() -> None:
    def imports(room: str) -> set[str]:
        found = set()
        for path in (ROOT / "clickatlas" / room).rglob("*.py"):
            found |= set(
                re.findall(
                    r"^\s*(?:from|import) (clickatlas[\w.]*|fastapi|duckdb|sqlalchemy)",
                    path.read_text(),
                    re.M,
                )
            )
        return found

    assert not {
        name
        for name in imports("insight")
        if not name.startswith(("clickatlas.atlas", "clickatlas.insight", "clickatlas.clicks.filter"))
    }
    assert not {
        name
        for name in imports("redirect")
        if name.startswith(("clickatlas.insight", "clickatlas.api", "clickatlas.clicks"))
    }
    assert not {
        name
        for name in imports("atlas")
        if name.startswith(
            ("clickatlas.insight", "clickatlas.api", "clickatlas.clicks", "clickatlas.redirect")
        )
    }


def test_files_stay_small() -> None:
    made = {ROOT / "web/src/api/schema.ts"}  # from the API's document, read by the compiler alone
    large = [
        path.relative_to(ROOT).as_posix()
        for folder in ("clickatlas", "tests", "bench", "web/src", "web/basemap")
        for pattern in ("*.py", "*.ts", "*.svelte", "*.mjs")
        for path in (ROOT / folder).rglob(pattern)
        if path not in made and "static" not in path.parts and len(path.read_text("utf-8").splitlines()) > 400
    ]
    assert not large


def test_every_body_of_the_api_has_an_example_that_fits_its_schema() -> None:
    document = create_app(Settings.model_validate({})).openapi()
    components, wrong, count = document["components"], list[str](), 0
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            bodies = [("asks", *one) for one in operation.get("requestBody", {}).get("content", {}).items()]
            for status, answer in operation["responses"].items():
                if status.startswith("2"):
                    bodies += [(status, *one) for one in answer.get("content", {}).items()]
            for where, media, body in bodies:
                binary = body["schema"].get("format") == "binary" or "octet" in media
                if "example" not in body:
                    if not binary:
                        wrong.append(f"{method} {path} {where} {media}: none")
                    continue
                count += 1
                schema = body["schema"] | {"components": components}
                said = json.dumps(body["example"], ensure_ascii=False)
                errors = [
                    str(e.message)
                    for e in jsonschema_rs.Draft202012Validator(schema).iter_errors(body["example"])
                ]
                if UNKNOWN in re.findall(r'"([^"]*)"', said):
                    errors.append(f"has a text that nobody wrote: {said[:300]}")
                if where == "asks" and not body["example"]:
                    errors.append("asks for nothing")
                wrong += [f"{method} {path} {where}: {one}" for one in errors]
    assert not wrong, "\n".join(wrong)
    assert count > 130
