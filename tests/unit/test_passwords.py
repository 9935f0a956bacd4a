"""Which passwords will do, and how they are kept."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type

from clickatlas.api.hashing import AT_ONCE, MOST_WAITING, Hashing
from clickatlas.errors import Problem
from clickatlas.links import keys, passwords, people
from clickatlas.links.database import LinksDatabase

GOOD = "marble otter staircase"


def test_parameters_are_at_least_what_owasp_asks_for() -> None:
    found = extract_parameters(passwords.hashed(GOOD))
    assert found.type is Type.ID
    assert found.memory_cost >= 19 * 1024
    assert found.time_cost >= 2
    assert found.salt_len >= 16
    assert passwords.hashed(GOOD) != passwords.hashed(GOOD)


def test_only_the_right_one_fits() -> None:
    stored = passwords.hashed(GOOD)
    assert passwords.fits(stored, GOOD)
    for wrong in ("", GOOD + " ", GOOD.upper(), "x" * 1000, "\ud800", "\0"):
        assert not passwords.fits(stored, wrong)
        assert not passwords.fits(None, wrong)
        assert not passwords.fits("junk", wrong)
    assert not passwords.fits(None, "the password of nobody")


def test_whichever_keyboard_typed_it() -> None:
    assert passwords.fits(passwords.hashed("caf\u00e9 \ufb01ligree \u2460"), "cafe\u0301 filigree 1")


def test_nobody_takes_as_long_as_somebody() -> None:
    stored = passwords.hashed(GOOD)
    passwords.prepare()

    def best(of: str | None) -> float:
        took = []
        for _ in range(7):
            begun = time.thread_time()
            passwords.fits(of, "wrong")
            took.append(time.thread_time() - begun)
        return min(took)

    assert 0.6 < best(None) / best(stored) < 1.6


@pytest.mark.parametrize(
    "weak",
    [
        "", "short", "elevenchars", "é" * 11, "a" * 1001, "aaaaaaaaaaaaaaaa", "abababababab", "123456789012", "Password1234", "qwertyuiop123",
        "ＰＡＳＳＷＯＲＤ1234", "ann-margret-o@example.com", "Ann-Margret-O2026!", "ann-margret-o",
    ],
)  # fmt: skip
def test_weak_ones_are_refused_with_a_remedy(weak: str) -> None:
    with pytest.raises(Problem) as refused:
        passwords.refuse_weak(weak, "Ann", "ann-margret-o@example.com")
    assert (refused.value.status, refused.value.extra["field"]) == (422, "new")
    assert refused.value.remedy


@pytest.mark.parametrize(
    "good",
    [GOOD, "lowercaseonly", "одуванчик в саду", "🦦 marble 🦦 stairs", "a bcd " * 166, "4096 1234 8812"],
)
def test_no_kind_of_character_is_asked_for(good: str) -> None:
    passwords.refuse_weak(good, "Ann", None)


def test_people_by_number_or_address_in_either_case(tmp_path: Path) -> None:
    database = LinksDatabase(tmp_path)
    database.migrate()
    with database.writing() as session:
        owner, _ = keys.owner(session)
        ann = people.add(session, " Ann@Example.COM ", "", "viewer")
        assert (ann.name, ann.email) == ("Ann", "ann@example.com")
        assert people.find(session, str(owner)).name == "Owner"
        assert people.find(session, "ANN@example.com").id == ann.id
        for wrong in ("ann", "0", "9" * 30, "²", ""):
            with pytest.raises(Problem):
                people.find(session, wrong)
        for wrong, status in (
            ("ann@EXAMPLE.com", 409),
            ("ann", 422),
            ("@", 422),
            ("a b@c", 422),
            ("a\n@c", 422),
            ("x" * 400 + "@c", 422),
        ):
            with pytest.raises(Problem) as refused:
                people.add(session, wrong, "", "editor")
            assert refused.value.status == status
        with pytest.raises(Problem) as refused:
            people.set_password(session, str(owner), GOOD)
        assert "--email" in refused.value.remedy
        people.set_password(session, str(owner), GOOD, "owner@example.com")
        stored = passwords.stored_for(session, owner)
        assert stored is not None
        assert GOOD not in stored
        assert [row[-1][:11] for row in people.rows(session)] == ["password of", "no password"]


def test_older_parameters_are_told_from_todays() -> None:
    assert not passwords.is_outdated(passwords.hashed(GOOD))
    assert passwords.is_outdated(PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(GOOD))


def test_a_flood_is_hashed_few_at_a_time_and_the_rest_told_to_come_again() -> None:
    there, most, lock, gate = [0], [0], threading.Lock(), threading.Event()

    def work() -> None:
        with lock:
            there[0] += 1
            most[0] = max(most[0], there[0])
        gate.wait(20)
        with lock:
            there[0] -= 1

    async def flood() -> list[object]:
        hashing = Hashing()
        tasks = [asyncio.create_task(hashing.run(work)) for _ in range(500)]
        await asyncio.sleep(0.1)
        refused = sum(task.done() for task in tasks)
        assert refused == 500 - AT_ONCE - MOST_WAITING
        gate.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        await hashing.run(lambda: None)  # and then it goes on
        return list(answers)

    answers = asyncio.run(flood())
    problems = [answer for answer in answers if isinstance(answer, Problem)]
    assert {problem.status for problem in problems} == {429}
    assert all(problem.extra["retry_after"] for problem in problems)
    assert most[0] == AT_ONCE
