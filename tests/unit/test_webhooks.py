"""Webhooks: signed as receivers' libraries expect, tried again ever later, and kept in the database until they are taken."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from clickatlas.links import keys
from clickatlas.links.database import LinksDatabase
from clickatlas.links.models import Delivery, Webhook, now
from clickatlas.settings import Settings
from clickatlas.webhooks import outbox
from clickatlas.webhooks.clicks import IN_ONE, ClickGatherer
from clickatlas.webhooks.courier import Courier
from clickatlas.webhooks.signature import headers, new_secret, sign


class Receiver:
    """A program that is told: what came, and what it answers."""

    def __init__(self) -> None:
        self.status, self.came = 200, []  # type: int, list[tuple[dict[str, str], bytes]]
        self.headers: dict[str, str] = {}

    @contextmanager
    def listening(self) -> Iterator[int]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.came.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(receiver.status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"thank you")

            def log_message(self, *_: object) -> None: ...

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_port
        server.shutdown()
        server.server_close()


@pytest.fixture
def links(tmp_path: Path, database_url: str) -> Iterator[LinksDatabase]:
    opened = LinksDatabase(tmp_path, database_url)
    opened.migrate()
    yield opened
    opened.close()


def hook(links: LinksDatabase, port: int, events: str = "link.created click") -> tuple[int, int, str]:
    """(workspace, webhook, secret)."""
    with links.writing() as session:
        _, workspace = keys.owner(session)
        made = Webhook(
            workspace_id=workspace, url=f"http://127.0.0.1:{port}/hooks", events=events, secret=new_secret()
        )
        session.add(made)
        session.flush()
        return workspace, made.id, made.secret


def announce(links: LinksDatabase, workspace: int, event: str = "link.created") -> None:
    with links.writing() as session:
        outbox.announce(session, workspace, event, {"code": "spring"})


def courier(links: LinksDatabase, port: int, networks: str = "127.0.0.1/32") -> Courier:
    return Courier(Settings.model_validate({"fetch_networks": networks, "fetch_ports": f"80,{port}"}), links)


def deliveries(links: LinksDatabase) -> list[Delivery]:
    with links.reading() as session:
        return list(session.query(Delivery).order_by(Delivery.id))


def test_of_several_apps_on_one_database_one_sends(tmp_path: Path, postgres_url: str) -> None:
    apps = [LinksDatabase(tmp_path / name, postgres_url) for name in "ab"]
    receiver = Receiver()
    with receiver.listening() as port:
        workspace, _, _ = hook(apps[0], port)
        for _ in range(6):
            announce(apps[0], workspace)
        threads = [threading.Thread(target=courier(app, port).round) for app in apps]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(receiver.came) == len({headers["webhook-id"] for headers, _ in receiver.came}) == 6
    for app in apps:
        app.close()


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example of its specification's libraries."""
    secret, message = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"
    body = b'{"test": 2432232314}'
    assert sign(secret, message, 1614265330, body) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    both = headers([secret, new_secret()], message, 1614265330, body)["webhook-signature"].split()
    assert len(both) == 2
    assert both[0] == sign(secret, message, 1614265330, body)


def test_an_event_is_told_once_and_can_be_checked(links: LinksDatabase) -> None:
    receiver = Receiver()
    with receiver.listening() as port:
        workspace, number, secret = hook(links, port)
        hook(links, port, events="click")
        announce(links, workspace)
        sent = courier(links, port)
        assert (sent.round(), sent.round()) == (1, 0)
        [(given, body)] = receiver.came
        assert json.loads(body)["type"] == "link.created"
        assert json.loads(body)["data"] == {"code": "spring"}
        signed = f"{given['webhook-id']}.{given['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(secret.removeprefix("whsec_"))
        mine = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        assert given["webhook-signature"] == f"v1,{mine}"
        [one] = deliveries(links)
        assert (one.tries, one.status, one.answer) == (1, 200, "thank you")
        # Once more, by hand: under the same id.
        with links.writing() as session:
            outbox.again(session.get_one(Delivery, one.id))
        assert sent.round() == 1
        assert receiver.came[1][0]["webhook-id"] == given["webhook-id"]
        # With a new secret both sign, for a day.
        with links.writing() as session:
            fresh = outbox.rotate(session.get_one(Webhook, number))
        announce(links, workspace)
        sent.round()
        given, body = receiver.came[2]
        stamp = int(given["webhook-timestamp"])
        expected = [sign(one, given["webhook-id"], stamp, body) for one in (fresh, secret)]
        assert given["webhook-signature"].split() == expected
        with links.reading() as session:
            kept = session.get_one(Webhook, number)
            assert outbox.secrets_of(kept, now() + timedelta(hours=25)) == [fresh]


def test_what_is_not_taken_is_tried_again_ever_later(links: LinksDatabase) -> None:
    receiver = Receiver()
    receiver.status = 500
    with receiver.listening() as port:
        workspace, number, _ = hook(links, port)
        announce(links, workspace)
        courier(links, port).round()
    [one] = deliveries(links)
    assert one.due_at is not None
    assert timedelta(0) < one.due_at - now() < timedelta(seconds=outbox.WAITS_S[0])
    before = 0.0
    for _ in range(outbox.MOST_TRIES - 2):
        with links.writing() as session:
            outbox.note(session, one.id, None, "nobody", chance=0.0)
        [one] = deliveries(links)
        assert one.due_at is not None
        wait = (one.due_at - now()).total_seconds()
        assert wait > before
        before = wait
    with links.writing() as session:
        outbox.note(session, one.id, 503, "later")
    [one] = deliveries(links)
    assert (one.due_at, one.done_at, one.tries) == (None, None, outbox.MOST_TRIES)
    with links.reading() as session:
        assert [found.id for found in outbox.deliveries(session, number, 10, None, True)] == [one.id]


def test_a_receiver_that_is_gone_is_not_asked_again(links: LinksDatabase) -> None:
    receiver = Receiver()
    receiver.status = 410
    with receiver.listening() as port:
        workspace, _, _ = hook(links, port)
        announce(links, workspace)
        sent = courier(links, port)
        sent.round()
        announce(links, workspace)
        assert sent.round() == 0
    assert len(receiver.came) == len(deliveries(links)) == 1


@pytest.mark.parametrize("inside", ["127.0.0.1", "169.254.169.254", "[::1]", "10.0.0.1", "localhost"])
def test_nothing_is_sent_inside(links: LinksDatabase, inside: str) -> None:
    receiver = Receiver()
    with receiver.listening() as port:
        workspace, number, _ = hook(links, port)
        with links.writing() as session:
            session.get_one(Webhook, number).url = f"http://{inside}:{port}/"
        announce(links, workspace)
        courier(links, port, networks="").round()
    [one] = deliveries(links)
    assert (receiver.came, one.status) == ([], None)
    assert one.tries == 1


def test_no_redirect_is_followed(links: LinksDatabase) -> None:
    receiver, inside = Receiver(), Receiver()
    with receiver.listening() as port, inside.listening() as other:
        receiver.status, receiver.headers = 307, {"location": f"http://127.0.0.1:{other}/"}
        workspace, _, _ = hook(links, port)
        announce(links, workspace)
        courier(links, port).round()
    [one] = deliveries(links)
    assert (one.status, inside.came) == (307, [])
    assert one.due_at is not None


def test_what_waits_outlives_a_restart(tmp_path: Path) -> None:
    receiver = Receiver()
    with receiver.listening() as port:
        before = LinksDatabase(tmp_path)
        before.migrate()
        workspace, _, _ = hook(before, port)
        announce(before, workspace)
        before.close()
        after = LinksDatabase(tmp_path)
        assert courier(after, port).round() == 1
        after.close()
    assert len(receiver.came) == 1


def test_a_link_that_is_not_made_is_not_told(links: LinksDatabase) -> None:
    workspace, _, _ = hook(links, 1)

    def half() -> None:
        with links.writing() as session:
            outbox.announce(session, workspace, "link.created", {})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert deliveries(links) == []


def test_clicks_are_told_in_batches_and_only_to_who_wants_them(links: LinksDatabase) -> None:
    workspace = 1

    def rows(of: int, batches: Any) -> list[dict[str, Any]]:
        assert of == workspace
        return [{"code": "a"} for batch in batches for _ in range(batch)]

    gatherer = ClickGatherer(links, rows)
    gatherer.gather()
    gatherer.tell(7)  # type: ignore[arg-type]
    workspace, _, _ = hook(links, 1, events="click")
    hook(links, 1, events="link.created")
    # From the very next click on, though nobody has looked since.
    gatherer.tell(IN_ONE)  # type: ignore[arg-type]
    gatherer.tell(20)  # type: ignore[arg-type]
    assert gatherer.gather() == 2
    sizes = [len(json.loads(one.body)["data"]["clicks"]) for one in deliveries(links)]
    assert sizes == [IN_ONE, 20]
    assert gatherer.gather() == 0
