"""The places of a City file: every network's leaf, and every distinct data record decoded once."""

from collections.abc import Iterator
from pathlib import Path
from socket import AF_INET6, inet_ntoa, inet_ntop

import maxminddb
import numpy as np
import numpy.typing as npt

from clickatlas.atlas.columns import read_columns
from clickatlas.atlas.contents import Contents
from clickatlas.atlas.files import unusable
from clickatlas.atlas.records import Content, Names, read
from clickatlas.atlas.section import Section, Unusual
from clickatlas.atlas.tree import Alias, Leaves, Tree, walk
from clickatlas.progress import Progress


class CityData:
    """All networks of one or more City files (one per IP version in some layouts) and what they say."""

    def __init__(self) -> None:
        self.names = Names()
        self.contents = Contents.of(())  # of every record; many are equal
        self.v4: list[tuple[Leaves, npt.NDArray[np.int32]]] = []  # leaves, and the row of `contents` of each
        self.v6: list[tuple[Leaves, npt.NDArray[np.int32]]] = []
        self.aliases: list[Alias] = []
        self.built = 0  # Unix seconds, of the newest file
        self.kind = ""  # what the file says it is, such as GeoLite2-City

    def add(self, file: Path, progress: Progress) -> None:
        """Read one MMDB file. Raises `Problem` when it isn't one."""
        try:
            reader = maxminddb.open_database(str(file), maxminddb.MODE_MMAP_EXT)
        except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
            raise unusable(
                f"{file.name} is no City database: {error}.", "Give a City file in MaxMind's .mmdb format."
            ) from error
        with reader:
            meta = reader.metadata()
            self.built, self.kind = max(self.built, meta.build_epoch), meta.database_type
            progress.step(f"walking the networks of {file.name}")
            tree = walk(file)
            self.aliases += tree.aliases
            progress.step(f"reading the places of {file.name}")
            records = _records(tree)
            try:
                contents = read_columns(Section.of(file, meta), records, self.names)
            except Unusual:
                leaves = _one_leaf_each(tree)[records]
                contents = Contents.of(_one_by_one(reader, tree, leaves, self.names, progress))
        # A table over the whole data section, 120 MB for GeoLite2-City, is many times quicker than a search.
        row = np.empty(int(records.max(initial=0)) + 1, np.int32)
        row[records] = np.arange(len(self.contents), len(self.contents) + records.size, dtype=np.int32)
        self.contents = self.contents.joined(contents)
        self.v4.append((tree.v4, row[tree.v4.record]))
        self.v6.append((tree.v6, row[tree.v6.record]))


def _one_by_one(
    reader: maxminddb.Reader, tree: Tree, leaves: npt.NDArray[np.int32], names: Names, progress: Progress
) -> list[Content]:
    """Any layout, by the C reader: some 20 µs a record."""
    contents = []
    for i, address in enumerate(_addresses(tree, leaves)):
        contents.append(read(reader.get(address), names))
        if i % 16384 == 0:
            progress.advance(i / leaves.size)
    return contents


def _records(tree: Tree) -> npt.NDArray[np.int64]:
    """The distinct record numbers of all leaves, ascending: a mark for each is quicker than sorting them."""
    marks = np.zeros(_most(tree) + 1, np.bool_)
    marks[tree.v4.record] = True
    marks[tree.v6.record] = True
    return np.flatnonzero(marks)


def _most(tree: Tree) -> int:
    return max(int(leaves.record.max(initial=0)) for leaves in (tree.v4, tree.v6))


def _one_leaf_each(tree: Tree) -> npt.NDArray[np.int32]:
    """For every possible record number one of its leaves (IPv4 ones counted first), -1 where it has none."""
    four, six = tree.v4.record, tree.v6.record
    table = np.full(_most(tree) + 1, -1, np.int32)
    table[six] = np.arange(four.size, four.size + six.size, dtype=np.int32)
    table[four] = np.arange(four.size, dtype=np.int32)
    return table


def _addresses(tree: Tree, leaves: npt.NDArray[np.int32]) -> Iterator[str]:
    """An address in each of the `leaves`."""
    v4, v6 = tree.v4, tree.v6
    for leaf in leaves.tolist():
        if leaf < v4.hi.size:
            yield inet_ntoa(v4.hi[leaf].byteswap().tobytes()[:4])
        else:
            at = leaf - v4.hi.size
            yield inet_ntop(AF_INET6, v6.hi[at].byteswap().tobytes() + v6.lo[at].byteswap().tobytes())
