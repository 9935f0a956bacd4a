"""Every GET endpoint that reads clicks, with the filters it is asked with: both stores must say the same to all of it.

A new endpoint needs a row in `ASKED`, or in `ELSEWHERE` where it reads no clicks: `test_stores_agree.py` compares them
with the API's document.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, NamedTuple

import pyarrow.parquet

from tests import frames

# What names a moment, or a state of one store; and what a map's address is signed with.
OF_THE_MOMENT = re.compile(r'(?<="snapshot":")[^"]*|[?&]v=[^"&]*|http://127.0.0.1:\d+')

FILTERS = {
    "all": "",
    "everything": "network=all",
    "machines": "network=hosting,bot",
    "a link": "link=coast-mail",
    "a link split in two": "link=odd-7&network=all",
    "a campaign": "campaign=European tour",
    "a channel": "channel=social",
    "scans": "channel=qr&network=all",
    "a tag": "tag=video&tag=print",
    "phones": "device=mobile&device=tablet",
    "days": "from=-80&to=-20",
    "days elsewhere": "from=-75&to=-3&tz=Asia/Kathmandu",
    "hours": "from=-40T07:13:11Z&to=-9T22:07Z",
    "until now": "from=-30&tz=America/New_York",
    "long ago": "to=-100&network=all",
    "never": "from=1999-01-01&to=1999-12-31",
    "a country": "area=country:US",
    "a region and a city's code": "area=region:DE-BE&area=zip:02139",
    "drawn": "within=-10,35,30,60&network=all",
    "over the date line": "within=100,-50,-60,60",
    "a browser": "browser=Firefox&browser=Instagram",
    "a language": "language=de&language='; DROP TABLE clicks; --",
    "a host": "referrer=blog.example\\'&referrer=",
    "an origin": "origin=search&origin=Instagram&network=all",
    "a system": "system=iOS",
    "much at once": "campaign=Coast to coast&device=mobile&area=country:US&origin=social&from=-60&to=-1",
    "few hidden": "campaign=Campus season&min_cell=40&from=-85&to=-5",
}  # fmt: skip
MANY = tuple(FILTERS)
BY_PLACE = ("scans", "hours", "drawn", "few hidden")
SOME = ("all", "days elsewhere", "a country")
FEW = ("all", "a link", "days")
ONE = ("all",)


def text(content: bytes) -> str:
    """Without what names a moment, or a server."""
    return OF_THE_MOMENT.sub("", content.decode("utf-8-sig"))


def document(content: bytes) -> Any:
    """JSON."""
    return json.loads(text(content))


def rows(content: bytes) -> Any:
    """A table as a spreadsheet reads it, in any order."""
    return sorted(csv.reader(io.StringIO(text(content))))


def lines(content: bytes) -> Any:
    """A JSON text a line, in any order."""
    return sorted(
        (json.loads(line) for line in text(content).splitlines()),
        key=lambda row: json.dumps(row, sort_keys=True),
    )


def plain(content: bytes) -> Any:
    """Bytes, as they are."""
    return content


def film(content: bytes) -> Any:
    """Frames: what they show, and each cell."""
    found = frames.read(content)
    return {**found.header, "snapshot": None}, sorted(found.cells().items())


def geojson(content: bytes) -> Any:
    """Features, in any order."""
    found = json.loads(content)
    found["features"].sort(key=lambda feature: json.dumps(feature, sort_keys=True))
    return found


def parquet(content: bytes) -> Any:
    """A file of columns, its rows in any order."""
    found = pyarrow.parquet.read_table(io.BytesIO(content))
    return found.sort_by([(name, "ascending") for name in found.column_names]).to_pydict()


def store_only(content: bytes) -> Any:
    """Of the status, what it tells of clicks."""
    return json.loads(content)["store"]


class Asked(NamedTuple):
    """An endpoint as the API's document has it, how it is asked, with which of the filters, and what reads its answer."""

    template: str
    paths: tuple[str, ...]
    filters: tuple[str, ...]
    read: Callable[[bytes], Any] = document


GEO, TILE = "/api/analytics/geo", "{z}/{x}/{y}"
TABLES = ("countries", "regions", "metros", "counties", "cities", "postal-codes")
FORMATS: dict[str, Callable[[bytes], Any]] = {
    "csv": rows,
    "ndjson": lines,
    "geojson": geojson,
    "parquet": parquet,
}
BY = (
    "link",
    "campaign",
    "channel",
    "tag",
    "device",
    "browser",
    "system",
    "language",
    "referrer",
    "origin",
    "network",
    "way",
)
VERSUS = ("b.campaign=World newsletter", "b.from=-90&b.to=-45")


def insights(name: str, *more: str, filters: tuple[str, ...] = ("a campaign", "days")) -> Iterator[Asked]:
    path = f"/api/insights/{name}"
    yield Asked(path, tuple(f"{path}?{each}" for each in more or ("",)), filters)
    yield Asked(path, (f"{path}?{'&'.join(('format=csv', *more[:1]))}",), filters[:1], rows)


ASKED = [
    Asked("/api/links", ("/api/links?limit=200", "/api/links?sort=clicks"), ONE),
    Asked("/api/links/{code}", ("/api/links/coast-mail", "/api/links/odd-7"), ONE),
    Asked("/api/campaigns", ("/api/campaigns",), ONE),
    Asked("/api/campaigns/{name}", ("/api/campaigns/Coast to coast",), ONE),
    Asked("/api/filters", ("/api/filters",), ONE),
    Asked("/api/session", ("/api/session",), ONE),
    Asked("/api/status", ("/api/status",), ONE, store_only),
    Asked(f"{GEO}/{{table}}", (f"{GEO}/cities?limit=300",), MANY),
    Asked(
        f"{GEO}/{{table}}",
        tuple(f"{GEO}/{table}?sort=index&limit=200" for table in TABLES),
        ("hours", "few hidden"),
    ),
    Asked(f"{GEO}/{{code}}/{{table}}", (f"{GEO}/odd-0/postal-codes?unplaced=true",), SOME),
    Asked("/api/analytics/clicks", ("/api/analytics/clicks?bucket=day",), MANY),
    Asked(
        "/api/analytics/clicks",
        tuple(f"/api/analytics/clicks?bucket={bucket}" for bucket in ("hour", "week", "month")),
        ("all", "hours", "a country", "few hidden"),
    ),
    Asked(
        "/api/analytics/visitors",
        tuple(f"/api/analytics/visitors?bucket={bucket}" for bucket in ("hour", "day")),
        ("days", "days elsewhere"),
    ),
    Asked("/api/analytics/visitors", ("/api/analytics/visitors?bucket=day",), ("a country",)),
    Asked("/api/analytics/change", ("/api/analytics/change",), ("days", "much at once", "hours")),
    Asked(
        "/api/analytics/breakdown",
        tuple(f"/api/analytics/breakdown?by={by}" for by in BY),
        ("drawn",),
    ),
    Asked(
        "/api/analytics/breakdown",
        ("/api/analytics/breakdown?by=referrer",),
        ("everything", "scans", "few hidden"),
    ),
    Asked(
        "/api/analytics/hours",
        tuple(f"/api/analytics/hours?clock={clock}" for clock in ("reader", "place")),
        SOME,
    ),
    Asked("/api/analytics/live", ("/api/analytics/live?seconds=0",), ONE, plain),
    Asked("/api/analytics/live/{code}", ("/api/analytics/live/coast-mail?seconds=0",), ONE, plain),
    Asked("/api/heat/tilejson", ("/api/heat/tilejson",), BY_PLACE),
    Asked(
        f"/api/heat/tiles/{TILE}.mvt",
        tuple(f"/api/heat/tiles/{at}.mvt" for at in ("0/0/0", "3/4/2", "7/38/47", "12/1239/1514")),
        BY_PLACE,
        plain,
    ),
    Asked("/api/heat/areas", ("/api/heat/areas?level=regions",), SOME),
    *(
        Asked(
            f"/api/heat/surface/{TILE}.png", (f"/api/heat/surface/4/4/5.png?measure={measure}",), FEW, plain
        )
        for measure in ("rate", "index")
    ),
    Asked("/api/heat/frames", ("/api/heat/frames?bucket=day",), ("hours", "a country"), film),
    Asked("/api/heat/frames", ("/api/heat/frames?bucket=week",), ONE, film),
    Asked("/api/compare/areas", tuple(f"/api/compare/areas?level=regions&{b}" for b in VERSUS), SOME),
    Asked("/api/compare/tilejson", tuple(f"/api/compare/tilejson?{b}" for b in VERSUS), SOME),
    Asked(
        f"/api/compare/tiles/{TILE}.mvt",
        tuple(f"/api/compare/tiles/3/2/3.mvt?{b}" for b in VERSUS),
        SOME,
        plain,
    ),
    Asked("/api/insights", ("/api/insights", "/api/insights?clock=reader"), ("a campaign", "an origin")),
    Asked("/api/insights", tuple(f"/api/insights?{b}" for b in VERSUS), ("a link",)),
    *chain(
        insights("concentration"),
        insights("differences", *VERSUS),
        insights("rhythm", "clock=place", "clock=reader"),
        insights("weekends"),
        insights("coasts"),
        insights("peaks", "level=countries", "level=regions"),
        insights("target", filters=("a link split in two",)),
        insights("markets", filters=("a link split in two",)),
        insights("oddities"),
        insights("gaps", "level=regions", "level=counties"),
        insights("hotspots"),
        insights("audience"),
        insights("languages"),
        insights("offers", "by=channel", "by=campaign"),
    ),
    Asked(
        "/api/insights/areas/{area_id}",
        ("/api/insights/areas/country:US", "/api/insights/areas/region:US-MA"),
        FEW,
    ),
    Asked("/api/areas/{area_id}", ("/api/areas/country:US", "/api/areas/region:US-MA"), SOME),
    *(
        Asked("/api/export/clicks.{kind}", (f"/api/export/clicks.{kind}",), filters, FORMATS[kind])
        for kind, filters in (
            ("csv", ("a region and a city's code", "much at once")),
            ("ndjson", ("a language",)),
            ("geojson", ("few hidden",)),
            ("parquet", ("an origin",)),
        )
    ),
    *(
        Asked("/api/export/{table}.{kind}", (f"/api/export/{table}.{kind}",), filters, FORMATS[kind])
        for table, kind, filters in (
            ("countries", "csv", SOME),
            ("cities", "ndjson", ("a link",)),
            ("regions", "geojson", FEW),
            ("postal-codes", "parquet", ("everything",)),
            ("links", "csv", SOME),
            ("campaigns", "csv", ONE),
            ("times", "csv", FEW),
            ("breakdown", "ndjson", FEW),
        )
    ),
    Asked("/api/shared/{secret}", ("/api/shared/{secret}",), ONE),
    Asked(f"/api/shared/{{secret}}/tiles/{TILE}.mvt", ("/api/shared/{secret}/tiles/2/1/1.mvt",), ONE, plain),
    Asked("/api/shared/{secret}/places/{table}", ("/api/shared/{secret}/places/cities",), ONE),
]
ELSEWHERE = {
    "links, people and their settings": """
        /api/annotations /api/audit /api/digest /api/domains /api/domains/ask /api/invitations /api/links/{code}/history
        /api/links/{code}/qr /api/oembed /api/people /api/plan /api/profile/identities /api/sessions
        /api/shares /api/sign-in /api/tokens /api/utm-templates /api/views /api/webhooks
        /api/webhooks/{webhook_id}/deliveries /api/workspace/logo /api/workspaces""",
    "imports, which end in the spool": """
        /api/imports /api/imports/services /api/imports/{import} /api/imports/{import}/refused.csv""",
    "the atlas and the map under it": "/api/areas /api/atlas /api/basemap /api/basemap/tiles.pmtiles",
    "the machine": "/health /health/live /health/ready /metrics",
}
