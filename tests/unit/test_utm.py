"""Campaign parameters in destinations."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickatlas.links.utm import PARTS, filled, with_utm

WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("url", "values", "found"),
    [
        ("https://a.example/", {"source": "mail"}, "https://a.example/?utm_source=mail"),
        ("https://a.example/?x=1&utm_source=old#top", {"source": "mail", "medium": "e mail"},
         "https://a.example/?x=1&utm_source=mail&utm_medium=e%20mail#top"),
        ("https://a.example/?x=1&x=2&flag", {"term": ""}, "https://a.example/?x=1&x=2&flag"),
        ("https://a.example/?flag&=3", {"id": "7"}, "https://a.example/?flag&=3&utm_id=7"),
        ("myapp://open/7?x=1", {"id": "7"}, "myapp://open/7?x=1&utm_id=7"),
        ("tel:+15550100", {"id": "7"}, "tel:+15550100"),
    ],
)  # fmt: skip
def test_parameters_go_into_the_query(url: str, values: dict[str, str], found: str) -> None:
    assert with_utm(url, values) == found


@given(
    st.dictionaries(st.sampled_from(PARTS), WORDS),
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"))),
)
def test_they_are_read_back_and_others_stay(values: dict[str, str], others: list[tuple[str, str]]) -> None:
    before = "&".join(f"{name}={value}" for name, value in others)
    once = with_utm(f"https://a.example/p?{before}", values)
    pairs = parse_qsl(urlsplit(once).query, keep_blank_values=True)
    assert {name: value for name, value in pairs if name.startswith("utm_")} == {
        f"utm_{n}": v for n, v in values.items()
    }
    assert [pair for pair in pairs if not pair[0].startswith("utm_")] == others
    assert with_utm(once, values) == once


def test_templates_are_filled() -> None:
    template = {
        "source": "news-{channel}",
        "campaign": "{campaign}",
        "content": "{code}",
        "term": " {title} ",
    }
    found = filled(template, {"channel": "email", "campaign": "Spring", "code": None, "title": ""})
    assert found == {"source": "news-email", "campaign": "Spring"}
