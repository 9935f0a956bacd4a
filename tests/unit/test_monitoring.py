"""docs/monitoring.md and its alerts name what there is."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from clickatlas.api.figures import FIGURES, markdown

DOCS = Path(__file__).parents[2] / "docs"
PAGE, RULES = DOCS / "monitoring.md", DOCS / "clickatlas-rules.yml"


def rules() -> list[dict[str, Any]]:
    [group] = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def named(text: str) -> set[str]:
    return {
        re.sub(r"_(bucket|count|sum)$", "", name) if name not in FIGURES else name
        for name in re.findall(r"\bclickatlas_[a-z_]+[a-z]\b", text)
    }


def test_the_table_of_figures_is_the_codes() -> None:
    assert markdown() in PAGE.read_text("utf-8"), "python -m clickatlas.api.figures"


def test_figures_are_named_as_prometheus_wants_them() -> None:
    for figure in FIGURES.values():
        assert re.fullmatch(r"clickatlas(_[a-z]+)+", figure.name)
        assert figure.name.endswith("_total") == (figure.kind == "counter")
        assert not re.search(r"_(ms|milliseconds|mb|minutes|count|sum|bucket)(_|$)", figure.name)
        assert figure.what.endswith(".")


def test_rules_and_questions_ask_for_figures_that_are_there() -> None:
    for text in (RULES.read_text("utf-8"), PAGE.read_text("utf-8")):
        assert named(text) <= set(FIGURES), named(text) - set(FIGURES)


def test_every_alert_says_what_it_is_and_the_page_what_to_do() -> None:
    assert len(rules()) == 5
    page = PAGE.read_text("utf-8")
    for rule in rules():
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"]
        assert rule["expr"].count("(") == rule["expr"].count(")")
        assert f"| `{rule['alert']}` | " in page


def test_promtool_takes_the_rules() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool (Debian: prometheus) is not installed")
    done = subprocess.run(
        [promtool, "check", "rules", str(RULES)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "5 rules found" in done.stdout
