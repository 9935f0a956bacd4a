"""Neighbours: the Gabriel graph by its definition, the date line, and sets of areas."""

import numpy as np
import pytest

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.contiguity import Contiguity, gabriel, kilometres, vectors


def by_hand(spot: np.ndarray) -> set[tuple[int, int]]:
    edges = set()
    for i in range(len(spot)):
        for j in range(i + 1, len(spot)):
            middle, reach = (spot[i] + spot[j]) / 2, np.linalg.norm(spot[i] - spot[j]) / 2
            if np.sort(np.linalg.norm(spot - middle, axis=1))[0] >= reach * (1 - 1e-9):
                edges.add((i, j))
    return edges


@pytest.mark.parametrize("spots", [2, 3, 20, 150])
def test_neighbours_have_nobody_in_the_circle_between_them(spots: int) -> None:
    random = np.random.default_rng(spots)
    spot = vectors(random.uniform(-60, 70, spots), random.uniform(-180, 180, spots))
    first, second = gabriel(spot)
    assert set(zip(first.tolist(), second.tolist(), strict=True)) == by_hand(spot)


def test_areas_at_one_spot_are_neighbours() -> None:
    spot = vectors(np.array([1.0, 1.0, 1.0, 9.0]), np.array([2.0, 2.0, 2.0, 9.0]))
    first, second = gabriel(spot)
    assert set(zip(first.tolist(), second.tolist(), strict=True)) == {(0, 1), (1, 2), (0, 3)}
    assert gabriel(spot[:1])[0].size == 0


def test_the_date_line_is_no_border() -> None:
    graph = Contiguity.among(
        np.arange(2, dtype=np.int32), np.array([-17.0, -17.0]), np.array([179.5, -179.5]), 200
    )
    assert graph.first.size == 1
    assert kilometres(graph.spot[0], graph.spot[1]) == pytest.approx(106.3, abs=0.5)


def test_sets_hold_together_and_nothing_else() -> None:
    graph = Contiguity.among(np.arange(5, dtype=np.int32), np.zeros(5), np.arange(5.0))
    assert graph.sets(np.array([True, True, False, True, True])).tolist() == [0, 0, -1, 1, 1]
    assert graph.sets(np.zeros(5, np.bool_)).tolist() == [-1] * 5
    assert graph.matrix(itself=True).sum() == 4 * 2 + 5
    assert graph.at(np.array([3, 9])).tolist() == [3, -1]


def test_states_have_the_neighbours_one_would_say(atlas: Atlas) -> None:
    graph = Contiguity.of(atlas, Level.REGION)
    named = {atlas.areas.id(n): i for i, n in enumerate(graph.area.tolist())}
    edges = set(zip(graph.first.tolist(), graph.second.tolist(), strict=True))

    def beside(one: str, other: str) -> bool:
        a, b = named[f"region:{one}"], named[f"region:{other}"]
        return (min(a, b), max(a, b)) in edges

    assert beside("US-OR", "US-WA")
    assert beside("US-ND", "US-SD")
    assert not beside("US-CA", "US-NY")
    assert not any(named["region:US-HI"] in edge for edge in edges)
