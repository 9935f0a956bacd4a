"""What single clicks are read for, rhythm, history, languages and channels, asked of the store at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from clickatlas.api.findings import Asked
from clickatlas.api.offers import Offer, counts_of, links_of, offered
from clickatlas.api.times import (
    HISTORY,
    HUMANS,
    PLACE,
    by_clocks,
    clocks_asked,
    history_of,
    pieces_asked,
    rhythm_name,
)
from clickatlas.api.tongues import LANGUAGES, by_country, words_asked
from clickatlas.insight.counts import Counts


@dataclass(frozen=True)
class Read:
    """What was read: `remember` puts the answers where their questions look, `channels` are clicks by channel."""

    remember: Callable[[], None]
    channels: Callable[[], dict[str, Counts]]


def read(about: Asked, clock: str) -> Read | None:
    """One pass over the clicks, where that is possible.

    By the reader's clock, for other network kinds than people's, and with `min_cell` each question asks for itself: None.
    """
    questions, wanted = about.opened.questions, about.wanted
    if clock != PLACE or wanted.holds:
        return None
    asked = questions.ask(about.workspace, wanted)
    span = questions.span(about.workspace, wanted)
    if span is None or asked.kinds != HUMANS:
        return None
    divided = pieces_asked(asked, span)
    if divided.question is None:
        return None
    (quarters, zones), (words, country) = clocks_asked(asked, span), words_asked(asked)
    channels = offered(about, Offer.CHANNEL)
    channels = channels if len(channels) > 1 else []
    links = [links_of(about, Offer.CHANNEL, name) for name in channels]
    found = about.opened.store.group_together(
        asked.selection, asked.kinds, [quarters, divided.question], [words], links
    )
    times, weeks = found.times

    def remember() -> None:
        about.kept(rhythm_name(about, local=True), lambda: by_clocks(zones, span, quarters.edges, times))
        about.kept(HISTORY, lambda: history_of(about, asked, divided, weeks))
        about.kept(LANGUAGES, lambda: by_country(about, asked, country, found.words[0]))

    return Read(
        remember,
        lambda: {name: counts_of(about, of) for name, of in zip(channels, found.links, strict=True)},
    )
