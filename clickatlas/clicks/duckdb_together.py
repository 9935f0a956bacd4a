"""Several questions by groups of places, answered in one pass over the clicks that are kept one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from clickatlas.clicks.cells import Cells
from clickatlas.clicks.duckdb_questions import WORDS, DuckDBQuestions
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.periods import DAY_MS, QUARTER_MS
from clickatlas.clicks.sources import Sources
from clickatlas.clicks.store import (
    GroupTimes,
    GroupWords,
    Integers,
    PlaceClicks,
    PlaceGroups,
    TimesAsked,
    Together,
    Word,
    WordsAsked,
)

CELLS = 1 << 24  # of a question's flat table: 128 MB
WINDOW = 2_000_000  # clicks read at once: 40 MB
MOST = 30_000_000  # clicks that are read for it: of more, rollups tell sooner what they have
SLICE = 1 << 16  # clicks counted at once: they fit the processor's cache
Groups = npt.NDArray[np.int32]


class Table:
    """A flat table that clicks are counted in, by what one of their columns says and the group of their place.

    Has a row and a group more than are asked for, for all that isn't: numbers below 0.
    """

    def __init__(self, column: str, row_of: Integers, rows: int, group_of: Groups, groups: int) -> None:
        self.column = column  # "step", or one of clicks
        self._width = groups + 1
        self.size = (rows + 1) * self._width
        self._row_of = np.where(row_of < 0, rows, row_of).astype(np.int64) * self._width
        self._group_of = np.where(group_of < 0, groups, group_of).astype(np.int64)

    @cached_property
    def _cells(self) -> Integers:
        return np.zeros(self.size, np.int64)

    def add(self, says: npt.NDArray[np.integer], place: npt.NDArray[np.integer]) -> None:
        """Count some clicks; what lies beyond the rows counts with the first or the last."""
        cell = self._row_of.take(says, mode="clip")
        cell += self._group_of.take(place, mode="clip")
        np.add.at(self._cells, cell, 1)

    def told(self, places: PlaceGroups) -> tuple[Integers, Groups, Integers]:
        """Rows, groups as they were asked for, and clicks, where there are any."""
        some = np.flatnonzero(self._cells)
        row, column = np.divmod(some, self._width)
        asked = (row < len(self._cells) // self._width - 1) & (column < self._width - 1)
        some, row, group = some[asked], row[asked], column[asked].astype(np.int32)
        if places.elsewhere is not None:
            group[group == self._width - 2] = places.elsewhere
        return row, group, self._cells[some]


class Asked(NamedTuple):
    """Questions, each with its table: those about times, in steps from `origin` on, before those about words."""

    step: int
    origin: int
    tables: list[Table]
    times: int
    places: list[PlaceGroups]
    names: list[list[str]]

    def tally(self, clicks: Mapping[str, npt.NDArray[np.integer]]) -> None:
        """Count some clicks, given as columns."""
        for at in range(0, len(clicks["place"]), SLICE):
            some = {name: column[at : at + SLICE] for name, column in clicks.items()}
            some["step"] = some["time"] // self.step - self.origin  # DuckDB takes six times as long for it
            for table in self.tables:
                table.add(some[table.column], some["place"])


class DuckDBTogether(DuckDBQuestions):
    """All that is asked, and several questions at once."""

    def group_together(
        self,
        selection: Selection,
        kinds: Sequence[int],
        times: Sequence[TimesAsked],
        words: Sequence[WordsAsked],
        links: Sequence[Integers] = (),
    ) -> Together:
        """What `group_times` and `group_words` say to each of these, and clicks by place of each of some lists of links.

        Where patches tell a part of the times, each question is answered by itself. Else, where all clicks are kept one by
        one, and no link is in two lists, these are read once, in windows: half of what three questions take.
        """
        rolled = [self._grouped(selection, each.edges, kinds, each.places, rolled=True) for each in times]
        left = [each for each, found in zip(times, rolled, strict=True) if found is None]
        together = self._of_singles(selection, kinds, left, words, links)
        rest = iter(together.times)
        return together._replace(times=[next(rest) if found is None else found for found in rolled])

    def _of_singles(
        self,
        selection: Selection,
        kinds: Sequence[int],
        times: Sequence[TimesAsked],
        words: Sequence[WordsAsked],
        links: Sequence[Integers],
    ) -> Together:
        apart = sum(map(len, links)) == len(np.unique(np.concatenate(links))) if links else True
        if apart and times and all(not (asked.edges % QUARTER_MS).any() for asked in times):
            asked = self._asked(times, words)
            parts, clicks = self._parts(selection, links)
            if asked is not None and clicks <= MOST:
                return self._in_one_pass(parts, kinds, asked, len(links))
        told = self._by_list(selection, kinds, links) if apart and links else None
        return Together(
            [self.group_times(selection, asked.edges, kinds, asked.places) for asked in times],
            [self.group_words(selection, asked.word, kinds, asked.places) for asked in words],
            [self._of_links(selection, kinds, of) for of in links] if told is None else told,
        )

    def _by_list(
        self, selection: Selection, kinds: Sequence[int], links: Sequence[Integers]
    ) -> list[PlaceClicks] | None:
        """Clicks of lists of links that have none in common, counted at once; None where rollups tell them sooner, or for all time."""
        with self._sources(selection) as sources:
            if sources.since or sum(group.total for group in sources.groups()) > MOST:
                return None
        chosen = [of if selection.links is None else np.intersect1d(of, selection.links) for of in links]
        grouped: dict[str, npt.NDArray[Any]] = {
            "link": np.concatenate(chosen).astype(np.int64),
            "list": np.repeat(np.arange(len(links), dtype=np.int32), [len(of) for of in chosen]),
        }
        size = max(1, len(self._place_keys))
        with self._sources(replace(selection, links=None), kinds, grouped=grouped) as sources:
            cells = Cells(sources.most(), len(links) * size)
            for kept in ("settled", "incoming"):
                each = f"SELECT list, place FROM {kept} JOIN grouped USING (link){sources.kept()}"
                for rows in sources.pieces(each):
                    known = rows["place"] < size  # places met since are left out
                    if not known.all():
                        rows = {name: column[known] for name, column in rows.items()}
                    cells.add(rows["list"] * np.int64(size) + rows["place"])
        cell, clicks = cells.told()
        of = np.searchsorted(cell, np.arange(len(links) + 1) * size)
        return [
            PlaceClicks(self._place_keys[cell[begin:end] - number * size], clicks[begin:end])
            for number, (begin, end) in enumerate(pairwise(of.tolist()))
        ]

    def _of_links(self, selection: Selection, kinds: Sequence[int], links: Integers) -> PlaceClicks:
        if selection.links is not None:
            links = np.intersect1d(links, np.array(selection.links, np.int64))
        found = self.place_counts(replace(selection, links=tuple(np.sort(links).tolist())))
        wanted = np.isin(found.kinds, np.array(kinds, np.int64))
        keys, at = np.unique(found.keys[wanted], return_inverse=True)
        return PlaceClicks(keys, np.bincount(at, found.clicks[wanted], len(keys)).astype(np.int64))

    def _asked(self, times: Sequence[TimesAsked], words: Sequence[WordsAsked]) -> Asked | None:
        """None where not all clicks are kept one by one, or a table would be too large."""
        step = int(np.gcd.reduce(np.concatenate([asked.edges for asked in times])))
        origin = min(int(asked.edges[0]) for asked in times) // step - 1  # a step before all of them
        steps = max(int(asked.edges[-1]) for asked in times) // step - origin + 1  # and one behind
        begin = (origin + np.arange(steps, dtype=np.int64)) * step
        places = [*(one.places for one in times), *(each.places for each in words)]
        groups = iter(self._width(of) for of in places)
        tables, names = [], []
        for one in times:
            bucket, rows = np.searchsorted(one.edges, begin, side="right") - 1, len(one.edges) - 1
            tables.append(Table("step", np.where(bucket < rows, bucket, -1), rows, *next(groups)))
        with self._sources(Selection()) as sources:
            if sources.since:
                return None
            for each in words:
                column, word_of, known = _words(sources, each.word)
                names.append(known)
                tables.append(Table(column, word_of, len(known), *next(groups)))
        if any(table.size > CELLS for table in tables):
            return None
        return Asked(step, origin, tables, len(times), places, names)

    def _in_one_pass(
        self, parts: Sequence[tuple[Selection, list[int]]], kinds: Sequence[int], asked: Asked, lists: int
    ) -> Together:
        """Lists of links one behind the other, and then all others: to read of each click its link would take longer."""
        of_links = [np.zeros(len(self._place_keys), np.int64) for _ in range(lists)]
        columns = ", ".join(["time", "place", *sorted({table.column for table in asked.tables} - {"step"})])
        for number, (part, cuts) in enumerate(parts):
            with self._sources(part, kinds) as sources:
                first, last = sources.range(DAY_MS)
                for between in pairwise([first, *(cut for cut in cuts if first < cut < last), last]):
                    clicks = sources.ask(f"SELECT {columns} FROM clicks{sources.kept(between=between)}")
                    asked.tally(clicks)
                    if number < lists:
                        found = np.bincount(clicks["place"], minlength=len(of_links[number]))
                        of_links[number] += found[: len(of_links[number])]  # places met since are left out
        told = [table.told(of) for table, of in zip(asked.tables, asked.places, strict=True)]
        return Together(
            [GroupTimes(group, row.astype(np.int32), sums) for row, group, sums in told[: asked.times]],
            [
                GroupWords(group, row.astype(np.int32), sums, known)
                for (row, group, sums), known in zip(told[asked.times :], asked.names, strict=True)
            ],
            [PlaceClicks(self._place_keys[: len(sums)][sums > 0], sums[sums > 0]) for sums in of_links],
        )

    def _width(self, places: PlaceGroups) -> tuple[Groups, int]:
        """By place number its group, and how many groups there are; the last is elsewhere."""
        groups, other = self._group_of(places)
        return groups, other + (places.elsewhere is not None)

    def _parts(
        self, selection: Selection, links: Sequence[Integers]
    ) -> tuple[list[tuple[Selection, list[int]]], int]:
        """The selection by list of links and all others, each with moments between windows of about `WINDOW` clicks; all of these."""
        with self._sources(selection) as sources:
            seen = sources.ask(
                "SELECT link, min(first) AS first, max(last) AS last, sum(clicks)::BIGINT AS clicks FROM (FROM seen"
                " UNION ALL SELECT link, min(time), max(time), count(*) FROM incoming GROUP BY link) GROUP BY link"
            )
        link = seen["link"] if selection.links is None else np.intersect1d(seen["link"], selection.links)
        lists = [np.intersect1d(of, link) for of in links]
        rest = np.setdiff1d(link, np.concatenate(lists)) if lists else link
        parts = []
        for of in [*lists, rest]:
            mine = np.isin(seen["link"], of)
            windows = max(1, -(-int(seen["clicks"][mine].sum()) // WINDOW))
            between = seen["first"][mine].min(initial=1 << 53), seen["last"][mine].max(initial=0) + 1
            chosen = selection.links if not lists else tuple(of.tolist())
            cuts = [int(cut) for cut in np.linspace(*between, windows + 1)[1:-1]]
            parts.append((replace(selection, links=chosen), cuts))
        return parts, int(seen["clicks"][np.isin(seen["link"], link)].sum())


def _words(sources: Sources, word: Word) -> tuple[str, Integers, list[str]]:
    """The column of clicks that tells a word, what each of its numbers means, and the words in order."""
    column, table, name = WORDS[word]
    of = sources.ask(f"SELECT id, {name} AS word FROM {table}")
    known, at = np.unique(np.asarray(of["word"], np.str_), return_inverse=True)
    word_of = np.full(int(of["id"].max(initial=0)) + 1, -1, np.int64)
    word_of[of["id"]] = at
    return column, word_of, known.tolist()
