"""Every place's coarse twin says its region or country, and nothing finer."""

import numpy as np

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.coarse import coarse
from clickatlas.atlas.places import NOWHERE, PRIVATE


def test_a_coarse_place_is_a_region_or_a_country(atlas: Atlas) -> None:
    twin = coarse(atlas.folder)
    area = {level: np.asarray(column) for level, column in atlas.places.area.items()}
    assert twin.shape == (len(atlas.places),)
    assert (twin[NOWHERE], twin[PRIVATE]) == (NOWHERE, PRIVATE)
    assert np.asarray(atlas.places.unplaced)[twin].all()
    for level in (Level.METRO, Level.COUNTY, Level.CITY, Level.POSTAL):
        assert (area[level][twin] == -1).all()
    country, region = area[Level.COUNTRY], area[Level.REGION]
    assert np.array_equal(country[twin], country)  # a country is never lost, nor another's
    kept = region[twin]
    assert ((kept == region) | (kept == -1)).all()
    # All US states are known by themselves; most of the world's addresses keep their region.
    assert (kept == region)[country == atlas.areas.number("country:US")].all()
    weight = np.asarray(atlas.places.addresses)
    assert weight[(kept == region)].sum() > 0.9 * weight.sum()
    assert np.array_equal(twin[twin], twin)
