"""What one may do in a workspace: three scopes. A person's role has some of them, an API token no more than its person.

| scope | opens |
| --- | --- |
| `read` | everything that is shown: links, clicks, maps, tables, exports, views |
| `links:write` | making, changing and deleting links and views; it does not include `read` |
| `admin` | everything: also people, keys, the audit log, and deleting sample data and workspaces |
"""

from __future__ import annotations

from collections.abc import Iterable

READ, LINKS_WRITE, ADMIN = "read", "links:write", "admin"
SCOPES = (READ, LINKS_WRITE, ADMIN)
OPERATOR = "operator"  # of the command line's own tokens, which no plan binds: nobody else is given it
ROLES: dict[str, frozenset[str]] = {
    "owner": frozenset(SCOPES),
    "editor": frozenset((READ, LINKS_WRITE)),
    "viewer": frozenset((READ,)),
}


def allowed(role: str, scopes: Iterable[str] = (ADMIN,)) -> frozenset[str]:
    """What a person of `role` may with a key of these scopes; nothing where the role is none of ours."""
    given = set(scopes)
    return ROLES.get(role, frozenset()) & (frozenset(SCOPES) if ADMIN in given else given)
