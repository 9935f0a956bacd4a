"""Where a link may lead and what its code may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickatlas.errors import Problem
from clickatlas.links.destination import CLEAR_LETTERS, RESERVED, checked_code, checked_url, random_code


@pytest.mark.parametrize(
    ("url", "stored"),
    [
        ("https://example.com", "https://example.com"),
        ("  HTTPS://Example.com/a b?c=d e#f g ", "https://example.com/a%20b?c=d%20e#f%20g"),
        ("https://exämple.com/ü", "https://xn--exmple-cua.com/%C3%BC"),
        ("http://[2001:db8::1]:8080/x", "http://[2001:db8::1]:8080/x"),
        ("https://example.com/%41?x=%2F", "https://example.com/%41?x=%2F"),
    ],
)
def test_destinations_become_plain_ascii(url: str, stored: str) -> None:
    assert checked_url(url) == stored


@pytest.mark.parametrize(
    "url",
    ["", "example.com", "javascript:alert(1)", "data:text/html,x", "ftp://example.com", "https://", "//example.com",
     "https://user:pass@example.com", "https://example.com/\r\nSet-Cookie: a=b", "https://exa mple.com", "https://a..b",
     "https://example.com:99999/", "https://[::1", "https://example.com/" + "x" * 9000, "https://ex\u2028ample.com"],
)  # fmt: skip
def test_other_destinations_are_refused(url: str) -> None:
    with pytest.raises(Problem) as refused:
        checked_url(url)
    assert refused.value.status == 422
    assert refused.value.remedy


@given(st.text(max_size=200))
def test_whatever_is_accepted_fits_a_header(text: str) -> None:
    try:
        url = checked_url("https://example.com/" + text)
    except Problem:
        return
    assert url.isascii()
    assert url.isprintable()
    assert checked_url(url) == url


@pytest.mark.parametrize("code", [*sorted(RESERVED), "API", "Docs"])
def test_reserved_codes_stay_ours(code: str) -> None:
    with pytest.raises(Problem):
        checked_code(code)


@pytest.mark.parametrize("code", ["", "a/b", "a b", "ü", ".hidden", "a" * 65, "a?b", "a\n"])
def test_unusable_codes_are_refused(code: str) -> None:
    with pytest.raises(Problem):
        checked_code(code)


def test_random_codes_have_no_look_alikes() -> None:
    assert not set("0O1lI") & set(CLEAR_LETTERS)
    assert len({random_code() for _ in range(1000)}) == 1000
