"""Whether the clicks look like people's: what a proxy that is not trusted does to them shows here."""

from __future__ import annotations

from collections.abc import Iterator

from clickatlas.doctor.finding import Finding, fine, warning


def judge(clicks: int, private: int, trusted_proxies: tuple[str, ...]) -> Iterator[Finding]:
    """A finding on `clicks`, of which `private` come from private addresses."""
    if clicks and private == clicks:
        trusted = ", ".join(trusted_proxies) or "none"
        yield warning(
            "all_private",
            f"All {clicks:,} clicks come from private addresses, so none has a place. A reverse proxy hides "
            f"the visitors (trusted_proxies: {trusted}).",
            "Set trusted_proxies to the proxy's network, such as 127.0.0.1/32 or 10.0.0.0/8, and let the proxy "
            "set X-Forwarded-For.",
        )
    elif clicks:
        yield fine("clicks", f"{clicks:,} clicks; {private / clicks:.0%} from private addresses.")
    else:
        yield fine("clicks", "No clicks yet.", "Shorten a link, share it, or try 'clickatlas demo'.")
