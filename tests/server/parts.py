"""The commands that are a part of clickatlas, on data folders of their own."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.server.served import PROGRAM, Served, environment


class Part(Served):
    """One of the long-running commands on a data folder."""

    def __init__(self, role: str, data: Path, *flags: str, **env: str) -> None:
        super().__init__(data, *flags)
        self.role, self.env = role, env
        self.log = data.with_name(f"{data.name}-{role}.log")

    def launch(self, **env: str) -> None:
        line = [PROGRAM, self.role, "--data", str(self.data), "--port", str(self.port)]
        line += ["--trusted-proxies", "127.0.0.1/32", *self.flags]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(line, env=environment(**self.env, **env), stdout=log, stderr=log)
