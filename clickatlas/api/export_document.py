"""docs/export.md, printed from the columns in the code."""

from __future__ import annotations

from collections.abc import Sequence

from clickatlas.api.export_clicks import COLUMNS
from clickatlas.api.export_tables import AREA_HEAD, AREA_TAIL, BREAKDOWN, CAMPAIGNS, LINKS, OF_LEVEL, TIMES
from clickatlas.formats.frames import Column

HEAD = """# Export

<!-- Made from the code by `make docs`: change clickatlas/api/export_document.py. -->

Everything that clickatlas counts can be taken away, in open formats, under any filter:

| format | is | good for |
| --- | --- | --- |
| `csv` | a header and a line per row (RFC 4180, UTF-8) | spreadsheets, anything |
| `ndjson` | a JSON document per line | scripts, streams |
| `parquet` | columns, compressed (ZSTD), some 30 bytes a click | DuckDB, pandas, polars, Spark |
| `geojson` | a FeatureCollection (RFC 7946, WGS 84); rows without a position have no geometry | QGIS, GDAL, geopandas |

All four have the same columns. What is not known is empty in CSV and null elsewhere. In CSV a text that a spreadsheet
would run as a formula gets an apostrophe before it.

```sh
curl -H "Authorization: Bearer $TOKEN" -o clicks.parquet \\
  "$CLICKATLAS/api/export/clicks.parquet?campaign=Spring&from=2026-03-01&to=2026-03-31"
curl -H "Authorization: Bearer $TOKEN" "$CLICKATLAS/api/export/postal-codes.csv?area=region:US-MA&sort=rate"
clickatlas export --output clicks.csv
clickatlas export --link spring-sale --output clicks.geojson
clickatlas export postal-codes --area region:US-MA --sort rate --limit 100 --output codes.parquet
clickatlas export breakdown --by origin --campaign Spring > origins.csv
```

The command line takes every table and every filter of the API, beside a running server or without one, and shows how far it is.
Clicks are exported from all networks there unless `--network` says otherwise; everything else counts people only, as the page does.

On the page it is the arrow above the table. `/api/export/{table}.{format}` answers the same for every table: those listed below, and the clicks themselves.

The filter is that of every other question: `link`, `campaign`, `channel`, `tag`, `device`, `network` (people only unless
`network=all`), `area`, `within`, `from`, `to`, `tz`, `min_cell`. The answer is streamed: memory does not grow with it, ten
million clicks take under a minute. Three headers come before the first row: `rows-total` is the exact number of rows,
`bytes-about` about the size of the file, `clicks-since` the date from which on single clicks are kept, where the filter
asks for earlier ones, too (setting `keep_clicks_days`). All rows are of one moment: that at which the export began.

## Reading it

```python
import duckdb

duckdb.sql("SELECT country, count(*) FROM 'clicks.parquet' GROUP BY country ORDER BY 2 DESC")
```

```python
import pandas

pandas.read_csv("clicks.csv", dtype={"postal_code": str, "county_code": str}, parse_dates=["time"])
```

```python
import geopandas

geopandas.read_file("clicks.geojson").to_file("clicks.gpkg")
```

With `min_cell` (the operator's setting, or more by request) a click's place is the areas that may be shown, without a
position, a clock or a way, and its time is blurred: see [privacy](privacy.md).
"""


SECTIONS = (
    ("Clicks: `clicks`", "One row per click, in time order.", COLUMNS),
    (
        "Areas: `countries`, `regions`, `metros`, `counties`, `cities`, `postal-codes`",
        "One row per area with clicks, most first; `sort`, `order`, `search`, `limit` and `unplaced` as in the tables.",
        (*AREA_HEAD, *OF_LEVEL, *AREA_TAIL),
    ),
    ("Links: `links`", "One row per link that the filter names, newest first.", LINKS),
    ("Campaigns: `campaigns`", "One row per campaign, by name.", CAMPAIGNS),
    (
        "What clicks are made of: `breakdown`",
        "`by=` link, campaign, channel, tag, device, browser, system, language, referrer, network or way.",
        BREAKDOWN,
    ),
    ("Clicks over time: `times`", "`bucket=` hour, day, week or month, in the zone `tz`.", TIMES),
)


def markdown() -> str:
    """The page."""
    return HEAD + "".join(_section(*one) for one in SECTIONS)


def _section(title: str, says: str, columns: Sequence[Column]) -> str:
    rows = "".join(f"| `{column.name}` | {column.kind} | {column.says} |\n" for column in columns)
    return f"\n## {title}\n{says}\n\n| column | holds | meaning |\n| --- | --- | --- |\n{rows}"


if __name__ == "__main__":
    print(markdown(), end="")
