"""What the workers that answer short links left behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from clickatlas.doctor.finding import Finding, warning
from clickatlas.faults import FAULTS, Cause
from clickatlas.redirect.pulse import Vitals


def lost(streets: Sequence[Vitals]) -> Iterator[Finding]:
    """A finding where clicks were lost, ever."""
    if clicks := sum(street.lost for street in streets):
        when = datetime.fromtimestamp(max(street.lost_at for street in streets), UTC)
        redirects = sum(street.redirects for street in streets)
        yield warning(
            "clicks_were_lost",
            f"Of {redirects:,} redirects {clicks:,} could not be written down, the last at {when:%Y-%m-%d %H:%M:%S} UTC.",
            FAULTS[Cause.LOSING].mend,
        )
