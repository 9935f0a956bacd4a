"""nginx in front, as deploy/nginx.conf has it: the visitor's own address is located, whatever they claim."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from email.message import Message
from http.client import HTTPResponse
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.server.making import make
from tests.server.served import Served, free_port, until
from tests.server.test_redirects import clicks

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
DEPLOY = Path(__file__).parents[2] / "deploy"
MIT, DENMARK, GERMANY = "18.9.22.69", "130.225.0.1", "2a02:8100::1"
pytestmark = pytest.mark.skipif(
    not NGINX or not shutil.which("openssl"), reason="needs nginx and openssl (apt-get install nginx-light)"
)
# What the example gets from the rest of an installed nginx, and an ordinary user's temporary folders. The PROXY
# protocol tells this nginx another address than ours: to what it passes on, that is the visitor's.
AROUND = """
pid {folder}/nginx.pid;
error_log {folder}/error.log;
daemon off;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    set_real_ip_from 127.0.0.1; real_ip_header proxy_protocol;
{example}
}}
"""


class Answer(NamedTuple):
    status: int
    headers: Message
    body: bytes


class Front:
    """nginx with deploy/nginx.conf, but for names, ports and the certificate's place."""

    def __init__(self, served: Served, folder: Path) -> None:
        self.served = served
        self.plain, self.tls = free_port(), free_port()
        self._certificate = folder / "own.pem"
        key = folder / "own.key"
        make_one = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=go.example.com"
        line = [*make_one.split(), "-addext", "subjectAltName=DNS:go.example.com", "-keyout", key, "-out", self._certificate]  # fmt: skip
        subprocess.run(line, check=True, capture_output=True)
        example = (DEPLOY / "nginx.conf").read_text()
        for old, new in (
            ("server 127.0.0.1:8000", f"server 127.0.0.1:{served.port}"),
            ("listen 80;", f"listen 127.0.0.1:{self.plain} proxy_protocol;"),
            ("listen 443 ssl http2;", f"listen 127.0.0.1:{self.tls} ssl http2 proxy_protocol;"),
            ("/etc/letsencrypt/live/go.example.com/fullchain.pem", str(self._certificate)),
            ("/etc/letsencrypt/live/go.example.com/privkey.pem", str(key)),
            ("/var/log/nginx/clickatlas.log", str(folder / "clickatlas.log")),
        ):
            assert example.count(old) == 1, old
            example = example.replace(old, new)
        config = folder / "nginx.conf"
        config.write_text(AROUND.format(folder=folder, example=example))
        self.process = subprocess.Popen([str(NGINX), "-e", folder / "error.log", "-p", folder, "-c", config])
        until(self._listens, f"nginx ({folder}/error.log)")

    def _listens(self) -> bool:
        assert self.process.poll() is None, f"nginx ended with {self.process.returncode}"
        try:
            socket.create_connection(("127.0.0.1", self.tls), 1).close()
        except OSError:
            return False
        return True

    def get(self, path: str, visitor: str = MIT, *, tls: bool = True, **headers: str) -> Answer:
        """What a visitor at an address of their own gets."""
        family = "TCP6" if ":" in visitor else "TCP4"
        lines = [f"GET {path} HTTP/1.1", "Host: go.example.com", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        raw = socket.create_connection(("127.0.0.1", self.tls if tls else self.plain), 30)
        local = "::1" if ":" in visitor else "127.0.0.1"
        raw.sendall(f"PROXY {family} {visitor} {local} 40000 443\r\n".encode())
        trusting = ssl.create_default_context(cafile=str(self._certificate))
        with raw, trusting.wrap_socket(raw, server_hostname="go.example.com") if tls else raw as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            answer = HTTPResponse(connection)
            answer.begin()
            return Answer(answer.status, answer.headers, answer.read())


@pytest.fixture(scope="module")
def front(data_folder: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    served = Served(data_folder("behind"), "--public-url", "https://go.example.com").start()
    found = Front(served, tmp_path_factory.mktemp("nginx"))
    yield found
    found.process.terminate()
    found.process.wait(10)
    served.kill()


def test_the_address_that_nginx_sees_is_located_whatever_is_claimed(front: Front) -> None:
    forged = {
        "X_Forwarded_For": f"{DENMARK}, 127.0.0.1",
        "Forwarded": f"for={DENMARK};proto=http",
        "X_Real_IP": DENMARK,
    }
    with front.served.client() as client:
        for visitor, country in ((MIT, "US"), (GERMANY, "DE")):
            code = make(client)["code"]
            for headers in ({}, forged):
                answer = front.get(f"/{code}", visitor, **headers)
                assert (answer.status, answer.body) == (302, b"")
            rows = clicks(client, front.served, code, 2)
            assert {row["country"] for row in rows} == {country}
        assert front.served.settled(client, 4)["store"]["private"] == 0


def test_over_tls_cookies_are_secure_and_browsers_told_to_stay(front: Front) -> None:
    text = front.served.log.read_text()
    link = re.findall(r"https://go\.example\.com(/app/sign-in\?token=\S+)", text)[-1]
    answer = front.get(link)
    assert answer.status == 303
    cookie = answer.headers["set-cookie"].lower()
    assert "secure" in cookie.split("; ")
    assert "httponly" in cookie.split("; ")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert front.get("/health").headers["strict-transport-security"] == "max-age=31536000"


def test_plain_http_is_sent_to_tls_with_the_same_path(front: Front) -> None:
    answer = front.get("/poster?from=wall", tls=False)
    assert (answer.status, answer.headers["location"]) == (308, "https://go.example.com/poster?from=wall")


def test_no_address_in_nginxs_own_files(front: Front) -> None:
    front.get("/nothing-here", DENMARK)
    folder = front._certificate.parent
    for file in (path for path in folder.rglob("*") if path.is_file()):
        assert DENMARK.encode() not in file.read_bytes(), file
