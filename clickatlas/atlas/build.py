"""A City database, ZIP figures and city populations, made into an atlas ready to be mapped into memory."""

import gc
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from clickatlas.atlas import networks
from clickatlas.atlas.blocks import Blocks
from clickatlas.atlas.contents import Contents
from clickatlas.atlas.decode import CityData
from clickatlas.atlas.files import FORMAT, save, unusable
from clickatlas.atlas.gather import save_clusters
from clickatlas.atlas.gazetteer import Gazetteer, read_gazetteer
from clickatlas.atlas.parents import find_parents, save_parents
from clickatlas.atlas.people import save_people
from clickatlas.atlas.places import NOWHERE, PRIVATE, is_unplaced
from clickatlas.atlas.population import place_population, zips_of
from clickatlas.atlas.ranges import SAMPLE, Ranges, assemble
from clickatlas.atlas.records import NO_COORDINATE, UNKNOWN, Names
from clickatlas.atlas.retired import retired_contents
from clickatlas.atlas.sources import CENSUS, CITIES, KINDS, ZIPS, Ingredients, described
from clickatlas.atlas.tree import Leaves
from clickatlas.progress import Progress

F64 = npt.NDArray[np.float64]


def build(made_from: Ingredients, out: Path, *, keep: Path | None, progress: Progress) -> Path:
    """Build an atlas in the folder `out` (made if need be) and return it.

    `keep` is the atlas before: its places that the new database lacks are appended as retired ones, so that
    old clicks keep their meaning. Raises `Problem` when a file is no City database.
    """
    # Records read one by one are hundreds of thousands of small tuples and strings that are kept: looking for
    # cycles among them finds none, and takes its time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        _build(made_from, out, keep, progress)
    finally:
        if collecting:
            gc.enable()
    return out


def _build(made_from: Ingredients, out: Path, keep: Path | None, progress: Progress) -> None:
    out.mkdir(parents=True, exist_ok=True)
    data = CityData()
    for file in _city_files(made_from.city):
        data.add(file, progress)
    progress.step("ordering the places")
    contents, keys, renumber = _number(data.contents)
    retired = np.zeros(len(contents), bool)
    if keep:
        old = Contents.of(retired_contents(keep, set(keys.tolist()), data.names))
        contents, keys = contents.joined(old), np.concatenate([keys, old.keys()])
        retired = np.arange(len(contents)) >= retired.size
    if np.unique(keys).size != keys.size:  # once in half a billion builds
        raise unusable("Two places have one key.", "Please report this, with the City database it came from.")

    progress.step("cutting the address space into ranges")
    addresses = _save_ranges(out, data, renumber, len(contents), made_from.kinds)
    progress.step("reading cities and ZIP codes")
    gazetteer = read_gazetteer(made_from.cities, made_from.zips, made_from.census)
    progress.step("finding the areas of every place")
    _save_places(out, contents, keys, retired, addresses, data.names, gazetteer)
    save_people(out, made_from.zips, made_from.census)
    progress.step("gathering places into clusters")
    save_clusters(out)
    progress.step("writing the atlas")
    _describe(out, data, contents, made_from, keys[retired])
    progress.done()


def _number(read: Contents) -> tuple[Contents, npt.NDArray[np.uint64], npt.NDArray[np.int32]]:
    """Contents and keys by place number, and the place number of every row of `read`.

    Places are in the order of their content: neighbours in a table are neighbours in memory, and the numbers
    don't depend on the order in which the tree was walked.
    """
    rows = np.flatnonzero(read.known())
    known = read.take(rows)
    first, position, keys = known.ordered()
    reserved = Contents.of([UNKNOWN, UNKNOWN])
    renumber = np.full(len(read), NOWHERE, np.int32)
    renumber[rows] = position + len(reserved)
    keys = np.concatenate([np.array([NOWHERE, PRIVATE], np.uint64), keys])
    return reserved.joined(known.take(first)), keys, renumber


def _save_ranges(
    out: Path, data: CityData, renumber: npt.NDArray[np.int32], count: int, kinds: Path | None
) -> F64:
    """Write all ranges; returns how many addresses lead to each place (IPv6 in /48s)."""
    addresses = np.zeros(count)
    lists = ((data.v4, networks.SPECIAL4, 32), (data.v6, networks.SPECIAL6, 16))
    for (parts, special, unit), name in zip(lists, ("v4", "v6"), strict=True):
        leaves = Leaves(
            *(np.concatenate(column) for column in zip(*(leaves for leaves, _ in parts), strict=True))
        )
        value = renumber[np.concatenate([number for _, number in parts])]
        said = value != NOWHERE  # a record that says nothing leaves a private network private
        if not said.all():
            leaves, value = Leaves(*(column[said] for column in leaves)), value[said]
        ranges = assemble(leaves, value, special, PRIVATE, NOWHERE)
        _save(out, name, ranges, deep=bool(ranges.lo.any()))
        size = np.diff(ranges.hi.astype(np.float64), append=2.0**64) / 2.0**unit
        addresses += np.bincount(ranges.value, size, minlength=count)
    four, six = networks.network_kinds(kinds)
    _save(out, "kind4", four._replace(value=four.value.astype(np.uint8)), deep=False)
    _save(out, "kind6", six._replace(value=six.value.astype(np.uint8)), deep=True)
    return addresses


def _save(out: Path, name: str, ranges: Ranges, deep: bool) -> None:
    save(out, f"{name}_value", ranges.value)
    if name.endswith("4"):
        start = (ranges.hi >> np.uint64(32)).astype(np.uint32)
        save(out, f"{name}_start", start)
        Blocks.of(start, ranges.value).save(out, name)
    else:
        save(out, f"{name}_start", ranges.hi)
        save(out, f"{name}_sample", ranges.hi[::SAMPLE])
        if deep:
            save(out, f"{name}_start_low", ranges.lo)


def _save_places(
    out: Path,
    contents: Contents,
    keys: npt.NDArray[np.uint64],
    retired: npt.NDArray[np.bool_],
    addresses: F64,
    names: Names,
    gazetteer: Gazetteer,
) -> None:
    lat, lon = (np.where(column == NO_COORDINATE, np.nan, column) for column in (contents.lat, contents.lon))
    lat[np.isnan(lon)] = np.nan
    radius = contents.radius.astype(np.uint16)
    unplaced = is_unplaced(~contents.city.blank(), ~contents.postal.blank(), radius, lat)
    zips = zips_of(contents, gazetteer)
    people = place_population(contents, zips, unplaced, retired, gazetteer)
    zones = [zone for zone in contents.zone.words if zone]
    order = np.argsort(keys)
    columns = {
        "place_key": keys,
        "place_lat": lat,
        "place_lon": lon,
        "place_radius": radius,
        "place_unplaced": unplaced,
        "place_retired": retired,
        "place_zone": contents.zone.numbers().astype(np.int16),
        "place_population": people,
        "place_addresses": addresses,
        "key_sorted": keys[order],
        "key_order": order.astype(np.int32),
    }
    for name, column in columns.items():
        save(out, name, column)
    (out / "zones.json").write_text(json.dumps(zones), "utf-8")
    parents = find_parents(contents, zips, unplaced, lat, lon, names, gazetteer)
    save_parents(out, parents, lat, lon, people, addresses)


def _describe(
    out: Path,
    data: CityData,
    contents: Contents,
    made_from: Ingredients,
    retired: npt.NDArray[np.uint64],
) -> None:
    """Write atlas.json, the last file of all: an atlas without it is none."""
    built = datetime.fromtimestamp(data.built, UTC)
    made_of = fingerprint(made_from)
    mark = hashlib.blake2b(made_of.encode() + np.sort(retired).tobytes(), digest_size=4).hexdigest()
    kinds = KINDS._replace(version=f"table of {networks.built(made_from.kinds):%Y-%m-%d}")
    sources = [described(data.kind, made_from, built), ZIPS, CITIES, kinds]
    if made_from.census:
        sources.append(CENSUS._replace(version=made_from.census.parent.name.rpartition("@")[2]))
    about = {
        "format": FORMAT,
        "version": f"{built:%Y-%m-%d}-{mark}",
        "made_from": made_of,
        "built": built.isoformat(),
        "places": len(contents),
        "retired": int(retired.size),
        "deep": (out / "v6_start_low.npy").exists(),
        "aliases": [(hex(alias.prefix), alias.length) for alias in dict.fromkeys(data.aliases)],
        "zones": json.loads((out / "zones.json").read_text("utf-8")),
        "sources": [source._asdict() for source in sources],
        "city_file": str(made_from.city.absolute()) if made_from.origin == "file" else "",
    }
    (out / "zones.json").unlink()
    (out / "atlas.json").write_text(json.dumps(about, indent=1), "utf-8")


def fingerprint(made_from: Ingredients) -> str:
    """What an atlas is made from: the digest of its files, of the network kinds and of the format."""
    kinds = networks.built(made_from.kinds).isoformat()
    digest = hashlib.blake2b(f"{FORMAT} {kinds}".encode(), digest_size=16)
    cities = (made_from.cities, made_from.cities.with_name("countries.json"))
    census = (made_from.census,) if made_from.census else ()
    for file in (*_city_files(made_from.city), made_from.zips, *cities, *census):
        with file.open("rb") as handle:
            digest.update(hashlib.file_digest(handle, "blake2b").digest())
    return digest.hexdigest()


def _city_files(city: Path) -> list[Path]:
    return sorted(city.glob("*.mmdb")) if city.is_dir() else [city]
