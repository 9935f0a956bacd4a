"""Who clicked, as far as may be known: visitors of a day, and the apps and pages that they came from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from clickatlas.clicks.buckets import cut
from clickatlas.clicks.duckdb_together import DuckDBTogether
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.periods import DAY_MS, QUARTER_MS
from clickatlas.clicks.store import Integers, VisitorCounts


class DuckDBVisitors(DuckDBTogether):
    """All that is asked of single clicks' visitors; nothing else reads the hashes."""

    def visitor_counts(
        self,
        selection: Selection,
        edges: Integers,
        kinds: Sequence[int],
        places: npt.NDArray[np.uint64] | None = None,
    ) -> VisitorCounts:
        """Visitors between each two of `edges` (ms UTC, whole quarters of an hour), of the clicks kept one by one.

        A hash is one person's, on one link, of one UTC day: within that they are counted exactly. Over more, `most`
        takes all for different people, `least` for the same.
        """
        quarters = np.arange(int(edges[0]) // QUARTER_MS, -(-int(edges[-1]) // QUARTER_MS), dtype=np.int64)
        bucket = np.searchsorted(edges, quarters * QUARTER_MS, side="right") - 1
        with self._sources(cut(selection, edges), kinds) as sources:
            sources.register("buckets", {"quarter": quarters, "bucket": bucket.astype(np.int32)})
            cells = sources.ask(
                f"SELECT bucket, count(*)::BIGINT AS visitors, sum(clicks)::BIGINT AS clicks FROM (SELECT bucket, link,"
                f" time // {DAY_MS} AS day, visitor, count(*) AS clicks FROM clicks JOIN buckets"
                f" ON quarter = time // {QUARTER_MS}{sources.kept(places)} GROUP BY bucket, link, day, visitor)"
                " WHERE visitor <> 0 GROUP BY bucket, link, day"
            )
            unknown = sources.ask(
                f"SELECT bucket, count(*)::BIGINT AS clicks FROM clicks JOIN buckets ON quarter = time // {QUARTER_MS}"
                f"{sources.kept(places, also='visitor = 0')} GROUP BY bucket"
            )
        size = len(edges) - 1
        least, most, clicks, none = (np.zeros(size, np.int64) for _ in range(4))
        np.maximum.at(least, cells["bucket"], cells["visitors"])
        np.add.at(most, cells["bucket"], cells["visitors"])
        np.add.at(clicks, cells["bucket"], cells["clicks"])
        np.add.at(none, unknown["bucket"], unknown["clicks"])
        return VisitorCounts(least, most, clicks, none)

    def origin_counts(
        self,
        selection: Selection,
        kinds: Sequence[int],
        places: npt.NDArray[np.uint64] | None = None,
    ) -> dict[tuple[str, str], int]:
        """Clicks per browser and referring host, "" where that is not known, of the clicks kept one by one."""
        with self._sources(selection, kinds) as sources:
            columns = sources.ask(
                "SELECT browser, host, sum(clicks)::BIGINT AS clicks FROM (SELECT agent, referrer, count(*) AS clicks"
                f" FROM clicks{sources.kept(places)} GROUP BY agent, referrer) c JOIN agents ON agents.id = c.agent"
                " JOIN referrers ON referrers.id = c.referrer GROUP BY browser, host"
            )
        pairs = zip(columns["browser"].tolist(), columns["host"].tolist(), strict=True)
        return dict(zip(pairs, columns["clicks"].tolist(), strict=True))
