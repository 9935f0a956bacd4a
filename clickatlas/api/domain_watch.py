"""Verified domains are looked at again, daily: whether they still lead here."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from clickatlas.api.domains import points_here
from clickatlas.api.house import House, is_away
from clickatlas.links import audit, domains
from clickatlas.links.models import Domain, Membership, Person, Workspace, now
from clickatlas.mail import texts
from clickatlas.mail.letter import letter
from clickatlas.outside.dns import NameServers
from clickatlas.webhooks import outbox

log = logging.getLogger("clickatlas.domains")
EVERY_S = 600.0
MOST = 100  # of a round: each asks two questions or three


class DomainWatch(threading.Thread):
    """Looks at verified domains, until `stop`."""

    def __init__(self, house: House, clock: Callable[[], datetime] = now) -> None:
        super().__init__(name="domain-watch", daemon=True)
        self._house, self._clock = house, clock
        self._stopping = threading.Event()

    def run(self) -> None:
        """Until `stop`."""
        while not self._stopping.wait(EVERY_S):
            try:
                self.round()
            except Exception as error:  # a busy database: they are looked at again
                if not (self._stopping.is_set() or is_away(self._house, error)):
                    log.exception("domains could not be looked at")

    def stop(self) -> None:
        """End; a look that is under way is given up with the process."""
        self._stopping.set()
        if self.is_alive():
            self.join(2)

    def round(self) -> list[str]:
        """Look at those whose day is over; the names of those that are lost by it."""
        house, at = self._house, self._clock()
        with house.links.reading() as session:
            due = [(one.id, one.name) for one in domains.to_look_at(session, at, MOST)]
        servers, own = NameServers(house.settings.dns_servers), domains.host_of(house.settings.base_url)
        lost = []
        for number, name in due:
            if self._stopping.is_set():
                break
            points, problem = asyncio.run(points_here(servers, name, own))
            with house.links.noting() as session:
                found = session.get(Domain, number)
                if found is None or found.verified_at is None:
                    continue
                if domains.look_again(found, points, problem, at):
                    lost.append(name)
                    self._tell(session, found)
        return lost

    def _tell(self, session: Session, domain: Domain) -> None:
        log.warning("%s of workspace %d leads here no longer", domain.name, domain.workspace_id)
        audit.record(session, domain.workspace_id, None, "domain.lost", domain.name)
        data = {"domain": domain.name, "problem": domain.problem, "links": domains.links_on(session, domain)}
        outbox.announce(session, domain.workspace_id, outbox.DOMAIN_LOST, data)
        post = self._house.post
        owners = (
            select(Person.email)
            .join(Membership, Membership.person_id == Person.id)
            .where(
                Membership.workspace_id == domain.workspace_id,
                Membership.role == "owner",
                Person.email.is_not(None),
            )
        )
        workspace = session.get_one(Workspace, domain.workspace_id).name
        subject, body = texts.domain_lost(domains.as_read(domain.name), workspace, domain.problem)
        for address in session.scalars(owners) if post.is_set else ():
            post.deliver_later(letter(to=str(address), subject=subject, body=body, sender=post.sender))
