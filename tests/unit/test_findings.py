"""What insights found is asked for once, also while clicks stream in, and no longer once links are deleted."""

import time
from pathlib import Path

import numpy as np
import pytest

from clickatlas.api.questions import Questions
from clickatlas.atlas.atlas import Atlas
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.filter import Filter
from clickatlas.clicks.store import Batch
from clickatlas.links import keys
from clickatlas.links.database import LinksDatabase
from clickatlas.redirect.record import RECORD, Agent


@pytest.fixture
def questions(atlas: Atlas, tmp_path: Path) -> Questions:
    links = LinksDatabase(tmp_path)
    links.migrate()
    return Questions(atlas, DuckDBStore(tmp_path / "clicks.duckdb"), links)


def click(questions: Questions, link: int = 1) -> None:
    records = np.zeros(1, RECORD)
    records["time"], records["link"], records["place"] = (
        1_790_000_000_000,
        link,
        questions.atlas.places.key[9],
    )
    questions.store.append(Batch(records, [Agent("mobile", "Safari", "iOS", "de-DE")], [""], {}))


def test_findings_are_made_once_and_rest_while_clicks_stream_in(questions: Questions) -> None:
    with questions.links.writing() as session:
        _, workspace = keys.owner(session)
    made = []

    def find() -> int:
        time.sleep(0.2)
        made.append(1)
        return len(made)

    def ask(wanted: Filter) -> int:
        return questions.found("cards", questions.about(workspace, [wanted]), find)

    click(questions)
    assert [ask(Filter()), ask(Filter())] == [1, 1]
    before = questions.store.version
    click(questions)
    assert questions.store.version > before
    snapshot = questions.snapshot(workspace, Filter())
    assert snapshot.counts.total == 2, "the map has the new click"
    assert ask(Filter()) == 1, "but what was found rests for thirty times what it cost"
    assert ask(Filter(start=5)) == 2, "another filter is another question"
    click(questions, 7)
    questions.store.remove_links([7], 1)
    assert ask(Filter()) == 3, "what was deleted is told no longer"
