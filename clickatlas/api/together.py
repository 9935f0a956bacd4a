"""What single clicks are read for, rhythm, history, languages and offers, asked of the store at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from clickatlas.api.findings import Asked
from clickatlas.api.offers import Listed, Offer, classes, counts_of
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
from clickatlas.clicks.store import Integers
from clickatlas.insight.counts import Counts

MOST_LISTS = 24  # of links: each is read by itself


@dataclass(frozen=True)
class Read:
    """What was read: `remember` puts the answers where their questions look, `offers` are clicks by channel, or by tag.

    They are empty for a sort that was not read.
    """

    remember: Callable[[], None]
    offers: Callable[[Offer], dict[str, Counts]]


def read(about: Asked, clock: str, sorts: Mapping[Offer, Mapping[str, Integers]]) -> Read | None:
    """One pass over the clicks, where that is possible; `sorts` are the offers to count, and their links.

    Links are read by what they are offered as, which tags may share. Where that would make too many lists,
    those of the first sort alone are read. By the reader's clock, for other network kinds than people's,
    and with `min_cell` each question asks for itself: None.
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
    offers = [(by, name) for by, named in sorts.items() for name in named]
    links, made_of = classes([sorts[by][name] for by, name in offers])
    if len(links) > MOST_LISTS:
        offers = [(by, name) for by, name in offers if by is offers[0][0]]
        links, made_of = classes([sorts[by][name] for by, name in offers])
    found = about.opened.store.group_together(
        asked.selection, asked.kinds, [quarters, divided.question], [words], links
    )
    times, weeks = found.times
    lists = [Listed.of(about, of) for of in found.links]

    def remember() -> None:
        about.kept(rhythm_name(about, local=True), lambda: by_clocks(zones, span, quarters.edges, times))
        about.kept(HISTORY, lambda: history_of(about, asked, divided, weeks))
        about.kept(LANGUAGES, lambda: by_country(about, asked, country, found.words[0]))

    def counted(by: Offer) -> dict[str, Counts]:
        return {
            name: counts_of(about, [lists[at] for at in made])
            for (sort, name), made in zip(offers, made_of, strict=True)
            if sort is by
        }

    return Read(remember, counted)
