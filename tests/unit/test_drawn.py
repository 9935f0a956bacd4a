"""Drawn areas against a winding number worked out one spot at a time."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clickatlas.clicks.filter import shapes
from clickatlas.errors import Problem
from clickatlas.insight.drawn import inside

SPOTS = np.random.default_rng(1)
LAT, LON = SPOTS.uniform(-80, 80, 400), SPOTS.uniform(-180, 180, 400)


def height(lat: float) -> float:
    """Mercator's ordinate, by its textbook formula."""
    return math.log(math.tan(math.pi / 4 + math.radians(lat) / 2))


def turned(lat: float, lon: float, ring: list[tuple[float, float]]) -> float:
    """How often a ring goes around a spot: the sum of the angles under which its sides are seen, in turns."""
    y = math.degrees(height(lat))
    seen = [math.atan2(math.degrees(height(b)) - y, a - lon) for a, b in ring]
    steps = [after - before for before, after in zip(seen, seen[1:] + seen[:1], strict=True)]
    return sum(step - 2 * math.pi * round(step / (2 * math.pi)) for step in steps) / (2 * math.pi)


def is_odd(lat: float, lon: float, ring: list[tuple[float, float]]) -> bool:
    """Whether any copy of the spot, east or west around the world, is gone around an odd number of times."""
    return any(round(turned(lat, lon + turn, ring)) % 2 for turn in (-720, -360, 0, 360, 720))


point = st.tuples(st.floats(-400, 400, width=32), st.floats(-84, 84, width=32))


@settings(max_examples=60, deadline=None)
@given(st.lists(point, min_size=3, max_size=12))
def test_any_ring_holds_what_it_winds_around_an_odd_number_of_times(ring: list[tuple[float, float]]) -> None:
    flat = [degrees for spot in ring for degrees in spot]
    found = inside(LAT, LON, [flat])
    expected = [is_odd(lat, lon, ring) for lat, lon in zip(LAT.tolist(), LON.tolist(), strict=True)]
    assert found.tolist() == expected


@given(
    st.floats(-180, 180),
    st.floats(-80, 80),
    st.floats(0.1, 300),
    st.floats(0.1, 60),
    st.sampled_from((0, 360, -360)),
)
def test_a_box_is_the_polygon_of_its_corners(
    west: float, south: float, width: float, tall: float, turn: int
) -> None:
    east, north = west + width, min(85.0, south + tall)
    assume(north > south)
    box = inside(LAT, LON, [(west + turn, south, east + turn, north)])
    ring = (west, south, east, south, east, north, west, north)
    assert np.array_equal(box, inside(LAT, LON, [ring]))
    lat, east_of = LAT, (LON - west) % 360
    assert np.array_equal(box, (lat >= south) & (lat <= north) & (east_of <= width))


def test_across_the_date_line_either_way_it_is_written() -> None:
    fiji, samoa, london = (-17.8, 178.0), (-13.8, -171.8), (51.5, 0.0)
    lat, lon = (np.array(column) for column in zip(fiji, samoa, london, strict=True))
    for text in (
        "170,-30,190,0",
        "-190,-30,-170,0",
        "170,-30,-170,0",
        "170,-30,190,-30,190,0,170,0",
        "530,-30,550,-30,550,0,530,0",
    ):
        assert inside(lat, lon, shapes([text])).tolist() == [True, True, False], text


def test_neighbours_share_no_spot_and_lose_none() -> None:
    lat, lon = np.meshgrid(np.linspace(-10, 10, 41), np.linspace(-10, 10, 41))
    lat, lon = lat.ravel(), lon.ravel()
    lower, upper = (-12, -12, 12, -12, 12, 12), (-12, -12, 12, 12, -12, 12)
    apart = [inside(lat, lon, [shape]) for shape in (lower, upper)]
    assert not (apart[0] & apart[1]).any()
    assert (apart[0] | apart[1]).all()


def test_several_shapes_are_joined_and_nothing_lies_nowhere() -> None:
    lat, lon = np.array([1.0, 50.0, np.nan]), np.array([1.0, 50.0, np.nan])
    assert inside(lat, lon, [(0, 0, 2, 2), (49, 49, 51, 49, 50, 52)]).tolist() == [True, True, False]
    assert not inside(lat, lon, []).any()


def test_a_pole_is_in_the_box_that_reaches_it() -> None:
    assert inside(np.array([-90.0]), np.array([0.0]), [(-180, -90, 180, -60)]).all()


@pytest.mark.parametrize(
    "text",
    ["", "1", "1,2", "1,2,3", "a,b,c,d", "1,2,3,4,5", "1,2,3,nan", "inf,0,1,1", "0,0,1,91", "0,2,1,1", "0,0,2000,1", "1,,2,3",
     ",".join(["1", "2"] * 201)],
)  # fmt: skip
def test_what_is_no_shape_is_refused(text: str) -> None:
    with pytest.raises(Problem) as refused:
        shapes([text])
    assert refused.value.extra == {"field": "within"}
    assert refused.value.remedy


def test_shapes_are_not_without_end() -> None:
    assert len(shapes(["0,0,1,1"] * 20)) == 20
    assert len(shapes([",".join(["1", "2"] * 200)])[0]) == 400
    with pytest.raises(Problem):
        shapes(["0,0,1,1"] * 21)
