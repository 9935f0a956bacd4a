"""What the server fetches itself never reaches an inside, whatever names, spellings and redirects say.

The first hop goes to 127.0.0.2, which these tests allow; 127.0.0.1 stands for what must not be reached.
"""

from __future__ import annotations

import asyncio
import gzip
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from clickatlas.outside.fetch import Fetched, Outside, OutsideError
from clickatlas.outside.reach import Reach
from clickatlas.outside.title import read_title, title_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux answers on all of 127.0.0.0/8")
PAGE = b"<!doctype html><html><head><title>A &amp; B</title></head><body>hello</body></html>"


class Site:
    """An HTTP server at 127.0.0.2, and a trap beside it at 127.0.0.1: whoever connects there was led inside."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.pages: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append((self.path, dict(self.headers)))
                with suppress(ConnectionError, KeyError):
                    site.pages[self.path.partition("?")[0]](self)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.2", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.trap = socket.create_server(("127.0.0.1", self.port))
        self.trap_six = socket.create_server(("::1", self.port), family=socket.AF_INET6)
        for trap in (self.trap, self.trap_six):
            trap.settimeout(0)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.2:{self.port}"

    def page(self, path: str, body: bytes = PAGE, status: int = 200, **headers: str) -> str:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in ({"content_type": "text/html"} | headers).items():
                handler.send_header(name.replace("_", "-"), value)
            handler.end_headers()
            handler.wfile.write(body)

        self.pages[path] = answer
        return self.url + path

    def onward(self, path: str, to: str) -> str:
        return self.page(path, b"", 302, location=to)

    def trapped(self) -> bool:
        for trap in (self.trap, self.trap_six):
            try:
                trap.accept()[0].close()
            except BlockingIOError:
                continue
            return True
        return False

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.trap.close()
        self.trap_six.close()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.close()


class Names(AbstractResolver):
    """Answers with one address after the other, and then with the last one."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        address = self.addresses.pop(0) if len(self.addresses) > 1 else self.addresses[0]
        six = ":" in address
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=socket.AF_INET6 if six else socket.AF_INET,
                proto=0, flags=socket.AI_NUMERICHOST,
            )
        ]  # fmt: skip

    async def close(self) -> None:
        pass


def outside(site: Site, *addresses: str, seconds: float = 5.0) -> Outside:
    names = Names(*addresses) if addresses else None
    ports = (80, 443, site.port)
    return Outside(allowed=("127.0.0.2/32",), ports=ports, seconds=seconds, resolver=names)


def get(fetcher: Outside, url: str, most: int = 1000) -> Fetched:
    return asyncio.run(fetcher.get(url, most=most))


def refused(site: Site, url: str, *addresses: str) -> str:
    """Why `url` isn't fetched; nobody inside was so much as connected to."""
    with pytest.raises(OutsideError) as error:
        get(outside(site, *addresses), url)
    assert not site.trapped()
    return str(error.value)


def test_a_page_is_fetched_without_telling_more_than_needed(site: Site) -> None:
    url = site.page("/plain")
    found = get(outside(site), f"{url}?a=1#part")
    assert (found.url, found.status, found.body) == (f"{url}?a=1", 200, PAGE)
    path, headers = site.asked[-1]
    assert path == "/plain?a=1"
    told = {"host", "accept", "accept-encoding", "user-agent", "connection"}
    assert {name.lower() for name in headers} <= told


def test_cookies_are_not_kept(site: Site) -> None:
    site.page("/cookie", b"", 302, location="/plain", set_cookie="a=b; Path=/")
    get(outside(site), f"{site.url}/cookie")
    assert "cookie" not in {name.lower() for name in site.asked[-1][1]}


def test_proxies_of_the_environment_are_not_used(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{site.port}")
    assert get(outside(site), site.page("/plain")).status == 200
    assert not site.trapped()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "127.1", "127.0.1",
        "0", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "127.0.0.1.",
        "LOCALHOST", "127。0。0。1", "①②⑦.0.0.1",
    ],
)  # fmt: skip
def test_no_spelling_of_this_machine_is_reached(site: Site, host: str) -> None:
    refused(site, f"http://{host}:{site.port}/")
    refused(site, site.onward("/spelling", f"http://{host}:{site.port}/"))


def test_a_name_that_means_an_inside_is_not_reached(site: Site) -> None:
    for address in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
        refused(site, f"http://inside.example:{site.port}/", address)


def test_a_name_that_changes_its_mind_is_not_reached(site: Site) -> None:
    """DNS rebinding: the first answer is public, the second one isn't."""
    url = f"http://rebinds.example:{site.port}"
    site.onward("/rebind", f"{url}/again")
    site.page("/again")
    refused(site, f"{url}/rebind", "127.0.0.2", "127.0.0.1")
    assert get(outside(site, "127.0.0.2"), f"{url}/rebind").status == 200


@pytest.mark.parametrize(
    "to",
    [
        "file:///etc/passwd", "ftp://127.0.0.2/", "gopher://127.0.0.2/", "data:text/html,x", "javascript:alert(1)",
        "unix:///run/x.sock", "http://user:word@127.0.0.2/", "http://127.0.0.2:22/", "http://127.0.0.2:6379/", "http://",
        "http://[::1", "http:///x", "//127.0.0.1/", "\\\\127.0.0.1\\x",
    ],
)  # fmt: skip
def test_redirects_that_lead_elsewhere_are_not_followed(site: Site, to: str) -> None:
    with suppress(
        OutsideError
    ):  # some are words that a path may be: then it is the site itself that is asked
        get(outside(site), site.onward("/elsewhere", to))
    assert not site.trapped()


def test_circles_end(site: Site) -> None:
    url = site.onward("/circle", "/circle")
    before = len(site.asked)
    assert "redirected more than" in refused(site, url)
    assert len(site.asked) - before == 6


def test_no_more_is_read_than_asked_for(site: Site) -> None:
    sent = [0]

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while sent[0] < 1 << 30:
            sent[0] += handler.wfile.write(b"x" * 65536)

    site.pages["/endless"] = endless
    assert len(get(outside(site), f"{site.url}/endless", most=100_000).body) == 100_000
    assert sent[0] < 64 << 20


def test_what_drips_is_not_waited_for(site: Site) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b"x")
            time.sleep(0.05)

    def drip_headers(handler: BaseHTTPRequestHandler) -> None:
        for _ in range(100):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: y"[:1])
            time.sleep(0.05)

    site.pages["/drip"], site.pages["/drip-headers"] = drip, drip_headers
    for path in ("/drip", "/drip-headers"):
        started = time.monotonic()
        with pytest.raises(OutsideError):
            get(outside(site, seconds=0.4), site.url + path)
        assert time.monotonic() - started < 2.0


def test_what_is_compressed_unasked_is_not_unpacked(site: Site) -> None:
    bomb = gzip.compress(b"\0" * (64 << 20))
    url = site.page("/bomb", bomb, content_encoding="gzip")
    assert "compressed" in refused(site, url)
    told = asyncio.run(outside(site).ask(url, "GET", {}, most=1000, encoded=True))
    assert told.status == 200  # who only wants to be heard takes it as an answer


def test_headers_without_end_are_refused(site: Site) -> None:
    refused(site, site.page("/headers", x_long="y" * 100_000))


INSIDE = [
    "0.0.0.0", "0.1.2.3", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.1.1", "169.254.169.254",
    "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1",
    "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "168.63.129.16",
    "::", "::1", "::127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::10.0.0.1",
    "64:ff9b::169.254.169.254", "64:ff9b:1::1", "64:ff9b:1::808:808", "100::1", "2001::1", "2001:db8::1",
    "2002:7f00:1::1", "2002:a00:1::1", "2002:a9fe:a9fe::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1",
    "fe80::1%eth0", "fec0::1", "ff02::1", "2606:4700::5efe:10.0.0.1", "2606:4700::200:5efe:127.0.0.1", "4000::1",
    "", "x", "1.2.3", "0x7f000001",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2606:4700::1111", "2a00:1450::5",
          "2002:808:808::1"]  # fmt: skip


def test_what_is_the_public_internet() -> None:
    reach = Reach()
    assert [address for address in INSIDE if reach.has(address)] == []
    assert [address for address in PUBLIC if not reach.has(address)] == []


def test_an_operator_may_open_an_intranet() -> None:
    reach = Reach(("10.1.0.0/16", "fd12::/16"))
    assert all(map(reach.has, ("10.1.2.3", "::ffff:10.1.2.3", "fd12::1", "8.8.8.8")))
    assert not any(map(reach.has, ("10.2.0.1", "fd13::1", "127.0.0.1", "169.254.169.254")))


@pytest.mark.parametrize(
    ("body", "kind", "title"),
    [
        (PAGE, "text/html", "A & B"),
        ("<title>Grüße</title>".encode(), "text/html", "Grüße"),
        ("<title>Grüße</title>".encode("latin-1"), "text/html", "Grüße"),
        ("<title>Grüße</title>".encode("latin-1"), "text/html; charset=ISO-8859-1", "Grüße"),
        ("<meta charset=shift_jis><title>日本語</title>".encode("shift_jis"), "text/html", "日本語"),
        ("\ufeff<title>日本</title>".encode("utf-16-le"), "text/html", "日本"),
        (b"<title>a\x00b\r\n\t c\x1b[31m</title>", "text/html", "ab c[31m"),
        ("<title>\u202eevil\u2066\u200b x</title>".encode(), "text/html", "evil x"),
        (b"<svg><title>drawing</title></svg><title>page</title>", "text/html", "page"),
        (b"<!-- <title>no</title> --><title>yes</title>", "text/html", "yes"),
        (b"<script>'<title>no</title>'</script><title>yes</title>", "text/html", "yes"),
        (b"<title>" + b"x" * 9000 + b"</title>", "text/html", "x" * 500),
        (b"<title>cut off", "text/html", "cut off"),
        (b"no title", "text/html", ""),
        (b"<title>x</title>", "text/html; charset=zlib_codec", "x"),
        (b"<title>x</title>", "text/html; charset=unicode_escape", "x"),
        (b"\xff" * 65536, "text/html", ""),
        (b"<![" * 20000, "text/html", ""),
        (b"<!--" * 16000, "text/html", ""),
        (b"<a " * 20000, "text/html", ""),
        (b"&" * 65536, "text/html", ""),
    ],
)
def test_titles_are_read_as_browsers_do(body: bytes, kind: str, title: str) -> None:
    started = time.process_time()
    assert read_title(Fetched("http://x/", 200, kind, body)) == title
    assert time.process_time() - started < 5.0


def test_only_pages_have_titles(site: Site) -> None:
    assert asyncio.run(title_of(outside(site), site.page("/page"))) == "A & B"
    assert asyncio.run(title_of(outside(site), site.page("/image", content_type="image/png"))) == ""
    with pytest.raises(OutsideError, match="404"):
        asyncio.run(title_of(outside(site), site.page("/missing", status=404)))
