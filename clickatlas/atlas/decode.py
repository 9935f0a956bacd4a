"""The places of a City file: every network's leaf, and every distinct data record decoded once."""

import gc
import socket
from collections.abc import Iterator
from pathlib import Path

import maxminddb
import numpy as np
import numpy.typing as npt

from clickatlas.atlas.files import unusable
from clickatlas.atlas.records import Content, Names, read
from clickatlas.atlas.tree import Alias, Leaves, walk
from clickatlas.progress import Progress


class CityData:
    """All networks of one or more City files (one per IP version in some layouts) and what they say."""

    def __init__(self) -> None:
        self.names = Names()
        self.numbers: dict[Content, int] = {}  # content to its number, in order of appearance
        self.v4: list[tuple[Leaves, npt.NDArray[np.int32]]] = []  # leaves, and the content number of each
        self.v6: list[tuple[Leaves, npt.NDArray[np.int32]]] = []
        self.aliases: list[Alias] = []
        self.built = 0  # Unix seconds, of the newest file

    def add(self, file: Path, progress: Progress) -> None:
        """Read one MMDB file.

        The C reader decodes a record in about 12 µs, so the 343,000 distinct ones of GeoLite2-City take some
        4 s, where asking it for each of the 5.8 million networks would take over a minute.
        """
        try:
            reader = maxminddb.open_database(str(file), maxminddb.MODE_MMAP_EXT)
        except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
            raise unusable(
                f"{file.name} is no City database: {error}.", "Give a City file in MaxMind's .mmdb format."
            ) from error
        with reader:
            self.built = max(self.built, reader.metadata().build_epoch)
            progress.step(f"walking the networks of {file.name}")
            tree = walk(file)
            self.aliases += tree.aliases
            progress.step(f"reading the places of {file.name}")
            four, six = tree.v4.record.size, tree.v6.record.size
            records, first, which = np.unique(
                np.concatenate([tree.v4.record, tree.v6.record]), return_index=True, return_inverse=True
            )
            number = np.empty(records.size, np.int32)
            # A cyclic collection over a million young dicts finds nothing and doubles the time.
            collecting = gc.isenabled()
            gc.disable()
            try:
                for i, address in enumerate(_addresses(tree.v4, tree.v6, first)):
                    content = read(reader.get(address), self.names)
                    number[i] = self.numbers.setdefault(content, len(self.numbers))
                    if i % 16384 == 0:
                        progress.advance(i / records.size)
            finally:
                if collecting:
                    gc.enable()
        of_leaf = number[which]
        self.v4.append((tree.v4, of_leaf[:four]))
        self.v6.append((tree.v6, of_leaf[four : four + six]))


def _addresses(v4: Leaves, v6: Leaves, at: npt.NDArray[np.intp]) -> Iterator[str]:
    """An address in each of the leaves `at`, IPv4 counted before IPv6."""
    for i in at.tolist():
        if i < v4.hi.size:
            yield socket.inet_ntoa((int(v4.hi[i]) >> 32).to_bytes(4, "big"))
        else:
            j = i - v4.hi.size
            packed = int(v6.hi[j]).to_bytes(8, "big") + int(v6.lo[j]).to_bytes(8, "big")
            yield socket.inet_ntop(socket.AF_INET6, packed)
