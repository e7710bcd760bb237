import json
import os
import sys
from collections import Counter

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from campaigns.mail.returns import applying, mailbox
from campaigns.mail.returns.reports import MOST_BYTES
from campaigns.mail.returns.storing import Channel, store_message


class Command(BaseCommand):
    help = "Take in one returned message from standard input, as mail servers pipe it, or what lies in the mailbox."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--mailbox", action="store_true", help="read the mailbox of MAILBOX_URL instead")
        parser.add_argument("--queue", action="store_true", help="store only; a worker applies it within a minute")
        parser.add_argument("--json", action="store_true", help="end with one JSON object of counts")

    def handle(self, *args: object, **options: object) -> None:
        counts = Counter(self._from_mailbox() if options["mailbox"] else self._from_pipe())
        if not options["queue"]:
            counts.update(applying.apply_owed())
        if options["json"]:
            self.stdout.write(json.dumps(counts))
        elif options["mailbox"]:
            self.stdout.write(", ".join(f"{number} {name}" for name, number in counts.items()))

    def _from_mailbox(self) -> dict[str, int]:
        try:
            return mailbox.fetch()
        except mailbox.MailboxError as error:
            raise CommandError(error.for_staff) from None

    def _from_pipe(self) -> dict[str, int]:
        """One message. A mail server that is told EX_TEMPFAIL keeps it and tries again."""
        raw = sys.stdin.buffer.read(MOST_BYTES)
        while sys.stdin.buffer.read(MOST_BYTES):
            pass  # A server whose pipe breaks takes the message for undelivered.
        if not raw.strip():
            raise CommandError("There is no message on standard input.")
        try:
            return {"fetched": int(store_message(raw, Channel.PIPE))}
        except DatabaseError:
            self.stderr.write("The database can't be reached: try again later.")
            sys.exit(os.EX_TEMPFAIL)
