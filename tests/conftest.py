"""Fixtures that all tests share."""

from tests.atlas_fixtures import atlas, atlas_root

__all__ = ["atlas", "atlas_root"]
