"""Answers are asked for once, and again when the store has something new."""

import threading
import time

import pytest

from clickatlas.api.answers import Answers


class Store:
    version = 1
    asked = 0

    def ask(self) -> int:
        self.asked += 1
        return self.version * 100


def test_a_question_is_asked_once_per_content() -> None:
    store = Store()
    answers = Answers(lambda: store.version, keep=4)
    assert [answers.get("a", store.ask).value for _ in range(5)] == [100] * 5
    assert store.asked == 1
    answers.get("b", store.ask)
    assert store.asked == 2
    store.version = 2
    time.sleep(0.01)  # longer than five times what the answer cost
    assert answers.get("a", store.ask).value == 200


def test_an_answer_that_cost_much_rests_a_little_under_a_stream_of_clicks() -> None:
    store = Store()
    answers = Answers(lambda: store.version, keep=4)

    def slowly() -> int:
        time.sleep(0.1)
        return store.ask()

    answers.get("a", slowly)
    store.version = 2
    assert answers.get("a", slowly).value == 100
    time.sleep(0.6)
    assert answers.get("a", slowly).value == 200


def test_many_who_ask_at_once_wait_for_one_answer() -> None:
    store = Store()
    answers = Answers(lambda: store.version, keep=4)

    def slowly() -> int:
        time.sleep(0.1)
        return store.ask()

    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(answers.get("a", slowly).value)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == [100] * 8
    assert store.asked == 1


def test_the_oldest_goes_and_a_failure_is_not_kept() -> None:
    store = Store()
    answers = Answers(lambda: store.version, keep=2)
    for question in ("a", "b", "a", "c", "a"):
        answers.get(question, store.ask)
    assert store.asked == 3  # a, used often, stays
    answers.get("b", store.ask)
    assert store.asked == 4

    def fails() -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        answers.get("d", fails)
    assert answers.get("d", store.ask).value == 100
