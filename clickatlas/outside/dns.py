"""Records of a host, asked of name servers: what a domain's owner says, and where it leads."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from dns.asyncresolver import Resolver
from dns.exception import DNSException
from dns.name import EmptyLabel, LabelTooLong, NameTooLong
from dns.nameserver import Do53Nameserver
from dns.rdatatype import CNAME
from dns.resolver import NXDOMAIN, Answer, NoAnswer

from clickatlas.setting_kinds import name_server

SECONDS = 5.0
_BAD = (EmptyLabel, LabelTooLong, NameTooLong)


class DnsError(Exception):
    """Why nothing is known: no name server answers, or not with an answer."""


class Addresses(NamedTuple):
    """Where a host leads."""

    addresses: frozenset[str]
    alias: str  # the host that it is another name of (CNAME), or ""


class NameServers:
    """Asks `servers` (as the settings have them), else those of the system. Nothing is kept: who asks wants to see a change."""

    def __init__(self, servers: Sequence[str] = (), *, seconds: float = SECONDS) -> None:
        self._servers = servers
        self._seconds = seconds

    async def texts(self, host: str) -> list[bytes]:
        """The TXT records of `host`, each put together; none where there are none. Raises `DnsError`."""
        answer = await self._ask(host, "TXT")
        return [b"".join(record.strings) for record in answer or ()]

    async def addresses(self, host: str) -> Addresses:
        """The addresses of `host`; none where it has none. Raises `DnsError`."""
        found: set[str] = set()
        alias = ""
        for answer in await asyncio.gather(self._ask(host, "A"), self._ask(host, "AAAA")):
            if answer is None:
                continue
            found |= {record.address for record in answer}
            for rrset in answer.response.answer:
                if rrset.rdtype == CNAME and not alias:
                    alias = rrset[0].target.to_text(omit_final_dot=True).lower()
        return Addresses(frozenset(found), alias)

    async def _ask(self, host: str, kind: str) -> Answer | None:
        try:
            resolver = Resolver(configure=not self._servers)
            if self._servers:
                resolver.nameservers = [Do53Nameserver(*name_server(server)) for server in self._servers]
            return await resolver.resolve(f"{host}.", kind, lifetime=self._seconds)
        except (NXDOMAIN, NoAnswer, *_BAD):
            return None
        except (DNSException, OSError) as error:
            raise DnsError(type(error).__name__) from None
