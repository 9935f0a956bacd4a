"""Pipelined clicks, many at a little cost, each with a mark of its own."""

from __future__ import annotations

import random
import socket
import time
from typing import IO

from tests.server.load import Load

BURST = 16
PADDING = ".".join(["x" * 60] * 3)  # long words fill a segment soon


class Bursts(Load):
    """A load whose clicks go out in bursts of one write each: what is answered, is answered in order."""

    def __init__(self, port: int, code: str, name: str, *, threads: int = 3, pause_s: float = 0.012) -> None:
        super().__init__(port, code, name, threads)
        self.cut = 0
        self.pause_s = pause_s

    def _run(self, thread: int) -> None:
        number = 0
        while not self._stopping.is_set():
            try:
                with socket.create_connection(("127.0.0.1", self._port), timeout=10) as connection:
                    answers = connection.makefile("rb")
                    # Connections end now and then, so that a new worker gets its share of them.
                    for _ in range(random.randint(5, 40)):
                        if self._stopping.is_set():
                            return
                        marks = [f"{self.name}-{thread}-{number + n}.{PADDING}.example" for n in range(BURST)]
                        number += BURST
                        self._burst(connection, answers, marks)
                        time.sleep(self.pause_s)
            except (OSError, ValueError, EOFError):
                self.cut += 1
                time.sleep(0.005)

    def _burst(self, connection: socket.socket, answers: IO[bytes], marks: list[str]) -> None:
        self.sent.update(marks)
        connection.sendall("".join(map(self._request, marks)).encode())
        for mark in marks:
            status = _status(answers)
            if status == 302:
                self.answered.add(mark)
            else:
                self.refused.append(f"{status}")

    def _request(self, mark: str) -> str:
        return (
            f"GET /{self._code} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: 18.9.22.69\r\n"
            f"Referer: https://{mark}/page\r\n\r\n"
        )


def _status(answers: IO[bytes]) -> int:
    """The next answer's status, once all of it has come."""
    first = answers.readline()
    length = 0
    while (line := answers.readline()) != b"\r\n":
        if not line.endswith(b"\n"):
            raise EOFError
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    if len(answers.read(length)) != length:
        raise EOFError
    return int(first.split()[1])
