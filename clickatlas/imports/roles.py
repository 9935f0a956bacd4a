"""What the columns of a table mean: guessed from their names and their first cells, and told by whoever knows better."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from clickatlas.errors import Problem
from clickatlas.links.schemes import scheme_of

# Role: what it is, and the names that columns of it have in the wild, the likeliest first.
ROLES: dict[str, tuple[str, str]] = {
    "time": ("when the click was", "time timestamp click_time clicked_at date datetime dt ts event_time created_at created click_timestamp day when click.timestamp visit_date visited_at"),
    "code": ("the short code, or the whole short address", "code slashtag short_code shortcode slug keyword address back_half backhalf hashid path route.slashtag link.key key alias short_url shorturl short_link shortlink bitlink branded_short_url link_id visited_url link.short_link link uri request_uri request.uri"),
    "url": ("where the link leads", "url long_url longurl destination_url destination original_url originalurl target target_url link.url route.destination.raw redirect_url"),
    "ip": ("the visitor's address", "ip ip_address ipaddress address_ip remote_addr client_ip remote_ip request.remote_ip request.client_ip visitor_ip click.ip c_ip host_ip"),
    "lat": ("latitude in degrees", "lat latitude y click.lat geo.lat visit_location.latitude location.lat"),
    "lon": ("longitude in degrees", "lon lng long longitude x click.lon geo.lon visit_location.longitude location.lon location.lng"),
    "country": ("country, as code or name", "country country_code countrycode country_name click.country visit_location.country_code client.location.country geo.country location.country client_country"),
    "region": ("state or region", "region region_name state region_code subdivision province click.region visit_location.region_name client.location.region geo.region"),
    "city": ("city", "city city_name town click.city visit_location.city_name client.location.city geo.city location.city"),
    "postal": ("postal code", "postal_code postal zip zip_code zipcode postcode plz"),
    "referrer": ("the page before", "referrer_url refererurl referrer referer ref refhost referral.hostname click.referer_url click.referer http_referer referring_url headers.referer request.headers.referer"),
    "user_agent": ("browser's own words", "user_agent useragent ua agent http_user_agent request.headers.user_agent cs_user_agent"),
    "device": ("desktop, mobile or tablet", "device device_type click.device client.agent.device.name platform_type"),
    "browser": ("browser", "browser browser_name click.browser client.agent.browser.name"),
    "system": ("operating system", "os system operating_system platform click.os client.agent.os.name"),
    "language": ("language", "language lang accept_language locale client.language request.headers.accept_language"),
    "bot": ("whether a machine clicked", "bot is_bot potential_bot robot crawler client.agent.type"),
    "human": ("whether a person clicked", "human is_human"),
    "id": ("the click's own number at its source", "click_id clickid click.id event_id eventid visit_id uuid"),
    "count": ("how many clicks the row stands for", "count clicks_count number_of_clicks hits"),
    "countries": ("clicks by country, as {\"us\": 3}", "countries"),
    "status": ("HTTP status", "status status_code st sc_status"),
    "method": ("HTTP method", "method request.method cs_method http_method"),
    "title": ("the link's title", "title link_title name description"),
    "tags": ("the link's tags", "tags tag labels link.tags"),
    "campaign": ("the link's campaign", "campaign campaign_name"),
    "channel": ("the link's channel", "channel"),
    "created": ("when the link was made", "created_at created date_created datecreated createdat timestamp creation_date link.created_at link_created"),
    "expires": ("when the link ends", "expires_at expires expire_in expiresat valid_until meta.valid_until expiration expired_at expiration_date"),
    "max_clicks": ("clicks after which the link ends", "max_clicks max_visits meta.max_visits"),
    "archived": ("whether the link is put away", "archived is_archived"),
}  # fmt: skip
PLACES = ("ip", "lat", "country", "region", "city", "postal", "countries")
OF_CLICKS = ("time", *PLACES)
LINK_ROLES = (
    "code",
    "url",
    "title",
    "tags",
    "campaign",
    "channel",
    "created",
    "expires",
    "max_clicks",
    "archived",
)
_NAMES = {role: names.split() for role, (_what, names) in ROLES.items()}
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d|\d{9,19}(\.\d+)?$|\d\d?/\w{3}/\d{4}:|\w{3}, \d\d? \w{3} \d{4}|\d\d?[/.]\d\d?[/.]\d{4}"
)
MUST_FIT = ("time", "ip", "lat", "lon", "url", "created")


@dataclass(frozen=True)
class Guess:
    """A column for a role, and how sure it is: 1 by name and cells, 0.5 by one of them alone."""

    column: str
    sure: float


@dataclass(frozen=True)
class Columns:
    """Which column plays which role; a column that begins with "=" is the same text for every row."""

    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def of_clicks(self) -> bool:
        """Whether rows are clicks; else they are links."""
        return "time" in self.columns

    def checked(self, names: Iterable[str]) -> Columns:
        """This mapping, where it can be used on a table with columns `names`; raises `Problem` (422)."""
        known, columns = set(names), self.columns
        for role, column in columns.items():
            if role not in ROLES:
                raise Problem(
                    422, "Mapping", f"There is no role {role[:40]!r}.", remedy=f"Roles: {', '.join(ROLES)}."
                )
            if not column.startswith("=") and column not in known:
                raise Problem(
                    422, "Mapping", f"The file has no column {column[:80]!r} for {role}.",
                    remedy=f"Its columns are {', '.join(sorted(known))[:600]}.",
                )  # fmt: skip
        if ("lat" in columns) != ("lon" in columns):
            raise Problem(
                422, "Mapping", "Latitude and longitude go together.", remedy="Name both columns, or neither."
            )
        if "code" not in columns and not (not self.of_clicks and "url" in columns):
            raise _missing(known, "code", "which link was clicked")
        if not self.of_clicks and "url" not in columns:
            raise (
                _missing(known, "time", "when a click was")
                if self._placed
                else _missing(known, "url", "where a link leads")
            )
        if self.of_clicks and not self._placed:
            raise _missing(
                known, "ip, or lat and lon, or a city, postal code or country", "from where a click was"
            )
        return self

    @property
    def _placed(self) -> bool:
        return any(role in self.columns for role in PLACES)


def _missing(names: Iterable[str], role: str, what: str) -> Problem:
    return Problem(
        422, "File", f"No column {role} was found, which says {what}.",
        remedy=f"Say which it is with the mapping; the columns are {', '.join(sorted(names))[:600] or 'none'}.",
    )  # fmt: skip


def plain(name: str) -> str:
    """A column's name for comparing: `visitLocation.cityName` and `Visit location / City name` are one."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())
    return re.sub(r"[^a-z0-9.]+", "_", spaced.lower()).strip("_.")


def guesses(names: Sequence[str], samples: Mapping[str, Sequence[str]]) -> dict[str, Guess]:
    """The likeliest column for each role. `samples` are each column's first cells as text, empty ones left out."""
    plainly: dict[str, str] = {}
    for name in names:
        plainly.setdefault(plain(name), name)
        plainly.setdefault(plain(name).replace("_", ""), name)
    found: dict[str, Guess] = {}
    for role, known in _NAMES.items():
        for name in known:
            column = plainly.get(name)
            if column is not None and (fit := _fit(role, samples.get(column, ()))):
                found[role] = Guess(column, fit)
                break
    if "ip" not in found:
        for name in names:
            if samples.get(name) and _share(_is_address, samples[name]) > 0.9:
                found["ip"] = Guess(name, 0.5)
                break
    return _settled(found, samples)


def _settled(found: dict[str, Guess], samples: Mapping[str, Sequence[str]]) -> dict[str, Guess]:
    """One column plays one role; a table of links has no time of a click, though its links were made at one."""
    placed = any(role in found for role in PLACES)
    if "time" in found and not placed and "url" in found:
        del found["time"]
    if "time" in found:
        for role in ("created", "title"):
            if role in found and found[role].column == found["time"].column:
                del found[role]
    else:
        for role in ("count", "id", "bot", "human", "status", "method"):
            found.pop(role, None)
    if "url" in found and "code" in found and found["url"].column == found["code"].column:
        del found["code"]
    url, code = found.get("url"), found.get("code")
    if url and not code and placed and not _share(_is_url, samples.get(url.column, ())):
        found["code"] = replace(url, sure=0.5)  # a request's path, as web servers log it
        del found["url"]
    return found


def _fit(role: str, cells: Sequence[str]) -> float:
    """How well cells fit a role: 1, 0.5 where that can't be seen, 0 where they don't."""
    if not cells:
        return 0.5
    match role:
        case "time" | "created":
            return 1.0 if _share(lambda cell: bool(_TIME.match(cell)), cells) > 0.5 else 0.0
        case "ip":
            return 1.0 if _share(_is_address, cells) > 0.5 else 0.0
        case "lat" | "lon":
            return 1.0 if _share(_is_number, cells) > 0.5 else 0.0
        case "url":
            return (
                1.0
                if _share(_is_url, cells) > 0.5
                else 0.5
                if _share(lambda c: c.startswith("/"), cells) > 0.5
                else 0.0
            )
        case "code":
            return 0.0 if _share(_is_number_long, cells) > 0.5 else 1.0
        case _:
            return 1.0


def _share(fits: object, cells: Sequence[str]) -> float:
    return sum(map(bool, map(fits, cells))) / len(cells) if cells else 0.0  # type: ignore[call-overload]


def _is_address(cell: str) -> bool:
    try:
        ipaddress.ip_address(cell.strip())
    except ValueError:
        return False
    return not cell.strip().isdigit()


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _is_number_long(cell: str) -> bool:
    return cell.isdigit() and len(cell) > 12


def _is_url(cell: str) -> bool:
    """Of the web or of an app: whether it is allowed is said row by row."""
    head, mark, _ = cell.partition("://")
    return bool(mark and scheme_of(f"{head}:"))
