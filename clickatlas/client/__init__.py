"""A typed client of the clickatlas API.

    from clickatlas.client import Client, Filter

    with Client("https://go.example.com", token) as atlas:
        link = atlas.links.create("https://example.com/spring", campaign="Spring")
        atlas.places("cities", Filter(campaign="Spring", from_="2026-03-01")).to_geopandas()

It needs httpx (`pip install "clickatlas[client]"`), and nothing of what the server needs.
"""

from clickatlas.client.client import Client
from clickatlas.client.filter import Filter
from clickatlas.client.problem import (
    ClickatlasError,
    Invalid,
    MissingLibrary,
    NotAllowed,
    NotFound,
    TooManyRequests,
    Unreachable,
)
from clickatlas.client.rows import (
    Bulk,
    Campaign,
    Card,
    Change,
    Choices,
    Delivery,
    Domain,
    Link,
    LiveClick,
    LiveClicks,
    Place,
    Share,
    Webhook,
)
from clickatlas.client.tables import Breakdown, Columns, Hours, Insights, Places, Timeline, Visitors
from clickatlas.client.webhooks import SignatureError, verify

__all__ = [
    "Breakdown",
    "Bulk",
    "Campaign",
    "Card",
    "Change",
    "Choices",
    "ClickatlasError",
    "Client",
    "Columns",
    "Delivery",
    "Domain",
    "Filter",
    "Hours",
    "Insights",
    "Invalid",
    "Link",
    "LiveClick",
    "LiveClicks",
    "MissingLibrary",
    "NotAllowed",
    "NotFound",
    "Place",
    "Places",
    "Share",
    "SignatureError",
    "Timeline",
    "TooManyRequests",
    "Unreachable",
    "Visitors",
    "Webhook",
    "verify",
]
