"""Our tile encoder, read back by an independent decoder."""

import mapbox_vector_tile
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from clickatlas.insight import mvt


def decoded(data: bytes) -> dict:
    return mapbox_vector_tile.decode(data, default_options={"y_coord_down": True})


POINT = st.tuples(
    st.integers(0, mvt.EXTENT - 1),
    st.integers(0, mvt.EXTENT - 1),
    st.integers(0, 2**53),
    st.text(max_size=40).filter(lambda text: "\x00" not in text),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(POINT, min_size=1, max_size=60))
def test_points_come_back_as_they_went_in(points: list[tuple[int, int, int, str]]) -> None:
    x, y, clicks, names = (list(column) for column in zip(*points, strict=True))
    data = mvt.layer("somewhere", np.array(x), np.array(y), {"clicks": np.array(clicks), "name": names})
    layer = decoded(data)["somewhere"]
    assert (layer["extent"], layer["version"]) == (4096, 2)
    found = [
        (*feature["geometry"]["coordinates"], feature["properties"]["clicks"], feature["properties"]["name"])
        for feature in layer["features"]
    ]
    assert found == points


def test_layers_stand_behind_each_other() -> None:
    one = np.array([1])
    data = mvt.layer("a", one, one, {"n": one}) + mvt.layer("b", one, one, {"n": one})
    assert set(decoded(data)) == {"a", "b"}


def test_no_points_are_no_bytes() -> None:
    empty = np.empty(0, np.int64)
    assert mvt.layer("a", empty, empty, {"n": empty}) == b""
