"""Fixtures that all tests share."""

import httpx._config
from hypothesis import settings

from tests.atlas_fixtures import atlas, atlas_root
from tests.postgres import database_url, databases, postgres_url, shared_postgres_url

__all__ = ["atlas", "atlas_root", "database_url", "databases", "postgres_url", "shared_postgres_url"]

# httpx gives up after 5 s of its own accord, which tests beside tests may take: what is slow is said by the benchmarks.
PATIENT = httpx._config.DEFAULT_TIMEOUT_CONFIG
PATIENT.read = PATIENT.connect = PATIENT.pool = PATIENT.write = 30.0

# Nor has an example of a property to be ready within 200 ms.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
