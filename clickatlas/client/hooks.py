"""Webhooks: made, changed, tried and ended; and what became of their deliveries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from clickatlas.client.rows import Delivery, Webhook, read
from clickatlas.client.transport import Transport


class Webhooks:
    """The workspace's webhooks. They take an owner's token with the scope `admin`; `verify` checks what they send."""

    def __init__(self, transport: Transport) -> None:
        self._ask = transport.ask

    def list(self) -> tuple[Webhook, ...]:
        """All, oldest first."""
        return tuple(read(Webhook, row) for row in self._ask("GET", "/api/webhooks")["rows"])

    def create(self, url: str, events: Sequence[str], **fields: Any) -> Webhook:
        """Have `url` told of `events` (link.created, click, insight.new, …); its `secret` is told this once."""
        document = {"url": url, "events": [*events], **fields}
        return read(Webhook, self._ask("POST", "/api/webhooks", json=document))

    def edit(self, webhook: Webhook | int, **fields: Any) -> Webhook:
        """Change what is given: `url`, `events`, `active`."""
        return read(Webhook, self._ask("PATCH", _path(webhook), json=fields))

    def rotate(self, webhook: Webhook | int) -> Webhook:
        """Give it a new `secret`, told this once. For a day deliveries are signed with the old one, too."""
        return read(Webhook, self._ask("POST", f"{_path(webhook)}/secret"))

    def test(self, webhook: Webhook | int) -> Delivery:
        """Send it an event `webhook.test`."""
        return read(Delivery, self._ask("POST", f"{_path(webhook)}/test"))

    def deliveries(
        self, webhook: Webhook | int, *, failed: bool = False, page: int = 100
    ) -> Iterator[Delivery]:
        """Those of the last week, newest first; `failed`: only those that were tried and not taken."""
        params = [("limit", str(page)), *([("failed", "true")] if failed else [])]
        cursor: list[tuple[str, str]] = []
        while True:
            found = self._ask("GET", f"{_path(webhook)}/deliveries", [*params, *cursor])
            yield from (read(Delivery, row) for row in found["rows"])
            if not found["next_cursor"]:
                return
            cursor = [("cursor", found["next_cursor"])]

    def replay(self, webhook: Webhook | int, delivery: Delivery | int) -> Delivery:
        """Send a delivery once more, under the same id."""
        number = delivery if isinstance(delivery, int) else delivery.id
        return read(Delivery, self._ask("POST", f"{_path(webhook)}/deliveries/{number}/replay"))

    def end(self, webhook: Webhook | int) -> None:
        """Forget it, and what waits for it."""
        self._ask("DELETE", _path(webhook))


def _path(webhook: Webhook | int) -> str:
    return f"/api/webhooks/{webhook if isinstance(webhook, int) else webhook.id}"
