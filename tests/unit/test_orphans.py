"""A killed server's children: one that was orphaned before it could look ends at once; those that need longer are waited for."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clickatlas.errors import Problem
from clickatlas.processes import LIVING_S, PARENT, hold

LINE = [sys.executable, "-c", "from clickatlas.processes import die_with_parent as d; d(); print('lives')"]


def test_a_process_that_was_orphaned_at_birth_ends() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for parent, code, said in ((gone.pid, 1, ""), (os.getpid(), 0, "lives\n")):
        done = subprocess.run(
            LINE, env=os.environ | {PARENT: str(parent)}, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (code, said), done.stderr


def _holder(data: Path, child_s: float) -> subprocess.Popen[str]:
    """A process that has the mark, as has its child, who lives so long."""
    script = (
        "import os, sys, time; from pathlib import Path; from clickatlas.processes import hold\n"
        "hold(Path(sys.argv[1]))\n"
        "if os.fork() == 0: os.close(1); time.sleep(float(sys.argv[2])); os._exit(0)\n"
        "print('held', flush=True); time.sleep(60)"
    )
    line = [sys.executable, "-c", script, str(data), str(child_s)]
    holder = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_children_of_a_killed_server_are_waited_for(tmp_path: Path) -> None:
    began = time.monotonic()
    holder = _holder(tmp_path, LIVING_S + 3)
    holder.kill()
    holder.wait()
    os.close(hold(tmp_path))
    assert time.monotonic() - began > LIVING_S


def test_a_server_that_lives_is_not_waited_for(tmp_path: Path) -> None:
    holder = _holder(tmp_path, LIVING_S + 5)
    try:
        began = time.monotonic()
        with pytest.raises(Problem, match="Another clickatlas"):
            hold(tmp_path)
        assert time.monotonic() - began < LIVING_S + 10
    finally:
        holder.kill()
        holder.wait()
