"""A column of text whose words repeat, so that work is done once for each word and not once for each place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import compress

import numpy as np
import numpy.typing as npt

Flags = npt.NDArray[np.bool_]
I32 = npt.NDArray[np.int32]
Number = npt.NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class Words:
    """A column of text: its distinct words in order, each of them in use, and the word of every row."""

    words: list[str]
    of_row: I32

    @classmethod
    def of(cls, texts: Sequence[str], of_row: Number) -> Words:
        """The column that has `texts[of_row[i]]` in row i. Texts may repeat, and may be in no row at all."""
        used = np.bincount(of_row, minlength=len(texts)).astype(bool).tolist()
        words = sorted(dict.fromkeys(compress(texts, used)))  # not a set: what is in order sorts in no time
        number = {word: i for i, word in enumerate(words)}
        return cls(words, np.array([number.get(text, -1) for text in texts], np.int32)[of_row])

    def take(self, rows: Flags | Number) -> Words:
        """The column of these rows. As `of`, but without sorting what is in order."""
        of_row = self.of_row[rows]
        used = np.bincount(of_row, minlength=len(self.words)) > 0
        number = np.cumsum(used, dtype=np.int32) - np.int32(1)
        return Words(list(compress(self.words, used.tolist())), number[of_row])

    def joined(self, other: Words) -> Words:
        """This column with the other below it."""
        of_row = np.concatenate([self.of_row, other.of_row + len(self.words)])
        return Words.of(self.words + other.words, of_row)

    def renamed(self, name: Callable[[str], str]) -> Words:
        """The column of `name(word)`."""
        return Words.of([name(word) for word in self.words], self.of_row)

    def paired(self, other: Words, name: Callable[[str, str], str]) -> Words:
        """The column of `name(word, word of the other)`, asked once for each pair that occurs."""
        pair = self.of_row.astype(np.int64) * len(other.words) + other.of_row
        pairs, of_row = np.unique(pair, return_inverse=True)
        both = (divmod(pair, len(other.words)) for pair in pairs.tolist())
        return Words.of([name(self.words[one], other.words[two]) for one, two in both], of_row)

    def where(self, test: Callable[[str], bool]) -> Flags:
        """Which rows have a word that passes the test."""
        return np.array([test(word) for word in self.words], bool)[self.of_row]

    def numbers(self) -> I32:
        """The position of each row's word among the words that say something; -1 for ''."""
        return self.of_row - (self.words[:1] == [""])

    def blank(self) -> Flags:
        """Which rows have no text."""
        return self.where(lambda word: not word)


def hashes(texts: Iterable[str], person: bytes = b"") -> npt.NDArray[np.uint64]:
    """The 64-bit BLAKE2b of each text, of `person` (see `hashlib`). A copied one is ready in half the time of a new."""
    fresh, digests = blake2b(digest_size=8, person=person), []
    for text in texts:
        hashed = fresh.copy()
        hashed.update(text.encode("utf-8", "replace"))
        digests.append(hashed.digest())
    return np.frombuffer(b"".join(digests), ">u8").astype(np.uint64)
