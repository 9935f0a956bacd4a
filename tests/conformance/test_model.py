"""Whatever comes when, is deleted, or let go of: a store says what the clicks themselves say."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from clickatlas.clicks.filter import Selection
from tests.conformance.model import ALL, LINKS, SPAN, START, Model
from tests.conformance.stores import STORES, stores


@pytest.mark.parametrize("sweeping", [False, True], ids=["all kept", "some swept"])
@pytest.mark.parametrize("kind", STORES)
def test_a_store_says_what_the_clicks_say(tmp_path: Path, kind: str, sweeping: bool) -> None:
    with stores(kind, tmp_path) as opened:
        model = Model(opened, 5)
        steps: list[Callable[[], None]] = (
            [model.street] * 4 + [model.import_old] * 3 + [model.tend, model.remove]
        )
        steps += [model.reopen, model.bundle, model.patch] + ([model.sweep] if sweeping else [])
        model.add(model.drawn(2000, START, START + SPAN))
        for turn in range(12):
            if sweeping and turn == 4:
                model.sweep()
            steps[int(model.chance.integers(0, len(steps)))]()
            if turn % 6 == 5:
                model.check()
        assert (model.store.kept_since is not None) == sweeping
        before, removals = model.store.version, model.store.removals
        model.store.remove_links(range(1, LINKS + 1), 2)
        model.tend()
        assert model.store.version > before
        assert model.store.removals > removals
        assert model.store.journal() == 2
        assert not len(model.store.place_counts(Selection()).keys)
        assert model.store.span(Selection()) is None
        assert not model.store.time_counts(Selection(), model.edges(), ALL).any()
        assert not model.store.link_counts(Selection(), ALL)
        assert model.store.clicks(Selection()).total == 0
        model.store.remove_links([], 9)  # of links of which there was nothing
        model.reopen()
        model.add(model.drawn(50, START, START + SPAN))  # refused, also by a store that was opened later
        assert model.store.clicks(Selection()).total == np.sum(model.clicks["link"] > LINKS)
        assert model.store.journal() == 9
        model.store.close()
