"""Mailchimp's wire without its memory, for benchmarks: it answers as the stand-in would to people it has never seen.

The stand-in keeps members and checks every rule, which takes it longer than a call may take here. This one only reads the
request, waits as long as Mailchimp would, refuses the eleventh call at once, and answers in Mailchimp's shape; it keeps
counts, and on request the bodies it was sent, so that a peer can send the very same.

    python -m tests.standins.mailchimp.wire --delay 0.1 --record FILE

Its first line says where it is, in JSON. GET /__control__ tells counts, POST /__control__ sets them to nothing.
"""

import argparse
import asyncio
import hashlib
import json
import re
import signal
from dataclasses import dataclass, field
from typing import BinaryIO

from tests.standins.mailchimp.problems import too_many
from tests.standins.mailchimp.server import AT_ONCE

LIST = "5e1f3a9c20"
NOW = "2026-01-01T00:00:00+00:00"
JSON = "application/json; charset=utf-8"
_REASONS = {200: "OK", 204: "No Content", 404: "Not Found", 429: "Too Many Requests"}
_MEMBER = json.dumps(
    {
        "id": "%(hash)s",
        "email_address": "%(email)s",
        "unique_email_id": "%(hash)s",
        "email_type": "html",
        "status": "%(status)s",
        "merge_fields": "%(fields)s",
        "interests": {},
        "stats": {"avg_open_rate": 0, "avg_click_rate": 0},
        "ip_signup": "",
        "timestamp_signup": "",
        "ip_opt": "",
        "timestamp_opt": NOW,
        "member_rating": 2,
        "last_changed": NOW,
        "language": "",
        "vip": False,
        "email_client": "",
        "location": {"latitude": 0, "longitude": 0, "gmtoff": 0, "dstoff": 0, "country_code": "", "timezone": ""},
        "tags_count": "%(tags_count)s",
        "tags": "%(tags)s",
        "list_id": LIST,
    }
)
for _name in ("fields", "tags", "tags_count"):
    _MEMBER = _MEMBER.replace(f'"%({_name})s"', f"%({_name})s")


@dataclass
class Wire:
    """What has been asked so far."""

    delay: float
    record: BinaryIO | None = None
    calls: int = 0
    writes: int = 0
    refused: int = 0
    members: int = 0
    at_once: int = 0
    most_at_once: int = 0
    merge_fields: dict[str, dict] = field(default_factory=dict)
    tags: dict[str, int] = field(default_factory=dict)

    async def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        if path == "/__control__":
            return 200, self.told(reset=method == "POST")
        self.calls += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.at_once > AT_ONCE:
                self.refused += 1
                return 429, json.dumps(too_many().document()).encode()
            if method != "GET":
                self.writes += 1
                if self.record:
                    self.record.write(f"{method} {path} {len(body)}\n".encode() + body)
            await asyncio.sleep(self.delay)
            return self._answer(method, path.partition("?")[0].removeprefix("/3.0").rstrip("/"), body)
        finally:
            self.at_once -= 1

    def told(self, reset: bool) -> bytes:
        names = ("calls", "writes", "refused", "members", "most_at_once")
        told = {name: getattr(self, name) for name in names}
        if reset:
            for name in names:
                setattr(self, name, 0)
            self.merge_fields.clear()
            self.tags.clear()
        if self.record:
            self.record.flush()
        return json.dumps(told).encode()

    def _answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        if method == "POST" and path == f"/lists/{LIST}":
            return 200, self._batch(json.loads(body))
        if method == "POST" and re.fullmatch(rf"/lists/{LIST}/segments/\d+", path):
            return 200, self._tagged(json.loads(body))
        if method == "PUT" and re.fullmatch(rf"/lists/{LIST}/members/\w+", path):
            return 200, self._put(json.loads(body))
        answer = self._small(method, path, json.loads(body) if body not in (b"", b'""') else {})
        return (404, b"{}") if answer is None else (200, json.dumps(answer).encode())

    def _small(self, method: str, path: str, body: dict) -> dict | None:
        """The few calls round the many."""
        inside = path.removeprefix(f"/lists/{LIST}/")
        if method == "GET" and path == "/lists":
            return {"lists": [{"id": LIST, "name": "RealStars", "stats": {"member_count": self.members}}]}
        if method == "GET" and path == "":
            return {"account_name": "RealStars", "login_id": "1", "total_subscribers": self.members}
        if inside == "merge-fields":
            if method == "GET":
                return {"merge_fields": list(self.merge_fields.values())}
            return self.merge_fields.setdefault(
                body["tag"], {"tag": body["tag"], "type": body["type"], "options": {}}
            )
        if inside == "segments":
            if method == "GET":
                tags = [{"id": number, "name": name, "member_count": 0} for name, number in self.tags.items()]
                return {"segments": tags}
            return {"id": self._tag(body["name"]), "name": body["name"]}
        if inside == "webhooks" and method == "GET":
            return {"webhooks": [], "list_id": LIST, "total_items": 0}
        if inside == "members" and method == "GET":
            return {"members": [], "list_id": LIST, "total_items": 0}
        return None

    def _batch(self, body: dict) -> bytes:
        rendered = [self._member(member) for member in body["members"]]
        self.members += len(rendered)
        number = len(rendered)
        return (
            f'{{"new_members": [{", ".join(rendered)}], "updated_members": [], "errors": [], '
            f'"total_created": {number}, "total_updated": 0, "error_count": 0}}'
        ).encode()

    def _tagged(self, body: dict) -> bytes:
        added, removed = (
            [self._member({"email_address": email}) for email in body.get(name, [])]
            for name in ("members_to_add", "members_to_remove")
        )
        return (
            f'{{"members_added": [{", ".join(added)}], "members_removed": [{", ".join(removed)}], "errors": [], '
            f'"total_added": {len(added)}, "total_removed": {len(removed)}, "error_count": 0}}'
        ).encode()

    def _put(self, body: dict) -> bytes:
        self.members += 1
        return self._member(body).encode()

    def _tag(self, name: str) -> int:
        return self.tags.setdefault(name, 10_001 + len(self.tags))

    def _member(self, body: dict) -> str:
        email = body["email_address"]
        tags = [{"id": self._tag(name), "name": name} for name in body.get("tags", [])]
        return _MEMBER % {
            "hash": hashlib.md5(email.encode()).hexdigest(),
            "email": email,
            "status": body.get("status") or body.get("status_if_new") or "subscribed",
            "fields": json.dumps(body.get("merge_fields", {})),
            "tags": json.dumps(tags),
            "tags_count": len(tags),
        }


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wire: Wire) -> None:
    """One kept connection."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            line, _, headers = head.decode("latin-1").partition("\r\n")
            method, path, _version = line.split(" ", 2)
            length = re.search(r"(?im)^content-length:\s*(\d+)", headers)
            body = await reader.readexactly(int(length[1])) if length else b""
            status, answer = await wire.answer(method, path, body)
            writer.write(
                f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: {JSON}\r\n"
                f"Content-Length: {len(answer)}\r\n\r\n".encode()
                + answer
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
        pass
    finally:
        writer.close()


async def run(wire: Wire, port: int) -> None:
    done = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, done.set)
    server = await asyncio.start_server(lambda r, w: serve(r, w, wire), "127.0.0.1", port, limit=2**20)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/3.0"
    print(json.dumps({"url": address, "list_id": LIST}), flush=True)
    await done.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.1, help="seconds that each call takes")
    parser.add_argument("--record", type=argparse.FileType("wb"), help="a file for the bodies that are sent")
    options = parser.parse_args()
    asyncio.run(run(Wire(options.delay, options.record), options.port))


if __name__ == "__main__":
    main()
