"""The operator's own basemap: a PMTiles file read by byte ranges, a URL, or a style; and what the page may ask."""

from __future__ import annotations

import gzip
import json
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from clickatlas.errors import Problem
from clickatlas.settings import load
from tests.server.problems import is_problem
from tests.server.served import Served

WEB = Path(__file__).parents[2] / "web"
TILE = b"\x1a\x00"  # a vector tile with one empty layer
PADDING = bytes(range(256)) * 64  # so that the file is worth compressing, had anybody tried


def varint(value: int) -> bytes:
    """`value` as the format writes it: seven bits a byte, the lowest first."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def pmtiles(tile: bytes) -> bytes:
    """An archive (PMTiles 3) whose only tile is 0/0/0."""
    root = gzip.compress(b"".join(map(varint, (1, 0, 1, len(tile), 1))))
    metadata = gzip.compress(json.dumps({"name": "one tile"}).encode())
    at = 127
    sections: list[int] = []
    for size in (len(root), len(metadata), 0, len(tile)):
        sections += (at, size)
        at += size
    degrees = [round(d * 1e7) for d in (-180, -85, 180, 85)]
    head = b"PMTiles\x03" + struct.pack("<11Q", *sections, 1, 1, 1)
    head += bytes([1, 2, 1, 1, 0, 0]) + struct.pack("<4i", *degrees) + bytes([0]) + struct.pack("<2i", 0, 0)
    assert len(head) == 127
    return head + root + metadata + tile


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("maps") / "town.pmtiles"
    path.write_bytes(pmtiles(TILE + PADDING))
    return path


@pytest.fixture(scope="module")
def mapped(data_folder: Callable[[str], Path], file: Path) -> Iterator[Served]:
    """A server with a basemap file of its own."""
    served = Served(data_folder("mapped"), "--basemap", str(file)).start()
    yield served
    served.kill()


def test_the_pages_own_map_needs_nothing(api: httpx.Client, server: Served) -> None:
    assert api.get("/api/basemap").json() == {
        "kind": "offline",
        "url": None,
        "attribution": "",
        "problem": None,
    }
    is_problem(api.get("/api/basemap/tiles.pmtiles"), 404)
    assert "connect-src" not in httpx.get(f"{server.url}/app").headers["content-security-policy"]


def test_a_local_file_is_served_by_ranges(mapped: Served, file: Path) -> None:
    whole = file.read_bytes()
    with mapped.client() as client:
        found = client.get("/api/basemap").json()
        assert (found["kind"], found["url"]) == ("pmtiles", "/api/basemap/tiles.pmtiles")
        assert "OpenStreetMap" in found["attribution"]
        part = client.get(found["url"], headers={"range": "bytes=0-16383", "accept-encoding": "gzip"})
        assert part.status_code == 206
        assert part.headers["content-range"] == f"bytes 0-{min(16383, len(whole) - 1)}/{len(whole)}"
        assert "content-encoding" not in part.headers
        assert part.content == whole[:16384]
        assert part.headers["etag"]
        late = client.get(found["url"], headers={"range": f"bytes={len(whole)}-"})
        assert late.status_code == 416


def test_the_formats_own_reader_reads_it(mapped: Served) -> None:
    script = """
        import { FetchSource, PMTiles } from "pmtiles";
        const [url, token] = process.argv.slice(1);
        const source = new FetchSource(url, new Headers({ authorization: `Bearer ${token}` }));
        const archive = new PMTiles(source);
        const { data } = await archive.getZxy(0, 0, 0);
        console.log(JSON.stringify([await archive.getMetadata(), data.byteLength]));
    """
    with mapped.client() as client:
        token = client.headers["authorization"].removeprefix("Bearer ")
    line = ["node", "--input-type=module", "-e", script, f"{mapped.url}/api/basemap/tiles.pmtiles", token]
    done = subprocess.run(line, cwd=WEB, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [{"name": "one tile"}, len(TILE + PADDING)]


@pytest.mark.parametrize("path", ["/api/basemap", "/api/basemap/tiles.pmtiles"])
def test_strangers_see_neither(mapped: Served, path: str) -> None:
    is_problem(httpx.get(f"{mapped.url}{path}"), 401)


def test_a_file_that_is_gone_leaves_the_pages_own_map(data_folder: Callable[[str], Path]) -> None:
    served = Served(data_folder("gone"), "--basemap", "/nowhere/town.pmtiles").start()
    try:
        with served.client() as client:
            found = client.get("/api/basemap").json()
            assert found["kind"] == "offline"
            assert "town.pmtiles" in found["problem"]
            assert "/nowhere" not in found["problem"]
            is_problem(client.get("/api/basemap/tiles.pmtiles"), 404)
    finally:
        served.kill()


@pytest.mark.parametrize(
    ("url", "kind", "origin"),
    [
        ("https://maps.example.com/planet.pmtiles?key=1", "pmtiles", "https://maps.example.com"),
        ("https://maps.example.com:8443/styles/{theme}.json", "style", "https://maps.example.com:8443"),
    ],
)
def test_the_page_may_ask_the_basemaps_host_alone(
    data_folder: Callable[[str], Path], url: str, kind: str, origin: str
) -> None:
    served = Served(data_folder(kind), "--basemap", url, "--basemap-attribution", "Us").start()
    try:
        with served.client() as client:
            found = client.get("/api/basemap").json()
        assert found == {"kind": kind, "url": url, "attribution": "Us", "problem": None}
        policy = httpx.get(f"{served.url}/app").headers["content-security-policy"]
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
        assert rules["connect-src"] == f"'self' {origin}"
        assert rules["img-src"] == f"'self' {origin} data: blob:"
        assert [name for name, value in rules.items() if origin in value] == ["connect-src", "img-src"]
        assert origin not in httpx.get(f"{served.url}/docs").headers["content-security-policy"]
    finally:
        served.kill()


@pytest.mark.parametrize(
    "wrong",
    [
        "streets",
        "/maps/town.mbtiles",
        "ftp://maps.example.com/x.pmtiles",
        "https://",
        "https://maps.example.com; script-src */x.json",
        "https://me:secret@maps.example.com/x.json",
    ],
)
def test_anything_else_is_refused_at_start(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(Problem, match="basemap"):
        load({"data": tmp_path, "basemap": wrong})
