"""Kinds of settings: what a value must look like, and how it is kept."""

from __future__ import annotations

import ipaddress
import re
from email.utils import parseaddr
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from clickatlas.clicks.clickhouse_address import address
from clickatlas.links.schemes import app_schemes


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


def _sender(value: str) -> str:
    address = parseaddr(value)[1]
    if value and ("@" not in address or not value.isprintable()):
        raise ValueError("must be an address, such as Links <links@example.com>")
    return value


def _database_url(value: str) -> str:
    if not value:
        return value
    wanted = (
        "must be postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with %40 for @ and %2F for / in the password"
    )
    try:
        parts = urlsplit(value)
        good = (
            parts.scheme in ("postgresql", "postgres") and len(parts.path) > 1 and "/" not in parts.path[1:]
        )
        good = good and parts.port != 0 and not parts.fragment and value.isprintable()
    except ValueError:  # its words would tell a part of the password, where that has a colon or a slash
        raise ValueError(wanted) from None
    if not good:
        raise ValueError(wanted)
    return value.replace("postgres://", "postgresql://", 1) if parts.scheme == "postgres" else value


def _issuer(value: str) -> str:
    if not value:
        return value
    parts = urlsplit(value)
    beside = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and beside)):
        raise ValueError("must be an https:// address; http:// is for this machine only")
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError("must have no query, fragment or user in it")
    return value


def _clicks_url(value: str) -> str:
    if value:
        address(value)
    return value


def _name_servers(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        name_server(value)
    return values


def name_server(text: str) -> tuple[str, int]:
    """Address and port of a name server as the settings have it: ``1.2.3.4``, ``1.2.3.4:5353``, ``[2001:db8::1]:53``."""
    address, colon, port = text.rpartition(":")
    if not colon or (text.count(":") > 1 and not address.endswith("]")):
        address, port = text, "53"
    ipaddress.ip_address(address.strip("[]"))
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError("must be addresses with a port, as 127.0.0.1:53")
    return address.strip("[]"), int(port)


HostNames = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_comma_list), AfterValidator(_hosts)]
AppSchemes = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_comma_list), AfterValidator(app_schemes)]
Ports = Annotated[tuple[Annotated[int, Field(ge=1, le=65535)], ...], NoDecode, BeforeValidator(_comma_list)]
Networks = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_comma_list), AfterValidator(_networks)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
Basemap = Annotated[str, AfterValidator(_basemap)]
ClicksUrl = Annotated[str, AfterValidator(_clicks_url)]
Issuer = Annotated[str, AfterValidator(_issuer)]
Sender = Annotated[str, AfterValidator(_sender)]
NameServers = Annotated[
    tuple[str, ...], NoDecode, BeforeValidator(_comma_list), AfterValidator(_name_servers)
]
