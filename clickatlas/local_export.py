"""Tables of this machine's installation as files: from the running server, or from the store itself where none runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from clickatlas.errors import invalid
from clickatlas.links import keys
from clickatlas.links.roles import SCOPES
from clickatlas.local import answer
from clickatlas.processes import is_held
from clickatlas.progress import Progress
from clickatlas.settings import Settings

if TYPE_CHECKING:
    from clickatlas.api.house import House
    from clickatlas.clicks.filter import Filter
    from clickatlas.formats.frames import Table

Asked = Mapping[str, Sequence[str]]  # parameters as the API has them


class Sizes(NamedTuple):
    """Of an export: how many rows it has, and about how many bytes."""

    rows: int
    about: int


def export(
    settings: Settings, table: str, kind: str, output: Path | None, progress: Progress, asked: Asked
) -> int:
    """Write `table` under the filter `asked` to `output` (None: standard output); returns how many rows. Raises `Problem`."""
    partial = output.with_name(output.name + ".partial") if output else None
    progress.step("Exporting")
    if is_held(settings.data):
        if settings.min_cell:
            asked = {**asked, "min_cell": [str(settings.min_cell)]}
        pieces = _from_server(settings, f"/api/export/{table}.{kind}?{urlencode(asked, doseq=True)}")
    else:
        pieces = _from_store(settings, table, kind, asked)
    sizes = next(pieces)
    assert isinstance(sizes, Sizes)
    with partial.open("wb") if partial else _stdout() as file:
        written = 0
        for piece in pieces:
            assert isinstance(piece, bytes)
            written += file.write(piece)
            progress.advance(min(written / max(sizes.about, 1), 0.99))
    if partial and output:
        partial.replace(output)  # never half a file under the name that was asked for
    progress.done()
    return sizes.rows


def _from_server(settings: Settings, path: str) -> Iterator[Sizes | bytes]:
    with answer(settings, path) as response:
        yield Sizes(int(response.headers["rows-total"]), int(response.headers["bytes-about"]))
        while piece := response.read(1 << 18):
            yield piece


def _from_store(settings: Settings, name: str, kind: str, asked: Asked) -> Iterator[Sizes | bytes]:
    from clickatlas.app import open_house
    from clickatlas.formats.files import Format, begun

    wanted = _filter(settings, asked)
    house = open_house(settings)
    try:
        while house.ingest.ingest.step():
            pass
        about, pieces = begun(table := _table(house, name, wanted, asked), Format(kind))
        yield Sizes(table.total, about)
        yield from pieces
    finally:
        house.store.close()


def _filter(settings: Settings, asked: Asked) -> Filter:
    """What `api.filters` reads of a request, read of `asked`. Raises `Problem` (422)."""
    from clickatlas.clicks.filter import Filter, Traits, devices, moment, network_kinds, shapes, zone_info
    from clickatlas.clicks.origins import origins

    zone, start, end = (_one(asked, name) for name in ("tz", "from", "to"))
    zone_info(zone or "UTC")
    first = moment(start, zone or "UTC", field="from") if start else None
    last = moment(end, zone or "UTC", field="to", is_end=True) if end else None
    if first is not None and last is not None and last <= first:
        raise invalid("'to' is not after 'from'.", remedy="Swap them.", field="to")
    some = {name: tuple(asked.get(name, ())) for name in ("link", "campaign", "channel", "tag", "area")}
    browser, system, language, referrer = (
        tuple(asked.get(name, ())) for name in ("browser", "system", "language", "referrer")
    )
    return Filter(
        some["link"], some["campaign"], some["channel"], some["tag"], first, last, zone or "UTC",
        devices(asked.get("device", ())), network_kinds(asked.get("network", ())), some["area"],
        shapes(list(asked.get("within", ()))), settings.min_cell,
        Traits(browser, system, language, referrer, origins(list(asked.get("origin", ())))),
    )  # fmt: skip


def _table(house: House, name: str, wanted: Filter, asked: Asked) -> Table:
    from clickatlas.api.breakdown import Part
    from clickatlas.api.clicks import Bucket
    from clickatlas.api.export_clicks import clicks_table
    from clickatlas.api.export_tables import TABLES, Wanted
    from clickatlas.api.geo import Order, shown
    from clickatlas.insight.sorting import Sort

    with house.links.writing() as session:
        person, workspace = keys.owner(session)
    if name == "clicks":
        return clicks_table(house.questions, workspace, wanted)
    who = keys.Caller(
        workspace=workspace, workspace_name="", person=person, person_name="", email=None, role="owner", key=0,
        kind=keys.TOKEN, may=frozenset(SCOPES), used_on=None, expires_at=None, plan=None,
    )  # fmt: skip
    limit, order = _one(asked, "limit"), _one(asked, "order")
    how = shown(
        limit=int(limit) if limit else None,
        sort=Sort(_one(asked, "sort") or Sort.CLICKS),
        order=Order(order) if order else None,
        search=_one(asked, "search") or "",
        unplaced=_one(asked, "unplaced") == "true",
    )
    by, bucket = Part(_one(asked, "by") or Part.LINK), Bucket(_one(asked, "bucket") or Bucket.DAY)
    return TABLES[name](house, who, Wanted(wanted, how, by, bucket))[0]


def _one(asked: Asked, name: str) -> str | None:
    return next(iter(asked.get(name, ())), None)


@contextmanager
def _stdout() -> Iterator[Any]:
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()
