"""Links that are asked for together: a workspace's, a campaign's, a channel's, a tag's."""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.orm import Session

from clickatlas.links.models import Link, LinkTag
from clickatlas.links.ways import QR, click_numbers


def together(session: Session) -> dict[str, npt.NDArray[np.int64]]:
    """Click numbers, ascending, by what they have in common; some µs a link. Names are the store's to remember."""
    every: dict[int, list[int]] = {}
    found: dict[str, list[int]] = {}
    links: Counter[str] = Counter()

    def add(name: str, numbers: list[int]) -> None:
        found.setdefault(name, []).extend(numbers)
        links[name] += 1

    rows = session.execute(select(Link.id, Link.workspace_id, Link.campaign_id, Link.channel, Link.ways_made))
    for link, workspace, campaign, channel, made in rows:
        every[link] = click_numbers(link, made)
        scans = click_numbers(link, made, scanned=True)
        add(f"workspace {workspace}", every[link])
        if campaign is not None:
            add(f"campaign {campaign}", every[link])
        if channel is not None and channel != QR:
            add(f"channel {workspace} {channel}", click_numbers(link, made, scanned=False))
        add(f"channel {workspace} {QR}", every[link] if channel == QR else scans)
    tags = select(Link.workspace_id, LinkTag.tag, Link.id).join(Link, Link.id == LinkTag.link_id)
    for workspace, tag, link in session.execute(tags):
        add(f"tag {workspace} {tag}", every[link])
    return {name: np.sort(np.array(of, np.int64)) for name, of in found.items() if links[name] > 1}
