"""Findings: what insights are worked out from, asked for once per filter, and what was found, kept for a while."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from clickatlas.api.house import House
from clickatlas.api.questions import Snapshot
from clickatlas.api.sides import UNNAMED, names
from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.clicks.filter import Filter
from clickatlas.insight.baseline import ENOUGH, Baseline, Name, chosen
from clickatlas.insight.counts import Counts
from clickatlas.insight.measures import Expectation, Residents

V = TypeVar("V")


@dataclass(frozen=True)
class Asked:
    """What insights are asked about: a workspace's clicks, held against something."""

    opened: House
    workspace: int
    wanted: Filter
    second: Filter | None = None  # the other side of a difference
    baseline: Name | None = None  # None: what fits

    @cached_property
    def snapshot(self) -> Snapshot:
        """Counts of the filter, at one moment."""
        return self.opened.questions.snapshot(self.workspace, self.wanted)

    @property
    def atlas(self) -> Atlas:
        """Whose areas the findings name."""
        return self.snapshot.atlas

    @property
    def counts(self) -> Counts:
        """Clicks per place."""
        return self.snapshot.counts

    @property
    def least(self) -> int:
        """No area with fewer clicks may be named; 0: any may."""
        return self.counts.held.least if self.counts.held else 0

    @property
    def expectation(self) -> Expectation:
        """What they would be as people live."""
        return self.snapshot.heat.expectation

    @property
    def people(self) -> Residents:
        """Who lives where, of the atlas."""
        return self.expectation.people

    @cached_property
    def others(self) -> Counts | None:
        """All clicks of other links under the same filter; None where there are none, as without any link chosen."""
        wanted = self.wanted
        everything = replace(wanted, links=(), campaigns=(), channels=(), tags=())
        if everything == wanted:
            return None
        whole = self._same_atlas(everything)
        if whole is None:
            return None
        clicks = whole.clicks - self.counts.clicks
        if self.counts.held is None:  # else each plan puts clicks elsewhere, and only sums by area are right
            clicks = np.maximum(clicks, 0)
        if clicks.sum() <= 0:
            return None
        return replace(whole, clicks=clicks)

    @property
    def baseline_used(self) -> Name:
        """What clicks are held against."""
        if self.baseline == "population" or self.others is None:
            return "population"
        if self.baseline is None and self.others.total < ENOUGH * max(self.counts.total, 1):
            return "population"
        return "others"

    def held_against(self, level: Level) -> Baseline:
        """What clicks are held against at a level, each of which is worked out once."""
        return self.kept(
            ("baseline", level),
            lambda: chosen(self.expectation, level, self.others, name=self.baseline_used),
        )

    @cached_property
    def other_side(self) -> Counts | None:
        """Clicks per place of the second filter."""
        return None if self.second is None else self._same_atlas(self.second)

    @property
    def names(self) -> tuple[str, str]:
        """What the two sides are called in sentences."""
        return UNNAMED if self.second is None else names(self.wanted, self.second)

    def _same_atlas(self, wanted: Filter) -> Counts | None:
        found = self.opened.questions.snapshot(self.workspace, wanted)
        return found.counts if found.atlas is self.atlas else None

    @cached_property
    def _known(self) -> dict[Hashable, Any]:
        return {}

    def once(self, name: Hashable, make: Callable[[], V]) -> V:
        """What `make` makes, remembered as long as this is asked: it may change without a click."""
        if name not in self._known:
            self._known[name] = make()
        found: V = self._known[name]
        return found

    @cached_property
    def _filters(self) -> Hashable:
        """What it is about, asked for once: a dozen questions would each read the links again."""
        filters = [self.wanted, *([self.second] if self.second else [])]
        return self.opened.questions.about(self.workspace, filters)

    def kept(self, name: Hashable, make: Callable[[], V]) -> V:
        """What `make` makes, remembered for this filter, baseline and second filter."""
        return self.opened.questions.found((name, self.baseline), self._filters, make)
