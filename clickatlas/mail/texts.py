"""What clickatlas writes to people. Plain text: it reads well everywhere, and hides no address behind a word.

Names were typed by somebody who may mean ill, so none of them can look like an address to click on.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from clickatlas.mail.letter import one_line

LONGEST_NAME = 60


class Text(NamedTuple):
    """Subject and body."""

    subject: str
    body: str


def plain(name: str) -> str:
    """A name that no mail program makes a link of."""
    return one_line(re.sub(r"[/:@<>\\]|[.\u3002\uff0e\uff61](?=\w)", " ", name))[:LONGEST_NAME]


def sign_in(link: str, minutes: int) -> Text:
    """A link to sign in with."""
    return Text(
        "Your sign-in link",
        f"Open this to sign in to clickatlas:\n\n{link}\n\n"
        f"It works once, and for {minutes} minutes. If you didn't ask for it, leave it: nobody gets in without it.\n",
    )


def sign_up(link: str, hours: int) -> Text:
    """The start of an account."""
    return Text(
        "Your new clickatlas account",
        f"Somebody, probably you, wants to sign up with this address. To go on, open\n\n{link}\n\n"
        f"It works once, and for {hours} hours. If it wasn't you, leave it: no account is made.\n",
    )


def known(link: str, minutes: int) -> Text:
    """For who wants to sign up, and has an account."""
    return Text(
        "You have a clickatlas account",
        "Somebody, probably you, wanted to sign up with this address, which has an account already. "
        f"Open this to sign in:\n\n{link}\n\nIt works once, and for {minutes} minutes.\n",
    )


def invitation(link: str, workspace: str, by: str, role: str, days: int) -> Text:
    """An invitation to a workspace."""
    article = "a" if role == "viewer" else "an"
    who = plain(by) or "Somebody"
    return Text(
        f"{who} invites you to {plain(workspace) or 'a workspace'}",
        f"{who} invites you to the workspace \u201c{plain(workspace)}\u201d on clickatlas, as {article} {role}. "
        f"To join, open\n\n{link}\n\nIt works once, and for {days} days. If you don't know what this is, leave it.\n",
    )


def new_address(link: str, hours: int) -> Text:
    """To a new address, which is to be confirmed."""
    return Text(
        "Confirm your new address",
        f"To sign in to clickatlas with this address from now on, open\n\n{link}\n\n"
        f"It works once, and for {hours} hours. If you didn't ask for it, leave it: nothing changes.\n",
    )


def address_changed(new: str) -> Text:
    """To the address before."""
    hidden = f"{new[:1]}\u2026@{new.rpartition('@')[2]}"
    return Text(
        "Your address was changed",
        f"Your clickatlas account signs in with {plain(hidden)} from now on, and no longer with this address. "
        "If that wasn't you, tell whoever runs your clickatlas at once.\n",
    )


def domain_lost(name: str, workspace: str, problem: str) -> Text:
    """To the owners of a workspace one of whose domains leads elsewhere."""
    return Text(
        f"{name} leads to clickatlas no longer",
        f"The domain {name} of the workspace \u201c{plain(workspace)}\u201d has led elsewhere for days: {problem}\n\n"
        "Its short links reach nobody until its DNS leads here again; they and their clicks are kept. What to set "
        "is under Settings, Domains. If you gave it up on purpose, remove it there.\n",
    )
