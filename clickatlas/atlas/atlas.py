"""The atlas: all places, their parents, their people and the cluster tree. Read-only and shared."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from clickatlas.atlas.areas import Areas
from clickatlas.atlas.clusters import ClusterTree
from clickatlas.atlas.files import about
from clickatlas.atlas.locate import Locator
from clickatlas.atlas.people import People
from clickatlas.atlas.places import Places
from clickatlas.atlas.sources import Source


@dataclass(frozen=True)
class Atlas:
    """An open atlas. Everything in it is memory-mapped: opening takes milliseconds, memory is shared."""

    folder: Path
    version: str
    built: datetime  # when the City database was built by its maker
    sources: Sequence[Source]
    locator: Locator
    places: Places
    areas: Areas
    clusters: ClusterTree
    people: People

    @classmethod
    def open(cls, folder: Path) -> "Atlas":
        """Open the atlas in `folder` (see `files.current`). Raises `Problem` when it can't be used."""
        facts = about(folder)
        areas = Areas(folder)
        return cls(
            folder=folder,
            version=facts["version"],
            built=datetime.fromisoformat(facts["built"]),
            sources=[Source(**source) for source in facts["sources"]],
            locator=Locator.open(folder),
            places=Places(folder, facts["zones"]),
            areas=areas,
            clusters=ClusterTree(folder, areas),
            people=People(folder, areas),
        )
