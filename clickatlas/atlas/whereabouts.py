"""The country and region of a place, by their codes: what a redirector's rules ask for."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from clickatlas.atlas.areas import Level
from clickatlas.atlas.files import load


class Whereabouts:
    """Codes of places, read from the atlas's mapped files; 2 µs a place."""

    def __init__(self, folder: Path) -> None:
        self._country = load(folder, f"place_{Level.COUNTRY}")
        self._region = load(folder, f"place_{Level.REGION}")
        self._ids, self._at = load(folder, "area_id"), load(folder, "area_id_at")
        self._code = lru_cache(maxsize=8192)(self._read)

    def of(self, place: int) -> tuple[str, str]:
        """(country, region) of a place number: ('US', 'US-MA'); '' where not known."""
        return self._code(int(self._country[place])), self._code(int(self._region[place]))

    def _read(self, area: int) -> str:
        if area < 0:
            return ""
        identity = self._ids[self._at[area] : self._at[area + 1]].tobytes().decode()
        return identity.partition(":")[2]
