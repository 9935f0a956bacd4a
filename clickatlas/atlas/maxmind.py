"""A City database from MaxMind itself, with an account's licence key.

By the permalinks that MaxMind documents (https://dev.maxmind.com/geoip/updating-databases): basic
authentication with account id and key, answered by a redirect to a signed address elsewhere; the archive's SHA-256
beside it. MaxMind counts downloads (30 a day for GeoLite2), so the 100 bytes of the digest are asked for first,
and an archive that is already here is not fetched again.
"""

import hashlib
import re
import shutil
import tarfile
import tempfile
import urllib.error
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import NoReturn

from clickatlas.atlas.download import Login, open_url, resume, unreachable
from clickatlas.atlas.files import unusable
from clickatlas.atlas.shelf import receipt, shelve, whole
from clickatlas.progress import Progress

BASE = "https://download.maxmind.com"


@dataclass(frozen=True)
class MaxMind:
    """An account, and the edition that is asked for."""

    account: str
    key: str = field(repr=False)
    edition: str = "GeoLite2-City"
    base: str = BASE

    def url(self, suffix: str) -> str:
        """The permalink of the newest archive, or of what lies beside it."""
        return f"{self.base}/geoip/databases/{self.edition}/download?suffix={suffix}"


def fetch_maxmind(maxmind: MaxMind, cache: Path, progress: Progress, *, fresh: bool = False) -> Path:
    """The edition's .mmdb in the cache; asks MaxMind when `fresh` or when it isn't there whole.

    Downloads go on where they broke off, and only an archive with the digest that MaxMind states is unpacked.
    Raises `Problem`, and leaves what there was.
    """
    shelf = cache.expanduser()
    folder = shelf / f"maxmind+{maxmind.edition}"
    file = folder / f"{maxmind.edition}.mmdb"
    here = whole(folder, [file])
    if here and not fresh:
        return file
    shelf.mkdir(parents=True, exist_ok=True)
    progress.step(f"fetching {maxmind.edition} from MaxMind")
    login = Login(maxmind.account, maxmind.key)
    try:
        stated = _stated(maxmind, login)
        if here and receipt(folder).get("sha256") == stated:
            return file
        part = shelf / f".{maxmind.edition}-{stated[:16]}.part"
        resume(maxmind.url("tar.gz"), part, maxmind.edition, progress, login)
    except urllib.error.HTTPError as error:
        _refused(maxmind, error)
    for old in shelf.glob(f".{maxmind.edition}-*.part"):
        if old != part:
            old.unlink(missing_ok=True)
    with part.open("rb") as archive:
        found = hashlib.file_digest(archive, "sha256").hexdigest()
    if found != stated:
        part.unlink()
        raise unusable(
            f"The {maxmind.edition} that arrived is not the one that MaxMind states.", "Try again."
        )
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=shelf) as scratch:
        unpacked = Path(scratch) / "unpacked"
        unpacked.mkdir()
        _unpack(part, unpacked / file.name)
        shelve(unpacked, folder, package=maxmind.edition, sha256=stated)
    part.unlink()
    return file


def _stated(maxmind: MaxMind, login: Login) -> str:
    """The SHA-256 of the newest archive, as MaxMind states it: '<64 hex digits>  <name of the archive>'."""
    try:
        with open_url(maxmind.url("tar.gz.sha256"), login) as answer:
            text = answer.read(1024).decode("ascii", "replace")
    except urllib.error.HTTPError:
        raise
    except (OSError, HTTPException) as error:
        unreachable("MaxMind", error)
    if not (match := re.match(r"\s*([0-9a-fA-F]{64})\b", text)):
        raise unusable("MaxMind's answer isn't understood: no SHA-256 of the archive in it.", "Try again.")
    return match.group(1).lower()


def _unpack(archive: Path, into: Path) -> None:
    """The database out of `<edition>_<date>/<edition>.mmdb`; nothing else is looked at."""
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                if PurePosixPath(member.name).name == into.name and member.isfile():
                    data = tar.extractfile(member)
                    assert data is not None
                    with into.open("wb") as out:
                        shutil.copyfileobj(data, out, 1 << 20)
                    return
    except (OSError, EOFError, tarfile.TarError) as error:
        raise unusable(f"MaxMind's archive can't be read: {error}.", "Try again.") from error
    raise unusable(
        f"MaxMind's archive holds no {into.name}.", "Choose a City edition with 'maxmind_edition'."
    )


def _refused(maxmind: MaxMind, error: urllib.error.HTTPError) -> NoReturn:
    """Say in words what MaxMind's status means; never what was sent."""
    status = error.code
    if status == 401:
        detail = "MaxMind doesn't know this account id with this licence key (401)."
        remedy = "Check 'maxmind_account' and 'maxmind_key'; a new key works after about five minutes."
    elif status == 403:
        detail = f"This MaxMind account may not download {maxmind.edition} (403)."
        remedy = "Check the account's subscription and the key's permissions, or choose another edition."
    elif status == 404:
        detail = f"MaxMind has no edition called {maxmind.edition} (404)."
        remedy = "GeoLite2-City is the free one, GeoIP2-City the paid one: setting 'maxmind_edition'."
    elif status == 429:
        detail = "MaxMind has had too many downloads from this account today (429)."
        remedy = "Try again tomorrow; what was fetched before is still there."
    else:
        detail, remedy = f"MaxMind answers {status}.", "Try again later."
    raise unusable(detail, remedy) from None
