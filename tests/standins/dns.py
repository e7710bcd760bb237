"""A name server on a real UDP socket of loopback: answers from a zone, says nothing where it is told to."""

import socket
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class NameServer:
    """`records` holds texts by name for TXT, and addresses by (name, "A"). A name in `silent` gets no answer."""

    def __init__(self):
        self.records = {}
        self.silent = set()
        self.broken = set()
        self.asked = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def address(self):
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *failure):
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _serve(self):
        while True:
            packet, sender = self._socket.recvfrom(65_535)
            if not packet:
                return
            answer = self._answer(dns.message.from_wire(packet))
            if answer is not None:
                self._socket.sendto(answer.to_wire(), sender)

    def _answer(self, question):
        asked = question.question[0]
        name = asked.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(asked.rdtype)
        self.asked.append((name, kind))
        if name in self.silent:
            return None
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        known = [key for key in self.records if (key if isinstance(key, str) else key[0]) == name]
        if name in self.broken:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif not known:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        else:
            found = self.records.get(name, []) if kind == "TXT" else self.records.get((name, kind), [])
            texts = [_quoted(each) for each in found] if kind == "TXT" else found
            if texts:
                answer.answer.append(dns.rrset.from_text(asked.name, 60, "IN", kind, *texts))
        return answer


def _quoted(text):
    return " ".join(f'"{text[start : start + 255]}"' for start in range(0, len(text), 255))
