"""What a request says of its visitor, and whose word is taken for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickatlas.redirect.visitor import Proxies, VisitorKey, first_language, read_agent, referrer_host

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1"
IPAD = "Mozilla/5.0 (iPad; CPU OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1"
PIXEL = "Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
SLACK = "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"


@pytest.mark.parametrize(
    ("agent", "device", "crawler"),
    [(IPHONE, "mobile", False), (IPAD, "tablet", False), (PIXEL, "mobile", False), (WINDOWS, "desktop", False),
     (SLACK, "other", True), ("curl/8.9.1", "other", False),
     ("python-requests/2.32", "other", False), ("Scrapy/2.11 (+https://scrapy.org)", "other", True), ("facebookexternalhit/1.1", "other", True), ("", "other", False)],
)  # fmt: skip
def test_devices_and_declared_crawlers(agent: str, device: str, crawler: bool) -> None:
    found = read_agent(agent)
    assert (found[0], found[3]) == (device, crawler)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de-at,de;q=0.8", "de-AT"),
        ("en", "en"),
        ("zh-Hant-TW;q=1", "zh-TW"),
        ("*", ""),
        ("", ""),
        ("<script>", ""),
    ],
)
def test_the_first_language_counts(header: str, language: str) -> None:
    assert first_language(header) == language


@pytest.mark.parametrize(
    ("header", "host"),
    [("https://www.example.org/a?b", "example.org"), ("android-app://com.slack/", "com.slack"), ("", ""),
     ("http://[::1", ""), ("https://exa\nmple.org", "example.org")],
)  # fmt: skip
def test_only_the_host_of_a_referrer_is_kept(header: str, host: str) -> None:
    assert referrer_host(header) == host


@given(st.text())
def test_no_header_breaks_the_readers(text: str) -> None:
    referrer_host(text)
    first_language(text)


TRUSTED = Proxies(("127.0.0.1/32", "10.0.0.0/8", "fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "forwarded", "visitor"),
    [
        ("203.0.113.9", ["18.9.22.69"], [], "203.0.113.9"),                       # an untrusted peer is the visitor
        ("127.0.0.1", ["18.9.22.69"], [], "18.9.22.69"),
        ("127.0.0.1", ["6.6.6.6, 18.9.22.69"], [], "18.9.22.69"),                 # what the visitor claims is left of it
        ("127.0.0.1", ["6.6.6.6, 18.9.22.69, 10.1.2.3"], [], "18.9.22.69"),       # trusted hops are skipped
        ("127.0.0.1", ["6.6.6.6", "18.9.22.69, 10.0.0.1"], [], "18.9.22.69"),     # several headers are one list
        ("::ffff:127.0.0.1", ["18.9.22.69"], [], "18.9.22.69"),
        ("127.0.0.1", [], ['for="[2001:db8::7]:4711";proto=https, for=10.0.0.2'], "2001:db8::7"),
        ("127.0.0.1", [], ["for=18.9.22.69:80"], "18.9.22.69"),
        ("127.0.0.1", ["18.9.22.69"], ["for=6.6.6.6"], "18.9.22.69"),             # X-Forwarded-For wins
        ("127.0.0.1", ["unknown"], [], "unknown"),                                # junk is nowhere, never the proxy
        ("127.0.0.1", ["10.0.0.1, 10.0.0.2"], [], "10.0.0.1"),                    # all trusted: the farthest
        ("127.0.0.1", [], [], "127.0.0.1"),
    ],
)  # fmt: skip
def test_the_right_most_untrusted_hop_clicked(
    peer: str, forwarded_for: list[str], forwarded: list[str], visitor: str
) -> None:
    assert TRUSTED.visitor_address(peer, forwarded_for, forwarded) == visitor


def test_without_trusted_proxies_nobody_is_believed() -> None:
    assert Proxies(()).visitor_address("127.0.0.1", ["18.9.22.69"], []) == "127.0.0.1"


def test_a_visitor_is_the_same_all_day_and_another_tomorrow() -> None:
    key = VisitorKey()
    noon = 20_000 * 86_400_000 + 43_200_000
    today = key.hash(noon, "18.9.22.69", "agent", 1)
    assert today == key.hash(noon + 1000, "18.9.22.69", "agent", 1)
    assert today != key.hash(noon, "18.9.22.69", "agent", 2)
    assert today != key.hash(noon + 86_400_000, "18.9.22.69", "agent", 1)
    assert today != VisitorKey().hash(noon, "18.9.22.69", "agent", 1)
