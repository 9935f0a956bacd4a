"""Tables of links, campaigns, workspaces, people, saved views and the audit log."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clickatlas.links.columns import Base as Base
from clickatlas.links.columns import Document as Document
from clickatlas.links.columns import Moment as Moment
from clickatlas.links.columns import Number as Number
from clickatlas.links.columns import now as now


class Workspace(Base):
    """A team's own room: its links, campaigns and people."""

    __tablename__ = "workspaces"
    id: Mapped[int] = mapped_column(Number, primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    plan: Mapped[str | None] = mapped_column(String(16))  # None: the installation's
    plan_at: Mapped[datetime | None] = mapped_column(Moment)  # when the payment was that switched it
    customer: Mapped[str | None] = mapped_column(String(255), index=True)  # as the payment service calls them


class PaymentEvent(Base):
    """An event of the payment service that was taken: sent again, it changes nothing more."""

    __tablename__ = "payment_events"
    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment, default=now)


class Person(Base):
    """Somebody who signs in."""

    __tablename__ = "people"
    id: Mapped[int] = mapped_column(Number, primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str | None] = mapped_column(String(320), unique=True)  # in lower case
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    # Since when the address is known to be theirs; none: somebody else may have made the account for it.
    proved_at: Mapped[datetime | None] = mapped_column(Moment)


class Password(Base):
    """A person's password, as Argon2id. A table of its own: whoever reads people can't give one away by mistake."""

    __tablename__ = "passwords"
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    digest: Mapped[str] = mapped_column(String(200))
    changed_at: Mapped[datetime] = mapped_column(Moment, default=now)


class Membership(Base):
    """Who belongs to which workspace, and as what (owner, editor, viewer)."""

    __tablename__ = "memberships"
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    workspace_id: Mapped[int] = mapped_column(
        ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[str] = mapped_column(String(16))
    # When they last came in here: signing in leads to where one was last.
    entered_at: Mapped[datetime | None] = mapped_column(Moment)


class Identity(Base):
    """Somebody as an identity provider knows them (OpenID Connect): by issuer and subject, whatever their address is."""

    __tablename__ = "identities"
    issuer: Mapped[str] = mapped_column(String(500), primary_key=True)
    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)

    person: Mapped[Person] = relationship()


class Key(Base):
    """A secret that opens a workspace: API token, browser session or one-time sign-in; stored hashed."""

    __tablename__ = "keys"
    id: Mapped[int] = mapped_column(Number, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))  # token, session, sign-in
    name: Mapped[str] = mapped_column(String(200), default="")
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    scopes: Mapped[str] = mapped_column(String(100), default="")  # of a token: words with spaces between
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    used_on: Mapped[date | None] = mapped_column(
        Date
    )  # the last day; more would say when somebody is at work

    person: Mapped[Person] = relationship()


class Letter(Base):
    """A secret that goes to an e-mail address: an invitation, the start of an account, a new address; stored hashed."""

    __tablename__ = "letters"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(Number, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))  # invitation, sign-up, address
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    # Of an invitation, that of the secret which was mailed: who has it has the address, who has the other may not.
    mailed: Mapped[str | None] = mapped_column(String(64), unique=True)
    email: Mapped[str] = mapped_column(String(320), index=True)  # in lower case
    workspace_id: Mapped[int | None] = mapped_column(
        ForeignKey("workspaces.id", ondelete="CASCADE"), index=True
    )  # to which it invites
    role: Mapped[str] = mapped_column(String(16), default="")
    # Who invites; of a new address, whose it is to be.
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    expires_at: Mapped[datetime] = mapped_column(Moment)

    person: Mapped[Person | None] = relationship(lazy="joined")
    workspace: Mapped[Workspace | None] = relationship(lazy="joined")


class Campaign(Base):
    """A named effort that several links belong to."""

    __tablename__ = "campaigns"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)
    id: Mapped[int] = mapped_column(Number, primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    # As `insight.target.Target.read` takes it; up to 200 kB, so read only where it is asked for.
    target: Mapped[dict[str, Any] | None] = mapped_column(Document, deferred=True)


class Link(Base):
    """A short code, and where it leads."""

    __tablename__ = "links"
    __table_args__ = (
        Index("ix_links_workspace_created", "workspace_id", "id"),
        {"sqlite_autoincrement": True},  # a link's number is in its clicks: never used again
    )
    id: Mapped[int] = mapped_column(Number, primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    # On a workspace's own domain "spring@go.example.com": so one name is one link, everywhere.
    code: Mapped[str] = mapped_column(String(320), unique=True)
    url: Mapped[str] = mapped_column(String(8192))
    title: Mapped[str] = mapped_column(String(500), default="")
    campaign_id: Mapped[int | None] = mapped_column(
        ForeignKey("campaigns.id", ondelete="SET NULL"), index=True
    )
    channel: Mapped[str | None] = mapped_column(String(64), index=True)
    pass_query: Mapped[bool] = mapped_column(default=False)
    sample: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    target: Mapped[dict[str, Any] | None] = mapped_column(Document, deferred=True)  # as a campaign's
    status: Mapped[int] = mapped_column(default=302)  # of the redirect
    starts_at: Mapped[datetime | None] = mapped_column(Moment)
    max_clicks: Mapped[int | None] = mapped_column(Number)
    spent_at: Mapped[datetime | None] = mapped_column(Moment)  # when it had been clicked so often
    password: Mapped[str | None] = mapped_column(String(200))  # as Argon2id
    archived_at: Mapped[datetime | None] = mapped_column(Moment)
    notes: Mapped[str] = mapped_column(String(5000), default="")
    ways: Mapped[list[dict[str, Any]] | None] = mapped_column(Document)  # as `ways.Ways.read` takes it
    ways_made: Mapped[int] = mapped_column(default=0)  # so many ever: their clicks stay the link's

    campaign: Mapped[Campaign | None] = relationship(lazy="joined")
    tags: Mapped[list[LinkTag]] = relationship(
        lazy="selectin", cascade="all, delete-orphan", order_by="LinkTag.tag"
    )


class Domain(Base):
    """A host of a workspace's own. Several may want one; who has proved that it is theirs has it."""

    __tablename__ = "domains"
    __table_args__ = (
        UniqueConstraint("workspace_id", "name"),
        Index(
            "ix_domains_held",
            "name",
            unique=True,
            sqlite_where=text("verified_at IS NOT NULL"),
            postgresql_where=text("verified_at IS NOT NULL"),
        ),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(Number, primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(253))  # lower case, punycode
    token: Mapped[str] = mapped_column(String(64))  # what its TXT record has to say
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    verified_at: Mapped[datetime | None] = mapped_column(Moment)
    checked_at: Mapped[datetime | None] = mapped_column(Moment)
    problem: Mapped[str] = mapped_column(String(500), default="")  # of the last check
    points_here: Mapped[bool | None]  # as the last check found; none: it can't be told
    is_primary: Mapped[bool] = mapped_column(default=False)
    astray: Mapped[int] = mapped_column(
        default=0
    )  # looks in a row that found it leading elsewhere, since it led here
    lost_at: Mapped[datetime | None] = mapped_column(Moment)  # after so many of them


class Logo(Base):
    """A workspace's logo for its QR codes: a small PNG."""

    __tablename__ = "logos"
    workspace_id: Mapped[int] = mapped_column(
        ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True
    )
    content: Mapped[bytes] = mapped_column(LargeBinary)
    changed_at: Mapped[datetime] = mapped_column(Moment, default=now)


class LinkTag(Base):
    """One word that a link is filed under."""

    __tablename__ = "link_tags"
    link_id: Mapped[int] = mapped_column(ForeignKey("links.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(64), primary_key=True, index=True)


class View(Base):
    """What the page shows, under a name."""

    __tablename__ = "views"
    __table_args__ = (UniqueConstraint("workspace_id", "name"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(Number, primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    name: Mapped[str] = mapped_column(String(100))
    address: Mapped[str] = mapped_column(String(8000))  # the page's query string
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)

    person: Mapped[Person | None] = relationship(lazy="joined")


class Share(Base):
    """A public map: which clicks, and how few may stand alone. Its secret is kept as a digest."""

    __tablename__ = "shares"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(Number, primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    title: Mapped[str] = mapped_column(String(200))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    filter: Mapped[dict[str, Any]] = mapped_column(Document)  # as `shares.filter_of` reads it
    min_cell: Mapped[int]
    mode: Mapped[str] = mapped_column(String(16))  # heat, clusters
    password: Mapped[str | None] = mapped_column(String(200))  # as Argon2id
    embed: Mapped[bool] = mapped_column(default=True)
    origins: Mapped[str] = mapped_column(
        String(2000), default=""
    )  # who may embed it, spaces between; empty: anybody
    listed: Mapped[bool] = mapped_column(default=False)  # whether search engines may
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    expires_at: Mapped[datetime | None] = mapped_column(Moment)

    person: Mapped[Person | None] = relationship(lazy="joined")


class Annotation(Base):
    """A note at a time: of a link, of a campaign, or of the whole workspace."""

    __tablename__ = "annotations"
    __table_args__ = (
        Index("ix_annotations_workspace", "workspace_id", "at"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(Number, primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    link_id: Mapped[int | None] = mapped_column(ForeignKey("links.id", ondelete="CASCADE"), index=True)
    campaign_id: Mapped[int | None] = mapped_column(
        ForeignKey("campaigns.id", ondelete="CASCADE"), index=True
    )
    at: Mapped[datetime] = mapped_column(Moment)
    text: Mapped[str] = mapped_column(String(280))

    person: Mapped[Person | None] = relationship(lazy="joined")
    link: Mapped[Link | None] = relationship(lazy="joined")
    campaign: Mapped[Campaign | None] = relationship(lazy="joined")


class Webhook(Base):
    """An address that is told of events. Its secret is kept as it is: deliveries are signed with it."""

    __tablename__ = "webhooks"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(Number, primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    url: Mapped[str] = mapped_column(String(2000))
    events: Mapped[str] = mapped_column(String(200))  # words with spaces between
    secret: Mapped[str] = mapped_column(String(64))
    old_secret: Mapped[str | None] = mapped_column(String(64))
    old_until: Mapped[datetime | None] = mapped_column(Moment)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    digest: Mapped[dict[str, Any] | None] = mapped_column(Document)  # when, as `digests.wanted_by` reads it


class Delivery(Base):
    """One event on its way to one webhook, and what became of it."""

    __tablename__ = "deliveries"
    __table_args__ = (Index("ix_deliveries_webhook", "webhook_id", "id"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(Number, primary_key=True)
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    message: Mapped[str] = mapped_column(String(64))  # the same in each try
    event: Mapped[str] = mapped_column(String(32))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    due_at: Mapped[datetime | None] = mapped_column(
        Moment, index=True
    )  # when it is tried next; none: it is over
    tries: Mapped[int] = mapped_column(default=0)
    status: Mapped[int | None]  # the receiver's, of the last try
    answer: Mapped[str] = mapped_column(String(300), default="")
    done_at: Mapped[datetime | None] = mapped_column(Moment)


class UtmTemplate(Base):
    """Campaign parameters that a team gives its destinations, under a name."""

    __tablename__ = "utm_templates"
    __table_args__ = (UniqueConstraint("workspace_id", "name"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(Number, primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    parts: Mapped[dict[str, str]] = mapped_column(Document)  # keys as in `utm.PARTS`


class Receipt(Base):
    """What was answered to a request that came with an Idempotency-Key, so that sent again it does nothing more."""

    __tablename__ = "receipts"
    workspace_id: Mapped[int] = mapped_column(
        ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    request: Mapped[str] = mapped_column(String(64))  # digest of what was asked
    answer: Mapped[dict[str, Any]] = mapped_column(Document)
    at: Mapped[datetime] = mapped_column(Moment, default=now, index=True)


class AuditEntry(Base):
    """One thing that somebody did in a workspace."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_workspace", "workspace_id", "id"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(Number, primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    action: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(200), default="")
    link_id: Mapped[int | None] = mapped_column(
        Number, index=True
    )  # a link's own history, whatever it was called
    detail: Mapped[str] = mapped_column(String(1000), default="")
    at: Mapped[datetime] = mapped_column(Moment, default=now)

    person: Mapped[Person | None] = relationship(lazy="joined")


class LinkChange(Base):
    """The journal of links: redirectors drop what changed, the click store what was deleted."""

    __tablename__ = "link_changes"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(Number, primary_key=True)
    link_id: Mapped[int] = mapped_column(Number)
    code: Mapped[str] = mapped_column(String(320))  # "@go.example.com": not a link, but that domain
    deleted: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime] = mapped_column(Moment, default=now)
