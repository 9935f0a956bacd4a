"""A data folder without a server, to import into, and what stands in its spool then."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.clicks.segments import Segment, segments
from clickatlas.imports.importer import Choices
from clickatlas.imports.report import Report
from clickatlas.imports.run import Into, import_path
from clickatlas.links import keys
from clickatlas.links.database import LinksDatabase
from clickatlas.links.links import LinkDraft, create
from clickatlas.settings import Settings

RECORDED = Path(__file__).parent / "recorded"


@dataclass
class Desk:
    """Where tests import to."""

    into: Into

    @classmethod
    def made(cls, data: Path, atlas: Atlas, **settings: Any) -> Desk:
        chosen = Settings(data=data, **settings)
        data.mkdir(parents=True, exist_ok=True)
        database = LinksDatabase(data)
        database.migrate()
        with database.writing() as session:
            person, workspace = keys.owner(session)
        return cls(Into(chosen, atlas, database, workspace, person))

    def link(self, code: str, url: str = "https://example.com/") -> int:
        with self.into.database.writing() as session:
            return create(session, self.into.workspace, LinkDraft(url=url, code=code)).id

    def bring_in(self, path: Path, mapping: dict[str, str] | None = None, **choices: Any) -> Report:
        report = Report()
        import_path(self.into, path, mapping or {}, Choices(**choices), report)
        return report

    def records(self) -> np.ndarray[Any, Any]:
        """All click records in the spool."""
        found = []
        for stream in sorted((self.into.settings.data / "spool").glob("*")):
            for path in segments(stream):
                segment = Segment(path)
                while len(some := segment.read()):
                    found.append(some)
        return np.concatenate(found) if found else np.zeros(0)

    def countries(self) -> Counter[str]:
        """Clicks by country, "" for nowhere."""
        atlas = self.into.atlas
        numbers = atlas.places.number_of(self.records()["place"].astype(np.uint64))
        areas = (int(atlas.places.area[Level.COUNTRY][n]) for n in numbers)
        return Counter(atlas.areas.code(a) if a >= 0 else "" for a in areas)

    def has_on_disk(self, secret: bytes) -> list[str]:
        """Files of the data folder that hold `secret`."""
        data = self.into.settings.data
        return [
            str(path.relative_to(data))
            for path in data.rglob("*")
            if path.is_file() and not path.is_symlink() and secret in path.read_bytes()
        ]
