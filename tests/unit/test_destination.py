"""Where a link may lead and what its code may be."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clickatlas.errors import Problem
from clickatlas.links.destination import (
    CLEAR_LETTERS,
    MAX_URL,
    RESERVED,
    checked_code,
    checked_url,
    random_code,
    refuse_some,
)
from clickatlas.links.schemes import NEVER, app_schemes
from clickatlas.settings import as_flags, load


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


APPS = ("myapp", "tel", "com.example+x-1")


@pytest.mark.parametrize(
    ("url", "stored"),
    [
        ("myapp://open/7?a=b c#ü", "myapp://open/7?a=b%20c#%C3%BC"),
        (" TEL:+15550100 ", "tel:+15550100"),
        ("myapp:///", "myapp:///"),
        ("myapp://", "myapp://"),
        ("com.example+x-1:a:b:c", "com.example+x-1:a:b:c"),
        ('myapp:"><script>', "myapp:%22%3E%3Cscript%3E"),
        ("myapp://open/a@b?c@d", "myapp://open/a@b?c@d"),
        ("myapp:%0d%0aX", "myapp:%0d%0aX"),
        ("https://example.com", "https://example.com"),
    ],
)
def test_apps_that_the_operator_allows(url: str, stored: str) -> None:
    assert checked_url(url, APPS) == stored
    assert checked_url(stored, APPS) == stored
    refuse_some(url, "https://go.example.com", ["open", "example.org"], ["open"], APPS)


@pytest.mark.parametrize(
    "url",
    ["myapp:", "myapp", "myapp://user@host/", "myapp://u:p@host", "myapp://a\\@b", "my app://x", "my\tapp://x", "myapp\n://x", "myapp:\x00",
     "myapp:\u2028x", "myapp:x\r\nSet-Cookie: a=b", "other://x", "xmyapp://x", "myapps://x", "%6dyapp://x", "ｍyapp://x", "myapp%3a//x",
     "myapp:" + "x" * 9000, "myapp:" + "ü" * 2000, "javascript:myapp://x", "\ufeffmyapp://x", "\u200bmyapp:x", ":x", "://x"],
)  # fmt: skip
def test_apps_only_as_they_are_spelled(url: str) -> None:
    with pytest.raises(Problem, match=r"destination") as refused:
        checked_url(url, APPS)
    assert refused.value.status == 422
    assert refused.value.extra["field"] == "url"


def test_the_refusal_says_what_is_allowed() -> None:
    with pytest.raises(Problem, match=r"does not start with http://, https://, myapp: or tel:"):
        checked_url("javascript:x", ("myapp", "tel"))
    with pytest.raises(Problem, match=r"does not start with http:// or https://"):
        checked_url("myapp:x")


@pytest.mark.parametrize("scheme", sorted(NEVER))
def test_what_reaches_into_a_browser_is_never_allowed(scheme: str) -> None:
    for spelled in (scheme, scheme.upper(), scheme.title()):
        with pytest.raises(ValueError, match="can't be allowed"):
            app_schemes(["myapp", spelled])
        with pytest.raises(Problem):
            load({"app_schemes": f"myapp, {spelled}"})
        for url in (f"{spelled}:x", f"{spelled}://x", f"\t{spelled}:x"):
            with pytest.raises(Problem):  # even if a list of allowed ones came about otherwise
                checked_url(url, [scheme, spelled])


@pytest.mark.parametrize(
    "text",
    ["", "1app", "my app", "my_app", "myapp:", "myapp://", "-a", "a/b", "ä", "ｊavascript", "a" * 41, "java\tscript", "a\n", "%61", "*"],
)  # fmt: skip
def test_what_is_no_scheme_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(ValueError, match="is no scheme"):
        app_schemes([text])


def test_schemes_as_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load({}).app_schemes == ()
    assert load({"app_schemes": "MyApp, tel,https,tel"}).app_schemes == ("myapp", "tel")
    monkeypatch.setenv("CLICKATLAS_APP_SCHEMES", "spotify")
    assert load({}).app_schemes == ("spotify",)
    for name, value in as_flags(load({"app_schemes": "myapp,tel"})).items():
        monkeypatch.setenv(name, value)
    assert load({}).app_schemes == ("myapp", "tel")
    with pytest.raises(Problem, match=r"app_schemes: .*'javascript' can't be allowed"):
        load({"app_schemes": "javascript"})


def of_a_browser(text: str) -> str | None:
    """The scheme that a browser reads (URL Standard, 4.4): the ends stripped, tabs and lines taken out, letters of ASCII."""
    text = re.sub(r"[\t\n\r]", "", re.sub(r"\A[\x00-\x20]+|[\x00-\x20]+\Z", "", text))
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", text)
    return found[1].lower() if found else None


NOISE = st.text(st.sampled_from("\t\n\r\x00\x0b \u00a0\u200b\ufeff%0aA:/\\@#?J"), max_size=4)


@st.composite
def spelled(draw: st.DrawFn) -> str:
    """A scheme, with what people have tried to hide one by: case, blanks, lines, escapes, letters that look alike."""
    scheme = draw(st.sampled_from([*sorted(NEVER), "http", "https", "ftp", *APPS]))
    letters = [
        draw(st.sampled_from([c, c.upper(), f"%{ord(c):02x}", f"&#{ord(c)};", chr(ord(c) + 0xFEE0), c + "\t", c + "\n"]))
        if draw(st.integers(0, 5)) == 0 else c
        for c in scheme
    ]  # fmt: skip
    return (
        draw(NOISE)
        + "".join(letters)
        + draw(NOISE)
        + draw(st.sampled_from([":", "://", "%3a", "：", ""]))
        + draw(st.text(max_size=30))
    )


@settings(max_examples=400)
@given(st.one_of(spelled(), st.text(max_size=60)), st.lists(st.sampled_from(APPS), unique=True))
def test_no_spelling_makes_another_scheme_pass(text: str, allowed: list[str]) -> None:
    try:
        url = checked_url(text, allowed)
    except Problem:
        return
    assert of_a_browser(url) in ("http", "https", *allowed)
    assert of_a_browser(text.strip()) == of_a_browser(url)  # nothing else was made of it
    assert url.isascii()
    assert url.isprintable()
    assert " " not in url
    assert len(url) <= MAX_URL
    assert checked_url(url, allowed) == url
