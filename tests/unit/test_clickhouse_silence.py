"""Of many who ask a ClickHouse that answers nothing, one waits now and then, and the others are told at once."""

from __future__ import annotations

import pytest

from clickatlas.clicks import clickhouse_silence
from clickatlas.clicks.clickhouse_silence import AGAIN_S, Silence


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(clickhouse_silence, "time", made)
    return made


def test_who_answers_is_asked_by_all(clock: Clock) -> None:
    silence = Silence()
    assert [silence.may_ask() for _ in range(3)] == [True] * 3
    silence.ended()
    assert silence.may_ask()


def test_one_at_a_time_sees_whether_it_lasts(clock: Clock) -> None:
    silence = Silence()
    assert silence.may_ask()
    assert silence.may_ask()
    silence.lasts()
    assert not silence.may_ask(), "nobody just afterwards"
    clock.now += AGAIN_S
    assert [silence.may_ask() for _ in range(3)] == [True, False, False]
    clock.now += 60
    assert not silence.may_ask(), "while one waits"
    silence.lasts()
    clock.now += AGAIN_S
    assert silence.may_ask()
    silence.ended()
    assert [silence.may_ask() for _ in range(3)] == [True] * 3
