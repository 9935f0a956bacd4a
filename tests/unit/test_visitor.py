"""What a request says of its visitor, and whose word is taken for it."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickatlas.redirect.secret import DaySecrets, SharedSecret
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


def test_forks_share_one_key_and_a_new_day_is_new_for_all(tmp_path: Path) -> None:
    secret = SharedSecret(tmp_path / "lock")

    def in_fork(day: int) -> bytes:
        reading, writing = os.pipe()
        if os.fork() == 0:
            os.write(writing, secret.of(day))
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            found = pipe.read()
        os.wait()
        return found

    first = in_fork(20_000)  # made by one fork,
    assert [in_fork(20_000), secret.of(20_000)] == [first, first]  # had by the others and the parent
    second = secret.of(20_001)
    assert second != first
    assert in_fork(20_001) == second
    assert in_fork(20_000) == second  # late by a moment: the new day's
    assert in_fork(19_000) not in (first, second)  # the clock was put back: not the day's key again
    assert (tmp_path / "lock").read_bytes() == b""


def test_many_forks_at_midnight_agree(tmp_path: Path) -> None:
    secret = SharedSecret(tmp_path / "lock")
    secret.of(1)
    reading, writing = os.pipe()
    forks = []
    for _ in range(16):
        if (pid := os.fork()) == 0:
            os.write(writing, secret.of(2))
            os._exit(0)
        forks.append(pid)
    for pid in forks:
        os.waitpid(pid, 0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        keys = pipe.read()
    assert keys == keys[:32] * 16


def test_an_imports_days_may_come_in_any_order() -> None:
    """One person on one link is one visitor a day, however the rows of two days are mixed."""
    key = VisitorKey(DaySecrets())
    days = [1_700_000_000_000, 1_700_086_400_000]
    hashes = [key.hash(days[n % 2] + n, "18.9.22.69", "agent", 7) for n in range(10)]
    assert len(set(hashes)) == 2
    assert VisitorKey(DaySecrets()).hash(days[0], "18.9.22.69", "agent", 7) not in hashes
