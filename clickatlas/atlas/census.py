"""Newer figures of US ZIP codes from the Census API, with their margins of error.

One question: `data/<year>/acs/acs5` for every ZIP Code Tabulation Area. The answer is a list of lists of strings,
the first row names the columns. Numbers of nine equal digits below zero aren't numbers but remarks; see
https://www.census.gov/data/developers/data-sets/acs-1year/notes-on-acs-estimate-and-annotation-values.html
"""

import json
import tempfile
import urllib.error
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import numpy as np
import numpy.typing as npt

from clickatlas.atlas.download import open_url, unreachable
from clickatlas.atlas.figures import REFRESHED, extras
from clickatlas.atlas.files import unusable
from clickatlas.atlas.margins import of_sum
from clickatlas.atlas.shelf import shelve, whole
from clickatlas.progress import Progress

F64 = npt.NDArray[np.float64]

BASE = "https://api.census.gov"
ZCTA = "zip code tabulation area"
FIRST_YEAR = 2020  # earlier ones have other areas, and ask for a state
LOOK_BACK = 3  # years: the figures of a year are published in the December after it, or later
FILE = "zcta.parquet"
REMARK = -111_111_111.0  # this and anything below it isn't a number
CONTROLLED = -555_555_555.0  # a margin: the estimate is held to a count, its sampling error taken for zero


def fetch_census(
    key: str, cache: Path, progress: Progress, *, year: int | None = None, base: str = BASE
) -> Path:
    """The figures of `year`, or of the newest year there is, as a Parquet file in the cache.

    A row per ZCTA: `zip`, `year`, the figures by name and their `figures.extras`. Raises `Problem`, with the
    API's words and never the key.
    """
    if year is not None and year < FIRST_YEAR:
        raise unusable(f"There are no figures by ZIP code to compare with for {year}.", "Give 2020 or later.")
    last = datetime.now(UTC).year - 1
    for one in [year] if year else range(last, last - LOOK_BACK, -1):
        progress.step(f"asking the Census API for {one}")
        rows = _ask(key, one, base)
        if rows is not None:
            return _keep(_columns(rows), one, cache.expanduser())
    raise unusable(
        f"The Census API has no figures of {year or f'{last - LOOK_BACK + 1} to {last}'} (yet).",
        "Give a year with --year; a year's figures are out in the December after it.",
    )


def newest_census(cache: Path) -> Path | None:
    """The newest figures in the cache that are whole, or None."""
    for folder in sorted(cache.expanduser().glob("census-acs5@*"), reverse=True):
        if whole(folder, [folder / FILE]):
            return folder / FILE
    return None


def variables() -> list[str]:
    """What is asked for: estimates and margins, 32 of the 50 that one question may have."""
    codes = {code: None for f in REFRESHED for code in (*f.variables, f.base_variable) if code}
    return [f"{code}{end}" for code in codes for end in "EM"]


def _ask(key: str, year: int, base: str) -> list[list[str | None]] | None:
    """The answer's rows; None where there is no such year."""
    url = f"{base}/data/{year}/acs/acs5?get={','.join(variables())}&for={quote(ZCTA)}:*&key={quote(key, safe='')}"
    try:
        with open_url(url) as answer:
            body = answer.read()
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        words = error.read(300).decode("utf-8", "replace").replace(key, "…")
        raise unusable(f"The Census API answers {error.code}: {' '.join(words.split())}") from None
    except (OSError, HTTPException) as error:
        unreachable("The Census API", error)
    try:
        rows = json.loads(body)
        assert isinstance(rows, list)
        assert rows
        assert all(isinstance(row, list) and len(row) == len(rows[0]) for row in rows)
    except (ValueError, AssertionError):
        if b"key" in body.lower():  # a page in HTML, with status 200
            raise unusable(
                "The Census API doesn't accept this key.",
                "Ask for a free one at https://api.census.gov/data/key_signup.html and confirm it by mail.",
            ) from None
        raise unusable("The Census API's answer isn't understood.", "Try again later.") from None
    return rows


def _columns(rows: list[list[str | None]]) -> dict[str, Any]:
    """Columns by name, in order of ZIP code: the figures, and what `figures.extras` names."""
    head = rows[0]
    if missing := {*variables(), ZCTA} - set(head):
        raise unusable(f"The Census API's answer lacks {', '.join(sorted(missing))}.", "Try again later.")
    table = dict(zip(head, zip(*rows[1:], strict=True), strict=False))
    if not table.get(ZCTA):
        raise unusable("The Census API's answer is empty.", "Try again later.")
    estimate = {code[:-1]: _numbers(table[code]) for code in variables() if code.endswith("E")}
    margin = {code: _numbers(table[f"{code}M"], controlled=0.0) for code in estimate}
    answer: dict[str, Any] = {"zip": np.array(table[ZCTA], dtype=object)}
    for figure in REFRESHED:
        parts = np.array([estimate[code] for code in figure.variables])
        total = parts.sum(axis=0)
        answer[figure.name] = total
        spread = of_sum(parts, np.array([margin[code] for code in figure.variables]))
        answer[f"{figure.name}_margin"] = np.where(np.isnan(total), np.nan, spread)
        if figure.base_variable:
            base = estimate[figure.base_variable]
            answer[figure.name] = np.divide(total, base, out=np.full(base.size, np.nan), where=base > 0)
            answer[f"{figure.name}_base"] = base
            answer[f"{figure.name}_base_margin"] = margin[figure.base_variable]
    return answer


def _numbers(texts: tuple[str | None, ...], controlled: float = float("nan")) -> F64:
    """Numbers as the API writes them; NaN for null and for remarks, `controlled` for that remark."""
    values = np.array([np.nan if text is None else float(text) for text in texts])
    return np.asarray(np.where(values == CONTROLLED, controlled, np.where(values <= REMARK, np.nan, values)))


def _keep(columns: dict[str, Any], year: int, cache: Path) -> Path:
    """Write the columns into the cache."""
    folder = cache / f"census-acs5@{year}"
    cache.mkdir(parents=True, exist_ok=True)
    names = [name for figure in REFRESHED for name in (figure.name, *extras(figure))]
    chosen = ", ".join(f'CASE WHEN isnan("{name}") THEN NULL ELSE "{name}" END AS "{name}"' for name in names)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=cache) as scratch:
        unpacked = Path(scratch) / "unpacked"
        unpacked.mkdir()
        with duckdb.connect() as memory:
            memory.register("answered", columns)
            memory.execute(
                f"CREATE TABLE kept AS SELECT zip, {year} AS year, {chosen} FROM answered ORDER BY zip"
            )
            memory.execute(
                f"COPY kept TO '{str(unpacked / FILE).replace(chr(39), chr(39) * 2)}' (FORMAT parquet)"
            )
        shelve(unpacked, folder, package=f"acs5 {year}")
    return folder / FILE
