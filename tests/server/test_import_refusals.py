"""What an import refuses, why, and that it goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.server.files import Place, write
from tests.server.served import quickly

BAD_ROWS = [
    ({"code": "in-0", "ip": "18.9.22.69"}, "time"),
    ({"time": "yesterday", "code": "in-0", "ip": "18.9.22.69"}, "yesterday"),
    ({"time": "nan", "code": "in-0", "ip": "18.9.22.69"}, "nan"),
    ({"time": "2199-01-01", "code": "in-0", "ip": "18.9.22.69"}, "2199"),
    ({"time": "-5", "code": "in-0", "ip": "18.9.22.69"}, "'-5' is not between 1970 and now"),
    ({"time": "-1e12", "code": "in-0", "ip": "18.9.22.69"}, "1970"),
    ({"time": "1969-12-31T23:59:59Z", "code": "in-0", "ip": "18.9.22.69"}, "1970"),
    ({"time": "1970-01-01T01:00:00+02:00", "code": "in-0", "ip": "18.9.22.69"}, "1970"),
    ({"time": "9999-12-31T23:59:59", "code": "in-0", "ip": "18.9.22.69"}, "9999"),  # 1978 in milliseconds
    ({"time": "1700000000", "ip": "18.9.22.69"}, "code"),
    ({"time": "1700000000", "code": "in-0"}, "neither ip nor lat and lon"),
    ({"time": "1700000000", "code": "in-0", "ip": "1.2.3"}, "1.2.3"),
    ({"time": "1700000000", "code": "in-0", "lat": "91", "lon": "0"}, "Earth"),
    ({"time": "1700000000", "code": "in-0", "lat": "x", "lon": "0"}, "numbers"),
    ({"time": "1700000000", "code": "in-0", "lat": "-45", "lon": "-130"}, "no place"),
    ({"time": "1700000000", "code": "nobody", "ip": "18.9.22.69"}, "no link"),
    ({"time": "1700000000", "code": "a/b", "ip": "18.9.22.69", "url": "https://a.example"}, "a/b"),
    ({"time": "1700000000", "code": "new", "ip": "18.9.22.69", "url": "javascript:x"}, "http"),
    (
        {"time": "1700000000", "code": "new", "ip": "18.9.22.69", "url": "https://sub.blocked.example/"},
        "blocked.example",
    ),
    ({"time": "1700000000", "code": "new", "ip": "18.9.22.69", "url": "https://go.example/x"}, "circle"),
    ({"time": "1700000000", "code": "api", "ip": "18.9.22.69", "url": "https://a.example"}, "reserved"),
]


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_every_refused_row_is_reported_with_its_reason(place: Place, kind: str) -> None:
    when = f"17000000{len(kind):02d}"  # the same clicks from another file would not be counted again
    good = {"time": when, "code": "in-0", "ip": "18.9.22.69", "url": "https://example.com/"}
    rows = [good, *(row for row, _ in BAD_ROWS), {**good, "lat": "", "ip": "", "lon": ""}, good]
    env = {"CLICKATLAS_BLOCKED_HOSTS": "blocked.example", "CLICKATLAS_PUBLIC_URL": "https://go.example"}
    done = quickly("import", write(place.data.with_name(f"bad.{kind}"), rows), data=place.data, **env)
    assert done.stdout.startswith(f"2 clicks imported, {len(BAD_ROWS) + 1} rows refused")
    reported = dict(
        line.removeprefix("row ").split(": ", 1)
        for line in done.stderr.splitlines()
        if line.startswith("row ")
    )
    first = 3 if kind == "csv" else 2
    assert set(reported) == {str(first + n) for n in range(len(BAD_ROWS) + 1)}
    for number, (_row, says) in enumerate(BAD_ROWS):
        assert says in reported[str(first + number)], reported[str(first + number)]


STRANGE = [
    {"user_agent": "\ud800"}, {"user_agent": "a\x1fb\x1fc\x1fd\x1fe Bot/1.0"}, {"user_agent": "My\x1fApp/1.0 (Linux; \x1f)"}, {"referrer": "https://\ud800.example/"},
    {"referrer": "https://a\x1fb.example/"}, {"language": "\ud800"}, {"user_agent": "x" * 100_000}, {"referrer": 5, "user_agent": ["a"], "language": {"a": 1}},
    {"user_agent": "\0"}, {"time": True}, {"time": [1]}, {"lat": [1], "lon": {}}, {"ip": 5}, {"ip": "\ud800"}, {"code": "\ud800"}, {"code": "s", "url": "https://a.example/\ud800"},
    {"code": ["in-0"]}, {"code": "t", "url": 5}, {"time": 10**400}, {"lat": 10**400, "lon": 1}, {"time": "0001-01-01T00:00:00+23:59"}, {"time": "9999-12-31T23:59:59-23:59"},
]  # fmt: skip


def test_strange_rows_stop_neither_the_import_nor_the_counting(place: Place) -> None:
    good = {"time": "1700000000", "code": "in-0", "ip": "18.9.22.69", "url": "https://example.com/"}
    before = len(place.exported())
    file = place.data.with_name("strange.ndjson")
    lines = [
        json.dumps(
            good | strange if "lat" not in strange else {k: v for k, v in good.items() if k != "ip"} | strange
        )
        for strange in STRANGE
    ]
    file.write_bytes(
        "\n".join(
            [json.dumps(good), *lines, "{", "[]", "5", "", "null", '{"time": 1e999}', json.dumps(good)]
        ).encode()
    )
    done = quickly("import", file, data=place.data)
    imported = int(done.stdout.split(" ")[0])
    assert imported >= 2
    assert len(place.exported()) == before + imported


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [("a.csv", b"", "time"), ("a.csv", b"moment,code,ip\n", "time"), ("a.csv", b"time,code\n", "ip"), ("a.csv", "time,code,ip\n1,a,ü".encode("latin-1"), "UTF-8"),
     ("a.csv", b"\xff\xfet\0i\0m\0e\0", "UTF-8"), ("a.csv", b"\0\0\0\0", "time")],
)  # fmt: skip
def test_a_file_that_is_none_is_refused_as_a_whole(
    place: Place, tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    done = quickly("import", file, data=place.data, code=1)
    assert says in done.stderr
