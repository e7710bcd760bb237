"""An IMAP server that knows what a reader of a mailbox needs (RFC 3501), and breaks when told to."""

import re
import socketserver
import threading


class Mailbox:
    """One folder, and the folders that messages were moved to."""

    def __init__(self, keywords=True, move=True):
        self.messages = {}
        self.flags = {}
        self.moved = {}
        self.keywords = keywords
        self.capabilities = "IMAP4rev1 UIDPLUS" + (" MOVE" if move else "")
        self.password = "open"
        self.drop_after = None
        """Hang up at the first command that holds this word, instead of doing it."""
        self.fetched = 0
        self.unreadable = set()
        """UIDs that can't be fetched."""
        self._last = 0

    def add(self, *raw):
        for message in raw:
            self._last += 1
            self.flags[self._last], self.messages[self._last] = set(), message

    def __enter__(self):
        box = self

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                Dialogue(box, self.rfile, self.wfile).run()

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *failure):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


class Dialogue:
    def __init__(self, box, incoming, outgoing):
        self.box, self.incoming, self.outgoing = box, incoming, outgoing

    def say(self, text):
        self.outgoing.write(text if isinstance(text, bytes) else text.encode() + b"\r\n")

    def run(self):
        self.say("* OK here")
        for line in self.incoming:
            tag, _space, rest = line.decode().strip().partition(" ")
            if self.box.drop_after and self.box.drop_after in rest:
                self.box.drop_after = None
                return
            name, _space, args = rest.partition(" ")
            if name == "UID":
                name, _space, args = args.partition(" ")
            answer = getattr(self, f"do_{name.lower()}", None)
            state = answer(args) if answer else "BAD what"
            self.say(f"{tag} {state or 'OK done'}")
            if name == "LOGOUT":
                return

    def do_capability(self, _args):
        self.say(f"* CAPABILITY {self.box.capabilities}")

    def do_login(self, args):
        return None if args.endswith(f'"{self.box.password}"') else "NO wrong"

    def do_select(self, args):
        if args not in {'"INBOX"', '"Bounces"'}:
            return "NO none such"
        kept = r"(\Seen \Deleted \*)" if self.box.keywords else r"(\Seen \Deleted)"
        self.say(f"* {len(self.box.messages)} EXISTS")
        self.say(f"* OK [PERMANENTFLAGS {kept}] kept")
        return "OK [READ-WRITE] open"

    def do_search(self, args):
        words = args.split()
        hide = {r"\Seen"} if "UNSEEN" in words else {words[words.index("UNKEYWORD") + 1]}
        found = [uid for uid, flags in list(self.box.flags.items()) if not flags & (hide | {r"\Deleted"})]
        self.say("* SEARCH " + " ".join(map(str, found)))

    def do_fetch(self, args):
        uid = int(args.split()[0])
        most = int(re.search(r"<0\.(\d+)>", args)[1])
        if "PEEK" not in args:
            self.box.flags[uid].add(r"\Seen")
        if uid in self.box.unreadable:
            return "NO damaged"
        raw = self.box.messages.get(uid)
        if raw is not None:
            self.box.fetched += 1
            self.say(
                f"* {uid} FETCH (UID {uid} BODY[]<0> {{{len(raw[:most])}}}".encode() + b"\r\n" + raw[:most] + b")\r\n"
            )

    def do_store(self, args):
        uid, _what, flags = args.split(" ", 2)
        self.box.flags[int(uid)] |= set(flags.strip("()").split())

    def _copy(self, args):
        uid, folder = args.split(" ", 1)
        if folder == '"Nowhere"':
            return "NO [TRYCREATE] none such"
        self.box.moved.setdefault(folder, []).append(self.box.messages[int(uid)])
        return None

    def do_copy(self, args):
        return self._copy(args)

    def do_move(self, args):
        if "MOVE" not in self.box.capabilities:
            return "BAD what"
        return self._copy(args) or self._remove(int(args.split()[0]))

    def do_expunge(self, args):
        self._remove(int(args))

    def _remove(self, uid):
        del self.box.messages[uid], self.box.flags[uid]

    def do_logout(self, _args):
        self.say("* BYE")
