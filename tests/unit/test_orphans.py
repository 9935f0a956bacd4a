"""A process whose parent was killed before it could look ends at once: it would hold the port and the store."""

from __future__ import annotations

import os
import subprocess
import sys

from clickatlas.processes import PARENT

LINE = [sys.executable, "-c", "from clickatlas.processes import die_with_parent as d; d(); print('lives')"]


def test_a_process_that_was_orphaned_at_birth_ends() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for parent, code, said in ((gone.pid, 1, ""), (os.getpid(), 0, "lives\n")):
        done = subprocess.run(
            LINE, env=os.environ | {PARENT: str(parent)}, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (code, said), done.stderr
