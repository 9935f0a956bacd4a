"""Areas: what places belong to. Country, region, metro, county, city, postal code, each with a stable id."""

import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.files import load, save, unusable
from clickatlas.atlas.words import hashes


class Level(StrEnum):
    """Levels of areas, the widest first."""

    COUNTRY = "country"
    REGION = "region"
    METRO = "metro"
    COUNTY = "county"
    CITY = "city"
    POSTAL = "postal"


LEVELS = tuple(Level)
TEXTS = ("id", "name", "label")  # columns of text, each a blob of UTF-8 and its offsets
# For comparing: letters that no accent is taken off of, and what stands between words or in them.
PLAIN = str.maketrans(
    {"ł": "l", "ø": "o", "ı": "i", "æ": "ae", "œ": "oe", "đ": "d", "ħ": "h", "ð": "d", "ǝ": "e", "þ": "th"}
    | dict.fromkeys("-–—/", " ")
    | dict.fromkeys(".,'’‘ʻ”", "")
)


class Areas:
    """One row per area, by area number. Numbers are good for one atlas; ids (`zip:02139`) for ever."""

    def __init__(self, folder: Path) -> None:
        self._text = {name: (load(folder, f"area_{name}"), load(folder, f"area_{name}_at")) for name in TEXTS}
        self._level = load(folder, "area_level")
        self._above = load(
            folder, "area_above"
        )  # (areas, levels): the area at each level that holds it, or -1
        self._spot = load(folder, "area_spot")  # (areas, 2): lat, lon
        self._bbox = load(folder, "area_bbox")
        self._population = load(folder, "area_population")
        self._hash, self._hash_area = load(folder, "area_hash"), load(folder, "area_hash_area")
        self._search_at, self._search_area = load(folder, "area_search_at"), load(folder, "area_search_area")
        self._search_file = folder / "area_search.txt"
        self._search_text = b""  # read at the first search; bytes.find is many times quicker than mmap's

    def __len__(self) -> int:
        return int(self._level.size)

    def id(self, number: int) -> str:
        """Such as `country:US`, `region:US-MA`, `metro:14460`, `county:25017`, `city:4931972`."""
        return self._read("id", number)

    def name(self, number: int) -> str:
        """In English; a postal area's name is its postal code."""
        return self._read("name", number)

    def label(self, number: int) -> str:
        """The name for a map: as `name`, but 'Boston metro' for a metro's long one."""
        return self._read("label", number) or self._read("name", number)

    def level(self, number: int) -> Level:
        """Which of the six levels."""
        return LEVELS[int(self._level[number])]

    def levels(self) -> npt.NDArray[np.int8]:
        """Position in `LEVELS` of every area."""
        return self._level

    def code(self, number: int) -> str:
        """The id without its kind: 'US', 'US-MA', '14460', '02139', 'GB-RG12'."""
        return self.id(number).partition(":")[2]

    def country(self, number: int) -> str:
        """ISO 3166-1 alpha-2, or '' where the database doesn't say."""
        at = number if self._level[number] == 0 else int(self._above[number, 0])
        return self.code(at) if at >= 0 else ""

    def flag(self, number: int) -> str:
        """The country's flag as an emoji, or ''."""
        return "".join(chr(ord(letter) + 127397) for letter in self.country(number))

    def above(self, number: int, level: Level) -> int:
        """The area at `level` that holds most of this one, or -1. For its own level: itself."""
        at = LEVELS.index(level)
        return number if self._level[number] == at else int(self._above[number, at])

    def ancestors(self, number: int) -> list[int]:
        """What holds this area, the widest first; where it straddles two, the one that holds most of it."""
        return [int(a) for a in self._above[number, : self._level[number]] if a >= 0]

    def parent(self, number: int) -> int:
        """The closest of the ancestors, or -1."""
        return next(reversed(self.ancestors(number)), -1)

    def lat(self, number: int) -> float:
        """Degrees; where its people are rather than the middle of its outline. NaN where not known."""
        return float(self._spot[number, 0])

    def lon(self, number: int) -> float:
        """Degrees; see `lat`."""
        return float(self._spot[number, 1])

    def bbox(self, number: int) -> list[float] | None:
        """[west, south, east, north] in degrees. Where the area crosses the date line, west > east."""
        box = self._bbox[number]
        return None if np.isnan(box[0]) else [round(float(side), 5) for side in box]

    def population(self, number: int) -> int | None:
        """Residents, or None where no source says."""
        people = int(self._population[number])
        return None if people < 0 else people

    def populations(self) -> npt.NDArray[np.int64]:
        """Residents of every area, -1 where no source says."""
        return self._population

    def number(self, area_id: str) -> int | None:
        """The number of an id, or None where this atlas has no such area."""
        want = hashes([area_id])[0]
        at = int(np.searchsorted(self._hash, want))
        while at < self._hash.size and self._hash[at] == want:
            if self.id(found := int(self._hash_area[at])) == area_id:
                return found
            at += 1
        return None

    def search(self, text: str, limit: int = 20) -> list[int]:
        """Areas whose name or code begins with `text`, or has a word that does; the most people first.

        Accents, case and punctuation don't matter; a whole id (`zip:02139`) is found as well. The text of all
        areas lies in order of importance, so that a scan may stop at the first `limit` hits (about 1 ms for a
        word that occurs nowhere, several for one that few areas begin with).
        """
        wanted = fold(text).encode("utf-8", "replace")
        if not wanted or limit < 1:
            return []
        named = self.number(text.strip())
        found = {} if named is None else {named: None}
        self._search_text = self._search_text or self._search_file.read_bytes()
        if wanted not in self._search_text:
            return list(found)
        # The whole code, the whole name, the start of a name, of a code, of a word.
        for before, after in ((b"\t", b"\n"), (b"\n", b"\t"), (b"\n", b""), (b"\t", b""), (b" ", b"")):
            self._scan(before + wanted + after, limit, found)
            if len(found) >= limit:
                break
        return list(found)[:limit]

    def _scan(self, pattern: bytes, limit: int, found: dict[int, None]) -> None:
        at = self._search_text.find(pattern)
        while at >= 0 and len(found) < limit:
            row = int(np.searchsorted(self._search_at, at, side="right")) - 1
            found[int(self._search_area[row])] = None
            if row + 1 >= self._search_at.size:
                break
            at = self._search_text.find(pattern, int(self._search_at[row + 1]))

    def _read(self, column: str, number: int) -> str:
        if not 0 <= number < len(self):
            raise IndexError(f"no area {number}")
        blob, at = self._text[column]
        return blob[at[number] : at[number + 1]].tobytes().decode()


def fold(text: str) -> str:
    """Lower case without accents and punctuation, for comparing what people type: 'St Louis', 'lodz', 'us ma'."""
    plain = text.lower()
    if plain.isascii():
        if plain.isalnum():  # most codes and every other name: this alone halves the time
            return plain
    else:
        plain = "".join(
            c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c)
        )
    return " ".join(plain.translate(PLAIN).split())


def save_texts(folder: Path, ids: Sequence[str], names: Sequence[str], labels: Sequence[str]) -> None:
    """Write the text columns and the id index. Raises `Problem` when an id occurs twice."""
    if len(set(ids)) != len(ids):
        raise unusable("Two areas have one id.", "Please report this, with the City database it came from.")
    for column, texts in (("id", ids), ("name", names), ("label", labels)):
        coded = [text.encode() for text in texts]
        at = np.zeros(len(coded) + 1, np.int64)
        np.cumsum([len(text) for text in coded], out=at[1:])
        save(folder, f"area_{column}", np.frombuffer(b"".join(coded) or b"\0", np.uint8))
        save(folder, f"area_{column}_at", at)
    hashed = hashes(ids)
    order = np.argsort(hashed)
    save(folder, "area_hash", hashed[order])
    save(folder, "area_hash_area", order.astype(np.int32))


def save_search(
    folder: Path, ids: Sequence[str], names: Sequence[str], importance: npt.NDArray[np.float64]
) -> None:
    """Write what `search` scans: a line per area, name, tab, code, the most important first."""
    order = np.argsort(-importance, kind="stable")
    lines = []
    for i in order.tolist():
        name, code = names[i], ids[i].partition(":")[2]
        plain = fold(name)
        lines.append(f"\n{plain}\t{plain if code == name else fold(code)}".encode())
    at = np.zeros(len(lines), np.int64)
    np.cumsum([len(line) for line in lines[:-1]], out=at[1:])
    (folder / "area_search.txt").write_bytes(b"".join(lines) + b"\n")
    save(folder, "area_search_at", at)
    save(folder, "area_search_area", order.astype(np.int32))
