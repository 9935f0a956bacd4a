"""What is at the heart of links and people, once more with PostgreSQL under it: the same tests, one server for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.mail import Mailbox
from tests.postgres import ESCAPED
from tests.server.making import make
from tests.server.problems import is_problem
from tests.server.served import Served, quickly
from tests.server.tally import Tally, send
from tests.server.test_annotations import test_a_link_has_its_own_its_campaigns_and_the_workspaces
from tests.server.test_bulk import (
    test_a_link_has_a_history_whatever_it_was_called,
    test_sent_again_it_is_made_once,
)
from tests.server.test_links import (
    test_a_deleted_link_is_gone_at_once_with_its_clicks,
    test_a_renamed_link_leaves_its_old_code,
    test_a_taken_code_is_refused_by_its_name,
    test_all_fields_come_back_and_stay,
    test_change_reaches_the_very_next_redirect,
    test_change_touches_only_what_it_names,
)
from tests.server.test_people import (
    box,
    owner,
    somebody,
    test_a_letter_opens_once,
    test_a_mailed_link_signs_in_once_and_begins_a_new_session,
    test_a_new_address_is_confirmed_and_the_old_one_told,
    test_a_role_holds_from_the_next_request_on,
    test_an_invitation_says_who_and_where_and_no_more,
    test_the_last_owner_stays_until_somebody_takes_over,
)
from tests.server.test_plans import (
    SECRET,
    test_a_payment_switches_the_plan_and_its_end_switches_back,
    test_links_of_a_month_are_so_many,
)
from tests.server.test_shares import (
    test_a_share_goes_by_its_links_whatever_they_are_called,
    test_no_secret_is_kept,
)
from tests.server.test_targets import test_a_links_target_lives
from tests.server.test_tokens import (
    test_a_token_is_made_listed_used_and_ended,
    test_sessions_are_listed_and_ended,
)
from tests.server.test_views import test_a_name_is_used_once, test_a_view_lives
from tests.server.test_ways import (
    test_a_link_ends_after_so_many_clicks,
    test_a_password_is_asked_for,
    test_scans_are_a_channel_of_their_own,
)
from tests.server.visitors import draw

__all__ = [
    "box",
    "owner",
    "somebody",
    "test_a_deleted_link_is_gone_at_once_with_its_clicks",
    "test_a_letter_opens_once",
    "test_a_link_ends_after_so_many_clicks",
    "test_a_link_has_a_history_whatever_it_was_called",
    "test_a_link_has_its_own_its_campaigns_and_the_workspaces",
    "test_a_links_target_lives",
    "test_a_mailed_link_signs_in_once_and_begins_a_new_session",
    "test_a_name_is_used_once",
    "test_a_new_address_is_confirmed_and_the_old_one_told",
    "test_a_password_is_asked_for",
    "test_a_payment_switches_the_plan_and_its_end_switches_back",
    "test_a_renamed_link_leaves_its_old_code",
    "test_a_role_holds_from_the_next_request_on",
    "test_a_share_goes_by_its_links_whatever_they_are_called",
    "test_a_taken_code_is_refused_by_its_name",
    "test_a_token_is_made_listed_used_and_ended",
    "test_a_view_lives",
    "test_all_fields_come_back_and_stay",
    "test_an_invitation_says_who_and_where_and_no_more",
    "test_change_reaches_the_very_next_redirect",
    "test_change_touches_only_what_it_names",
    "test_links_of_a_month_are_so_many",
    "test_no_secret_is_kept",
    "test_scans_are_a_channel_of_their_own",
    "test_sent_again_it_is_made_once",
    "test_sessions_are_listed_and_ended",
    "test_the_last_owner_stays_until_somebody_takes_over",
]  # fmt: skip


@pytest.fixture(scope="module")
def served(data_folder: Callable[[str], Path], shared_postgres_url: str, box: Mailbox) -> Iterator[Served]:
    data = data_folder("on-postgresql")
    (data / "clickatlas.toml").write_text(f'database_url = "{shared_postgres_url}"\n')
    mail = ("--sign-up", "open", "--smtp-host", "127.0.0.1", "--smtp-port", str(box.port), "--smtp-security", "none",
            "--mail-from", "Links <links@example.com>", "--sign-in-rate", "0", "--mail-rate", "5")  # fmt: skip
    made = Served(data, *mail, "--plan-webhook-secret", SECRET).start()
    yield made
    made.kill()


@pytest.fixture(scope="module")
def server(served: Served) -> Served:
    return served


@pytest.fixture(scope="module")
def api(served: Served) -> Iterator[httpx.Client]:
    with served.client() as client:
        yield client


@pytest.fixture(scope="module")
def tally(served: Served, api: httpx.Client) -> Tally:
    return send(served, api, draw(200, seed=20))


def test_it_is_really_in_postgresql(served: Served, api: httpx.Client) -> None:
    assert not (served.data / "links.sqlite").exists()
    assert (served.data / "redirects.sqlite").exists()
    listed = api.get("/api/links", params={"search": "\u00c4"}).raise_for_status().json()
    assert listed["total"] == 0


def test_what_postgresql_keeps_in_no_text_is_refused(api: httpx.Client) -> None:
    code = make(api)["code"]
    zero = "a\0b"
    for answer in (
        api.patch(f"/api/links/{code}", json={"title": zero}),
        api.post("/api/links", json={"url": "https://example.com/", "title": zero}),
        api.get("/api/links", params={"search": zero}),
        api.post("/api/views", json={"name": zero, "address": ""}),
        api.post("/api/links/bulk", json={"links": [{"url": "https://example.com/", "notes": zero}]}),
    ):
        if answer.status_code != 200:  # in a bulk, a row is refused by itself
            is_problem(answer, 422)
    assert api.get(f"/api/links/{code}").json()["title"] == ""


def test_a_backup_has_the_rest_and_says_so(served: Served, tmp_path: Path) -> None:
    made = quickly("backup", tmp_path / "backups", "--no-atlas", data=served.data)
    assert "pg_dump" in made.stderr
    folder = Path(made.stdout.strip())
    assert not (folder / "links.sqlite").exists()
    assert (folder / "clicks.duckdb").exists()
    back = quickly("restore", folder, data=tmp_path / "back")
    assert "Links and people are not in it" in back.stdout
    assert "links and" not in back.stdout.partition(" of ")[0]


def test_doctor_names_the_server_and_no_more(served: Served) -> None:
    said = quickly("doctor", data=served.data, code=None).stdout
    assert "links in PostgreSQL at 127.0.0.1:" in said
    assert ESCAPED not in said
