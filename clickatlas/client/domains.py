"""The workspace's own domains: wanted, checked, chosen, let go of."""

from __future__ import annotations

from clickatlas.client.rows import Domain, read
from clickatlas.client.transport import Transport


class Domains:
    """The workspace's own domains. To change them takes an owner's token with the scope `admin`."""

    def __init__(self, transport: Transport) -> None:
        self._ask = transport.ask

    def list(self) -> tuple[Domain, ...]:
        """All, as they were added; each with the DNS records that it needs."""
        return tuple(read(Domain, row) for row in self._ask("GET", "/api/domains")["rows"])

    def add(self, name: str) -> Domain:
        """Say that the workspace wants it: set its `records`, then `check`."""
        return read(Domain, self._ask("POST", "/api/domains", json={"name": name}))

    def check(self, domain: Domain | int) -> Domain:
        """Look at its DNS records now: `verified_at` is set once it is proved, `problem` says what is missing."""
        return read(Domain, self._ask("POST", f"{_path(domain)}/check"))

    def make_primary(self, domain: Domain | int, primary: bool = True) -> Domain:
        """Have new links be on it unless they say where, or no longer."""
        return read(Domain, self._ask("PATCH", _path(domain), json={"primary": primary}))

    def remove(self, domain: Domain | int) -> None:
        """Let go of it. Its links and their clicks stay, and lead nowhere until it is back."""
        self._ask("DELETE", _path(domain))


def _path(domain: Domain | int) -> str:
    return f"/api/domains/{domain if isinstance(domain, int) else domain.id}"
