"""What compose.yaml asks of a machine, without containers: nobody's user, a root that can't be written to, no capabilities."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.server.served import PROGRAM, descendants, environment, free_port, until

ROOT = Path(__file__).parents[2]
NOBODY = 10001
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/proc", "/dev", "/opt")
DROPPED = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs",
           "--bounding-set=-all", "--inh-caps=-all")  # fmt: skip


def script(new: Path, data: Path, command: str) -> str:
    """A shell script for a mount namespace of its own: builds a read-only root in `new`, and runs `command` there."""
    program = [
        sys.base_prefix,
        sys.prefix,
        str(Path(sys.prefix).resolve()),
        str(Path(PROGRAM).parent),
        str(ROOT),
    ]
    folders = [folder for folder in dict.fromkeys([*SYSTEM, *program]) if Path(folder).is_dir()]
    lines = [
        "set -e",
        f"mount -t tmpfs -o mode=755 root {new}",
        f"mkdir -p {new}/data {new}/tmp",
        f"mount --bind {data} {new}/data",
        f"mount -t tmpfs -o mode=1777,noexec,nosuid,nodev,size=512m tmp {new}/tmp",
    ]
    for folder in sorted(folders):  # parents before what is in them
        lines += [f"mkdir -p {new}{folder}", f"mount --rbind {folder} {new}{folder}"]
        if folder not in ("/proc", "/dev"):
            lines.append(f"mount -o remount,bind,ro {new}{folder}")
    lines += [
        f"mount -o remount,ro {new}",
        f"exec chroot {new} {shlex.join(DROPPED)} {command}",
    ]
    return "\n".join(lines)


@pytest.fixture
def box(tmp_path: Path, atlas_folder: Path) -> tuple[Path, Path]:
    """A folder for the new root, and a data folder that is nobody's."""
    if os.geteuid() != 0:
        pytest.skip("only root may change mounts and users")
    for tool in ("unshare", "chroot", "setpriv"):
        if not shutil.which(tool):
            pytest.skip(f"there is no {tool}")
    new, data = tmp_path / "root", tmp_path / "data"
    new.mkdir()
    shutil.copytree(atlas_folder, data / "atlas")
    for path in (data, *data.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    tried = inside(new, data, "true")
    if tried.returncode:
        pytest.skip(f"this kernel allows no mounts of one's own: {tried.stderr[-200:]}")
    return new, data


def inside(new: Path, data: Path, command: str) -> subprocess.CompletedProcess[str]:
    line = ["unshare", "--mount", "sh", "-c", script(new, data, command)]
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)


def test_the_box_is_what_it_says(box: tuple[Path, Path]) -> None:
    said = inside(*box, "sh -c 'id -u; grep -E \"CapEff|CapBnd|NoNewPrivs\" /proc/self/status'")
    assert said.stdout.split() == [str(NOBODY), "CapEff:", "0" * 16, "CapBnd:", "0" * 16, "NoNewPrivs:", "1"]
    for path in ("/x", "/etc/x", "/usr/x", f"{ROOT}/x"):
        assert inside(*box, f"touch {path}").returncode != 0
    assert inside(*box, "touch /data/x /tmp/x").returncode == 0


def test_it_serves_as_nobody_from_a_read_only_root(box: tuple[Path, Path], tmp_path: Path) -> None:
    _new, data = box
    port, log = free_port(), tmp_path / "log"
    settings = {
        "CLICKATLAS_DATA": "/data",
        "CLICKATLAS_CACHE": "/data/cache",
        "HOME": "/tmp",
        "TMPDIR": "/tmp",
    }
    command = shlex.join([PROGRAM, "serve", "--port", str(port), "--workers", "2"])
    line = ["unshare", "--mount", "sh", "-c", script(*box, command)]
    with log.open("ab") as file:
        process = subprocess.Popen(
            line,
            env=environment(PYTHONPATH=str(ROOT), PYTHONDONTWRITEBYTECODE="1", **settings),
            stdout=file,
            stderr=file,
        )
    try:
        url = f"http://127.0.0.1:{port}"

        def ready() -> bool:
            assert process.poll() is None, log.read_text()
            try:
                return httpx.get(f"{url}/health/ready", timeout=5).status_code == 200
            except httpx.TransportError:
                return False

        until(ready, "ready", 60)
        link = until(
            lambda: re.search(r"http://\S+/app/sign-in\?token=\S+", log.read_text()), "a sign-in link"
        )
        with httpx.Client(base_url=url, headers={"sec-fetch-site": "same-origin"}, timeout=30) as browser:
            assert browser.get(link.group()).status_code == 303
            made = browser.post("/api/links", json={"url": "https://example.com/", "code": "boxed"})
            assert made.status_code == 201
            new = {"new": "marble otter staircase", "email": "ann@example.com"}
            assert browser.put("/api/session/password", json=new).status_code == 204
            assert httpx.get(f"{url}/boxed").status_code == 302
            until(lambda: browser.get("/api/status").json()["store"]["clicks"] == 1, "one click counted")
            assert browser.get("/app").status_code == 200
        owners = {Path(f"/proc/{pid}").stat().st_uid for pid in descendants(process.pid)}
        assert owners <= {NOBODY, 0}  # the kernel shows a process that leaves no core as root's
        assert {path.lstat().st_uid for path in data.rglob("*")} == {NOBODY}
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    said = log.read_text()
    for sign in ("Traceback", "Read-only", "Permission denied"):
        assert sign not in said, said


def test_the_image_is_what_compose_runs() -> None:
    """What can be read off the two files; building them needs a container engine."""
    image, compose = (ROOT / "Dockerfile").read_text(), (ROOT / "compose.yaml").read_text()
    last = image.rpartition("\nFROM ")[2]
    assert f"USER {NOBODY}:{NOBODY}" in last
    assert "HEALTHCHECK" in last
    assert "--require-hashes" in image
    assert not re.search(r"apt-get|gcc|build-essential|curl", last)
    for line in (
        "read_only: true",
        "cap_drop: [ALL]",
        "no-new-privileges:true",
        f'user: "{NOBODY}:{NOBODY}"',
        "/tmp:size=512m",
    ):
        assert line in compose
    for copied in re.findall(r"^COPY (?!--from)(.+) \S+$", image, re.M):
        for name in copied.split():
            assert (ROOT / name).exists(), name
            assert f"!{name.split('/')[0]}\n" in (ROOT / ".dockerignore").read_text()
