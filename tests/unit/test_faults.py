"""What is wrong is said, what is not is not, and worst comes first."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from clickatlas.faults import FAULTS, FULL_BYTES, LAG_S, LOST_S, OLD_S, Cause, Readings, Severity, faults
from clickatlas.redirect.pulse import BOUNDS, Answer, Vitals

NOW = 1.8e9
STREET = Vitals(0, 1, NOW, NOW, 1, 0, (0,) * (len(BOUNDS) + 1), 0.0, 0, 0.0, dict.fromkeys(Answer, 0))
WELL = Readings(
    time=NOW,
    links_readable=True,
    ingest_alive=True,
    ingest_error=None,
    lag_clicks=0,
    lag_seconds=0.0,
    spool_bytes=0,
    aside=0,
    spool_kept=False,
    disk_free=1 << 40,
    disk_size=1 << 41,
    atlas_built=NOW - 86_400,
    workers=1,
    streets=(STREET,),
)


def street(**changes: Any) -> Vitals:
    return dataclasses.replace(STREET, **changes)


def wrong(**changes: Any) -> list[Cause]:
    return [fault.cause for fault in faults(dataclasses.replace(WELL, **changes))]


def test_all_is_well() -> None:
    assert wrong() == []
    assert wrong(lag_clicks=10**6, lag_seconds=LAG_S, streets=()) == []


CASES: list[tuple[Cause, dict[str, Any]]] = [
    (Cause.LINKS, {"links_readable": False}),
    (Cause.STOPPED, {"ingest_alive": False}),
    (Cause.FAILING, {"ingest_error": ""}),
    (Cause.FAILING, {"ingest_error": "disk full"}),
    (Cause.LAG, {"lag_seconds": LAG_S + 1}),
    (Cause.DISK, {"disk_free": FULL_BYTES - 1}),
    (Cause.DISK, {"disk_free": 4 << 30, "disk_size": 100 << 30}),
    (Cause.ATLAS, {"atlas_built": NOW - OLD_S}),
    (Cause.ASIDE, {"aside": 1}),
    (Cause.DAMAGED, {"spool_kept": True}),
    (Cause.LOSING, {"streets": (street(lost=1, lost_at=NOW - LOST_S + 1),)}),
    (Cause.LOSING, {"streets": (street(lost=1, lost_at=NOW + 9999),)}),  # the clock was set back since
    (Cause.SILENT, {"workers": 2}),
    (Cause.SILENT, {"streets": (street(beat=NOW - 60),)}),
    (Cause.SILENT, {"streets": (street(pid=0),)}),
]


@pytest.mark.parametrize(("cause", "changes"), CASES, ids=str)
def test_what_is_wrong_is_named(cause: Cause, changes: dict[str, Any]) -> None:
    assert wrong(**changes) == [cause]


def test_a_loss_is_forgiven_after_a_while() -> None:
    assert wrong(streets=(street(lost=5, lost_at=NOW - LOST_S),)) == []


def test_a_worker_that_was_replaced_in_another_slot_is_not_missed() -> None:
    assert wrong(streets=(street(slot=0, pid=0), street(slot=1))) == []
    assert wrong(streets=(street(slot=0, beat=NOW - 3600), street(slot=1))) == []  # killed


def test_worst_comes_first() -> None:
    found = wrong(aside=1, ingest_alive=False, lag_seconds=999.0, links_readable=False)
    assert [FAULTS[cause].severity for cause in found] == [Severity.BROKEN] * 2 + [Severity.WARNING] * 2


def test_every_cause_has_words_for_everybody() -> None:
    assert set(FAULTS) == set(Cause)
    for fault in FAULTS.values():
        assert fault.what.endswith(".")
        assert fault.mend.endswith((".", "?"))
        assert "/" not in fault.what.replace("and/or", "")
