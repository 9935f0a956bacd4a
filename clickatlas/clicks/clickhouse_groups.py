"""Clicks by groups of places, with times and words, as a ClickHouse store counts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from clickatlas.clicks.buckets import cut, steps
from clickatlas.clicks.clickhouse_counts import ClickHouseCounts, placed
from clickatlas.clicks.clickhouse_scope import LISTED, among, listed
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.periods import DAY_MS
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

LEFT_OUT = -1


class Grouped:
    """Places and their groups as SQL: `column` of FROM ... `joined`, with the condition `condition`."""

    def __init__(self, places: PlaceGroups) -> None:
        self.other = int(places.groups.max(initial=-1)) + 1
        code = np.where(places.groups < 0, LEFT_OUT, places.groups).astype(np.int64)
        rest = LEFT_OUT
        if places.elsewhere is not None:
            code[places.groups == places.elsewhere] = rest = self.other
        self._elsewhere = places.elsewhere
        mine = code != rest
        keys = np.asarray(places.keys)[mine]
        given = (
            f"(SELECT place, code + 2 AS number FROM (SELECT {listed(keys, 'UInt64')} AS places,"
            f" {listed(code[mine], 'Int32')} AS codes) ARRAY JOIN places AS place, codes AS code)"
        )
        # Where all others are left out, the join leaves them out: a condition on as many places costs as much again.
        # No place is given twice; ANY and SEMI know so, and need not look.
        join = "LEFT SEMI" if rest == LEFT_OUT else "LEFT ANY"
        self.join = f" {join} JOIN {given} AS given USING (place)" if len(keys) else ""
        # A place that is not given has number 0, one to leave out 1.
        self.column = f"if(number = 0, toInt32({rest}), number - 2)" if len(keys) else f"toInt32({rest})"
        self.condition = among("place", keys) if rest == LEFT_OUT and len(keys) <= LISTED else ""

    def named(self, code: npt.NDArray[np.integer]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int32]]:
        """Which rows are wanted, and their groups as they were asked for."""
        wanted = code != LEFT_OUT
        own = code[wanted].astype(np.int32)
        if self._elsewhere is not None:
            own[own == self.other] = self._elsewhere
        return wanted, own


class ClickHouseGroups(ClickHouseCounts):
    """Place x time, place x word."""

    def group_times(
        self, selection: Selection, edges: Integers, kinds: Sequence[int], places: PlaceGroups
    ) -> GroupTimes:
        """Clicks per group and bucket, in the order of buckets and then groups."""
        scope, grouped = self._scope(cut(selection, edges), kinds), Grouped(places)
        step, bucket_of = steps(edges)
        days, rest = placed(scope, edges)
        buckets, codes, counts = [], [], []
        if days:
            source = scope.counted("place_days", "day", days, grouped.condition, join=grouped.join)
            rows = self._server.ask(
                f"SELECT day AS at, {grouped.column} AS code, sum(clicks) AS clicks {source} GROUP BY at, code"
            )
            noon = rows["at"].astype(np.int64) * DAY_MS + DAY_MS // 2
            buckets.append(np.clip(np.searchsorted(edges, noon, side="right") - 1, 0, len(edges) - 2))
            codes.append(rows["code"])
            counts.append(rows["clicks"])
        for span in rest:
            source = scope.clicks(span, grouped.condition, join=grouped.join)
            rows = self._server.ask(
                f"SELECT intDiv(time - {int(edges[0])}, {step}) AS at, {grouped.column} AS code, count() AS clicks {source}"
                " GROUP BY at, code"
            )
            buckets.append(rows["at"] if bucket_of is None else bucket_of[rows["at"]])
            codes.append(rows["code"])
            counts.append(rows["clicks"])
        bucket = np.concatenate([*buckets, np.zeros(0, np.int64)]).astype(np.int64)
        wanted, own = grouped.named(np.concatenate([*codes, np.zeros(0, np.int32)]))
        clicks = np.concatenate([*counts, np.zeros(0, np.int64)]).astype(np.int64)[wanted]
        low, width = int(own.min(initial=0)), int(own.max(initial=0)) - int(own.min(initial=0)) + 1
        cell, at = np.unique(bucket[wanted] * width + (own - low), return_inverse=True)
        return GroupTimes(
            (cell % width + low).astype(np.int32),
            (cell // width).astype(np.int32),
            np.bincount(at, clicks, len(cell)).astype(np.int64),
        )

    def group_words(
        self, selection: Selection, word: Word, kinds: Sequence[int], places: PlaceGroups
    ) -> GroupWords:
        """Clicks per group of places and word, of the clicks that are still kept one by one."""
        scope, grouped = self._scope(selection, kinds), Grouped(places)
        clicks = scope.clicks(scope.range(DAY_MS), grouped.condition, join=grouped.join)
        rows = self._server.ask(
            f"SELECT {word} AS at, {grouped.column} AS code, count() AS clicks {clicks} GROUP BY at, code"
        )
        names, at = np.unique(np.asarray(rows["at"], np.str_), return_inverse=True)
        wanted, own = grouped.named(rows["code"])
        return GroupWords(
            own, at[wanted].astype(np.int32), rows["clicks"][wanted].astype(np.int64), names.tolist()
        )

    def group_together(
        self,
        selection: Selection,
        kinds: Sequence[int],
        times: Sequence[TimesAsked],
        words: Sequence[WordsAsked],
        links: Sequence[Integers] = (),
    ) -> Together:
        """What `group_times` and `group_words` say to each of these, and clicks by place of each of some lists of links."""
        return Together(
            [self.group_times(selection, asked.edges, kinds, asked.places) for asked in times],
            [self.group_words(selection, asked.word, kinds, asked.places) for asked in words],
            self._of_links(selection, kinds, links),
        )

    def _of_links(
        self, selection: Selection, kinds: Sequence[int], links: Sequence[Integers]
    ) -> list[PlaceClicks]:
        """Clicks by place of each list of links, all in one question: a link is in few of them, mostly in one."""
        number = np.concatenate([*links, np.zeros(0, np.int64)])
        lists = np.repeat(np.arange(len(links)), [len(of) for of in links])
        if selection.links is not None:
            mine = np.isin(number, np.array(selection.links, np.int64))
            number, lists = number[mine], lists[mine]
        if not len(number):
            return [PlaceClicks(np.zeros(0, np.uint64), np.zeros(0, np.int64)) for _ in links]
        # Each link is in one of these sets of lists; the join is by that, so that no click is read twice.
        order = np.lexsort((lists, number))
        held, starts = np.unique(number[order], return_index=True)
        of_link = [tuple(each.tolist()) for each in np.split(lists[order], starts[1:])]
        sets = {each: at for at, each in enumerate(dict.fromkeys(of_link))}
        joined = (
            f" LEFT SEMI JOIN (SELECT link, part FROM (SELECT {listed(held, 'Int64')} AS links,"
            f" {listed(np.array([sets[each] for each in of_link]), 'Int32')} AS parts)"
            " ARRAY JOIN links AS link, parts AS part) AS given USING (link)"
        )
        rows = self._by_place(replace(selection, links=tuple(held.tolist())), "place, part", kinds, joined)
        return [
            _added(rows, [at for each, at in sets.items() if which in each]) for which in range(len(links))
        ]


def _added(rows: dict[str, npt.NDArray[np.integer]], parts: Sequence[int]) -> PlaceClicks:
    """Clicks by place of some parts of `rows`."""
    mine = np.isin(rows["part"], np.array(parts, np.int64))
    keys, at = np.unique(rows["place"][mine], return_inverse=True)
    return PlaceClicks(keys, np.bincount(at, rows["clicks"][mine], len(keys)).astype(np.int64))
