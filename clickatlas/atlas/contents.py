"""What places are, column by column: made into their order and their keys at build."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.records import UNKNOWN, Content
from clickatlas.atlas.words import Flags, Number, Words, hashes

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
U64 = npt.NDArray[np.uint64]

MOST = 1 << 62  # how many different rows a 64-bit number can tell apart, and some to spare


@dataclass(frozen=True, eq=False)
class Contents:
    """The contents of many places (of all records, while a file is being read): columns as the fields of `Content`."""

    country: Words
    region: Words
    city: Words
    postal: Words
    lat: F64
    lon: F64
    radius: I64
    zone: Words

    @classmethod
    def of(cls, contents: Iterable[Content]) -> Contents:
        """The same as columns."""
        columns = list(zip(*contents, strict=True)) or [()] * len(Content._fields)
        every = np.arange(len(columns[0]))
        country, region, city, postal, zone = (Words.of(columns[i], every) for i in (0, 1, 2, 3, 7))
        lat, lon = (np.array(columns[i], np.float64) for i in (4, 5))
        return cls(country, region, city, postal, lat, lon, np.array(columns[6], np.int64), zone)

    def __len__(self) -> int:
        return int(self.lat.size)

    def take(self, rows: Flags | Number) -> Contents:
        """These rows."""
        return Contents(
            self.country.take(rows),
            self.region.take(rows),
            self.city.take(rows),
            self.postal.take(rows),
            self.lat[rows],
            self.lon[rows],
            self.radius[rows],
            self.zone.take(rows),
        )

    def joined(self, other: Contents) -> Contents:
        """The rows of both, the other's last."""
        return Contents(
            self.country.joined(other.country),
            self.region.joined(other.region),
            self.city.joined(other.city),
            self.postal.joined(other.postal),
            np.concatenate([self.lat, other.lat]),
            np.concatenate([self.lon, other.lon]),
            np.concatenate([self.radius, other.radius]),
            self.zone.joined(other.zone),
        )

    def known(self) -> Flags:
        """Which rows say anything."""
        silent: Flags = (
            (self.lat == UNKNOWN.lat) & (self.lon == UNKNOWN.lon) & (self.radius == UNKNOWN.radius)
        )
        for words in (self.country, self.region, self.city, self.postal, self.zone):
            silent &= words.blank()
        return ~silent

    def ordered(self) -> tuple[I64, I32, U64]:
        """The distinct contents in order: a row of each, every row's position among them, and the key of each.

        The order is that of the lines that keys are made from.
        """
        columns = self._texts()
        number, span = np.zeros(len(self), np.int64), 1
        for words in columns:
            if span * len(words.words) > MOST:
                distinct, number = np.unique(number, return_inverse=True)
                span = distinct.size
            number = number * len(words.words) + words.of_row
            span *= len(words.words)
        _, first, position = np.unique(number, return_index=True, return_inverse=True)
        return first, position.astype(np.int32), _keys(columns, first)

    def keys(self) -> U64:
        """The key of every row: 64 bits, the same on every machine and in every build. Never 0 or 1: reserved."""
        return _keys(self._texts(), np.arange(len(self)))

    def _texts(self) -> tuple[Words, ...]:
        """All columns as text."""
        lat, lon = _formatted(self.lat, ".6f"), _formatted(self.lon, ".6f")
        radius = _formatted(self.radius, "d")
        return self.country, self.region, self.city, self.postal, lat, lon, radius, self.zone


def _formatted(values: F64 | I64, form: str) -> Words:
    """Numbers as text."""
    numbers, of_row = np.unique(values, return_inverse=True)
    return Words.of([format(number, form) for number in numbers.tolist()], of_row)


def _keys(columns: Sequence[Words], rows: Number) -> U64:
    """The keys of rows, made from the content as one line. To change its form is to change every key.

    Costs 1 µs a row. Arrays of objects hand out their strings twice as quickly as lists do.
    """
    texts = (np.array(words.words, object)[words.of_row[rows]].tolist() for words in columns)
    keys = hashes(map("\x1f".join, zip(*texts, strict=True)), person=b"place 1")
    keys[keys <= 1] += np.uint64(2)
    return keys
