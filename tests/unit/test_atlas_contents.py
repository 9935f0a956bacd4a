"""Places by columns: the same as place by place."""

from hashlib import blake2b

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clickatlas.atlas.contents import Contents
from clickatlas.atlas.records import NO_COORDINATE, UNKNOWN, Content
from clickatlas.atlas.words import Words

texts = st.lists(st.sampled_from(["", "a", "b", "ab", "é"]), min_size=1, max_size=12)
degrees = st.sampled_from([NO_COORDINATE, 0.0, 9.5, 10.25, -10.25, -9.5])
word = st.sampled_from(["", "US", "DE", "D"])
contents = st.lists(
    st.builds(Content, word, word, word, word, degrees, degrees, st.sampled_from([0, 5, 20, 100]), word)
    | st.just(UNKNOWN),
    max_size=12,
)


def line(content: Content) -> str:
    country, region, city, postal, lat, lon, radius, zone = content
    return f"{country}\x1f{region}\x1f{city}\x1f{postal}\x1f{lat:.6f}\x1f{lon:.6f}\x1f{radius}\x1f{zone}"


def key(content: Content) -> int:
    return int.from_bytes(blake2b(line(content).encode(), digest_size=8, person=b"place 1").digest(), "big")


def rows(words: Words) -> list[str]:
    found = [words.words[i] for i in words.of_row.tolist()]
    assert words.words == sorted(set(found)), "distinct, in order, in use"
    return found


@given(texts, st.data())
def test_a_column_of_words_does_what_a_list_of_texts_would(column: list[str], data: st.DataObject) -> None:
    size = len(column)
    other = data.draw(st.lists(st.sampled_from(["", "x", "y"]), min_size=size, max_size=size))
    some = data.draw(st.lists(st.integers(0, size - 1), max_size=size))
    words, others = (Words.of(texts, np.arange(size)) for texts in (column, other))
    assert rows(words) == column
    assert rows(words.take(np.array(some, int))) == [column[i] for i in some]
    assert rows(words.joined(others)) == column + other
    assert rows(words.renamed(lambda text: text[:1])) == [text[:1] for text in column]
    assert rows(words.paired(others, lambda one, two: one + two)) == [
        one + two for one, two in zip(column, other, strict=True)
    ]
    assert words.blank().tolist() == [not text for text in column]
    said = [text for text in words.words if text]
    assert [said[n] if n >= 0 else "" for n in words.numbers().tolist()] == column


@given(contents, contents)
def test_contents_are_ordered_as_their_lines_are_and_keyed_one_by_one(
    first: list[Content], second: list[Content]
) -> None:
    everything, both = first + second, Contents.of(first).joined(Contents.of(second))
    assert both.known().tolist() == [content != UNKNOWN for content in everything]
    assert both.keys().tolist() == [key(content) for content in everything]
    row, position, keys = both.ordered()
    distinct = sorted({line(content) for content in everything})
    assert [line(everything[i]) for i in row.tolist()] == distinct
    assert [distinct[i] for i in position.tolist()] == [line(content) for content in everything]
    assert (keys == both.keys()[row]).all()
