"""A real name server for tests: UDP on loopback, with the records that a test gives it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class NameServer:
    """Answers from `records`: (name, kind) → texts. `silent` says nothing at all, `broken` answers SERVFAIL."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[str]] = {}
        self.silent = self.broken = False
        self.port = 0

    def says(self, name: str, kind: str, *values: str) -> None:
        self.records[name, kind] = list(values)

    def answer(self, asked: bytes) -> bytes | None:
        question = dns.message.from_wire(asked)
        said = dns.message.make_response(question, recursion_available=True)
        said.flags |= dns.flags.AA
        if self.silent:
            return None
        if self.broken:
            said.set_rcode(dns.rcode.SERVFAIL)
            return said.to_wire()
        name = question.question[0].name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.question[0].rdtype)
        while alias := self.records.get((name, "CNAME")):
            said.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", f"{alias[0]}."))
            name = alias[0]
        if values := self.records.get((name, kind)):
            said.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", kind, *values))
        elif not any(known == name for known, _ in self.records):
            said.set_rcode(dns.rcode.NXDOMAIN)
        return said.to_wire()


@contextmanager
def name_server() -> Iterator[NameServer]:
    served = NameServer()
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.bind(("127.0.0.1", 0))
    served.port = line.getsockname()[1]

    def serve() -> None:
        while True:
            try:
                asked, who = line.recvfrom(4096)
                if said := served.answer(asked):
                    line.sendto(said, who)
                elif not asked:
                    return
            except OSError:
                return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        line.close()
