"""Where a ClickHouse store is: the parts of `clicks_url`. The password is in no text that this makes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

SCHEMES = ("clickhouse", "chdb")
EXAMPLE = "clickhouse://user:password@host:8123/clickatlas?cluster=NAME"
OPTIONS = ("cluster", "quorum", "secure", "timeout")
SILENT_S = 60
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


@dataclass(frozen=True)
class Address:
    """A database on a server, or on every server of a cluster. Without a host it is the engine in this process (chDB)."""

    database: str
    host: str = ""
    port: int = 8123
    user: str = "default"
    password: str = field(default="", repr=False)
    cluster: str = ""  # as the servers' configuration names it
    quorum: str = ""  # replicas that must have a batch before it counts as stored: a number, or "auto"
    secure: bool = False
    timeout: int = SILENT_S  # seconds that it may be silent before it is asked again
    path: str = ""  # of chDB's files; "" for memory

    @property
    def shown(self) -> str:
        """It without its secrets, for people."""
        if not self.host:
            return f"chdb://{self.path or 'memory'} (database {self.database})"
        cluster = f", cluster {self.cluster}" if self.cluster else ""
        return f"{self.host}:{self.port} (database {self.database}, user {self.user}{cluster})"


def address(url: str) -> Address:
    """The parts of a URL; raises ValueError, whose text has nothing of the URL's."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(f"must be a URL such as {EXAMPLE}") from None
    if parts.scheme not in SCHEMES:
        raise ValueError(
            f"must start with clickhouse://, such as {EXAMPLE}; empty for the file in the data folder"
        )
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := options.keys() - set(OPTIONS):
        raise ValueError(f"has {len(unknown)} unknown options; there are {', '.join(OPTIONS)}")
    if parts.scheme == "chdb":
        return _in_process(parts.netloc, parts.path, options)
    database = unquote(parts.path.strip("/")) or "clickatlas"
    for name, what in ((database, "database"), (options.get("cluster", "c"), "cluster")):
        if not NAME.fullmatch(name):
            raise ValueError(f"must name a {what} of letters, digits and underscores")
    if not re.fullmatch(r"auto|\d{0,2}", quorum := options.get("quorum", "")):
        raise ValueError("has a quorum that is neither a number nor 'auto'")
    if not re.fullmatch(r"[1-9]\d{0,3}", timeout := options.get("timeout", str(SILENT_S))):
        raise ValueError("has a 'timeout' that is not a number of seconds from 1 to 9999")
    if options.get("secure", "false") not in ("true", "false"):
        raise ValueError("has a 'secure' that is neither 'true' nor 'false'")
    secure = options.get("secure") == "true" or port in (8443, 443)
    if not parts.hostname:
        raise ValueError(f"must name a host, such as {EXAMPLE}")
    return Address(
        database=database,
        host=parts.hostname,
        port=port or (8443 if secure else 8123),
        user=unquote(parts.username or "default"),
        password=unquote(parts.password or ""),
        cluster=options.get("cluster", ""),
        quorum=quorum,
        secure=secure,
        timeout=int(timeout),
    )


def _in_process(place: str, path: str, options: dict[str, str]) -> Address:
    """``chdb://memory/database``, for tests; a folder is ``chdb:///folder``."""
    if place:
        return Address(database=path.strip("/") or "clickatlas", cluster=options.get("cluster", ""))
    return Address(database="clickatlas", path=path)
