"""Which addresses are the public internet's: where a fetch may go.

Everything else is somebody's inside: this machine, its neighbours, a cloud's own services.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_PUBLIC_SIX = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NOT_PUBLIC = (
    ipaddress.ip_network("168.63.129.16/32"),  # Azure's services for its own machines
    ipaddress.ip_network("192.0.0.0/24"),  # protocols' own, and a cloud's
    ipaddress.ip_network("192.88.99.0/24"),  # 6to4 relays
    ipaddress.ip_network("2001::/23"),  # Teredo and other protocols' own
    ipaddress.ip_network("3fff::/20"),  # documentation
    ipaddress.ip_network("5f00::/16"),  # segment routing
)
_ISATAP = (0x00005EFE, 0x02005EFE)


class Reach:
    """The public internet, and the `allowed` networks (CIDR) besides it."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed: list[Network] = [ipaddress.ip_network(text, strict=False) for text in allowed]

    def has(self, text: str) -> bool:
        """Whether a connection to the address `text` may be made; what is no address is not in reach."""
        try:
            address: Address = ipaddress.ip_address(text.partition("%")[0])
        except ValueError:
            return False
        return all(self._may(one) for one in _with_embedded(address))

    def _may(self, address: Address) -> bool:
        if any(address in network for network in self._allowed if network.version == address.version):
            return True
        return _is_public(address)


def _is_public(address: Address) -> bool:
    if address.is_multicast or any(
        address in network for network in _NOT_PUBLIC if network.version == address.version
    ):
        return False
    if isinstance(address, ipaddress.IPv6Address):
        return (address in _PUBLIC_SIX and address.is_global) or address in _NAT64
    return address.is_global


def _with_embedded(address: Address) -> list[Address]:
    """The address and the IPv4 addresses that a gateway would take it for; of a mapped one, only the latter."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    found: list[Address] = [address]
    last = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address.sixtofour is not None:
        found.append(address.sixtofour)
    if address in _NAT64 or (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
        found.append(last)
    return found
