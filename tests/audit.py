"""`python -m tests.audit`: known weaknesses of every locked package, Python and npm, in one question to OSV (osv.dev).

Where OSV can't be reached, this says so and is content, unless `--strict` is given: who is offline can still lint.
"""

from __future__ import annotations

import json
import re
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
SERVICE = "https://api.osv.dev/v1/querybatch"
PATIENCE_S = 15
# Advisories that don't concern us: id → why.
ACCEPTED: dict[str, str] = {}


class Package(NamedTuple):
    """One locked package."""

    ecosystem: str  # as OSV names it: PyPI, npm
    name: str
    version: str


class Unreachable(Exception):
    """OSV gave no answer that can be read."""


def python_packages(text: str) -> list[Package]:
    """Packages of a requirements lock."""
    return [
        Package("PyPI", name, version)
        for name, version in re.findall(r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", text, re.M)
    ]


def npm_packages(text: str) -> list[Package]:
    """Packages of an npm lock."""
    packages: dict[str, dict[str, str]] = json.loads(text)["packages"]
    return [
        Package("npm", package.get("name") or path.rpartition("node_modules/")[2], package["version"])
        for path, package in packages.items()
        if path and package.get("version")
    ]


def known(packages: list[Package], service: str = SERVICE) -> dict[Package, list[str]]:
    """Ids of the advisories for each package that has any; raises `Unreachable`."""
    queries = [
        {"package": {"ecosystem": p.ecosystem, "name": p.name}, "version": p.version} for p in packages
    ]
    request = urllib.request.Request(
        service, json.dumps({"queries": queries}).encode(), {"content-type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            results = json.load(answer)["results"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unreachable(str(error)) from None
    if len(results) != len(packages):
        raise Unreachable("it answered another question")
    found = {}
    for package, result in zip(packages, results, strict=True):
        if ids := [one["id"] for one in (result or {}).get("vulns", ()) if one["id"] not in ACCEPTED]:
            found[package] = ids
    return found


def main(*arguments: str, service: str = SERVICE) -> int:
    """Print what is known; 1 where anything is, or with `--strict` where nobody could be asked."""
    locks = [(ROOT / name).read_text() for name in ("requirements.lock", "requirements-dev.lock")]
    packages = sorted({package for lock in locks for package in python_packages(lock)}
                      | set(npm_packages((ROOT / "web/package-lock.json").read_text())))  # fmt: skip
    try:
        found = known(packages, service)
    except Unreachable as error:
        print(f"audit: nobody could be asked about known weaknesses ({error})")
        return int("--strict" in arguments)
    for package, ids in found.items():
        print(f"{package.ecosystem} {package.name} {package.version}: {', '.join(ids)} (see https://osv.dev)")
    print(f"audit: {len(packages)} packages, {len(found)} with known weaknesses")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
