"""A visitor's hash as the stores keep it: 32 bits of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def short(visitor: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint32]:
    """The lower half, and 1 where that would say that nobody is known; in SQL it is `duckdb_file.SHORT_VISITOR`."""
    found = visitor.astype(np.uint32)
    found[(found == 0) & (visitor != 0)] = 1
    return found
