"""The dialogue with a mail server over one connection, one round trip a message where the server allows it.

    idle ──begin──▶ MAIL, RCPT, DATA ──354──▶ may it leave? ──yes──▶ body, MAIL, RCPT, DATA of the next ──▶ …
      ▲                   │                        └─no──▶ hang up: what has no final dot is not delivered
      └──RSET─── refused ─┘                                                              (RFC 5321, 4.1.1.4)

With PIPELINING (RFC 2920) a row goes out in one piece, without it command by command. A body may be followed by the
envelope of the next message in the same piece (RFC 2920, 3.1), and answers come in the order of the commands.
"""

import re
import time
from collections import deque
from collections.abc import Callable

from django.conf import settings
from django.utils.translation import gettext as _

from campaigns.mail.transport.connecting import Link
from campaigns.mail.transport.errors import (
    CLOSING,
    SIGN_IN_FIRST,
    InDoubt,
    MailError,
    Refused,
    Unreachable,
    plain,
    says,
    sender_refused,
    why,
)
from campaigns.mail.transport.outbox import Mail, Outbox

AFTER_THE_DOT = 4
"""How many times EMAIL_TIMEOUT a server may think about a message it has. It is asked not to take long, but has more
work then than at any other command, and giving up leaves a doubt (RFC 5321, 4.5.3.2.6)."""
MOST_BREAKS = 3
"""Times a server hangs up on one message before that counts as a no."""
_LONGEST_ANSWER = 100_000
"""Bytes, over all its lines."""


class Closed(MailError):
    """The connection is over; the text says why."""


class HeldBack(Closed):
    """Ours to end: the message whose turn it was must not leave any more."""


class Session:
    """One connection. Whatever it raises ends it: then `lost` must be called."""

    def __init__(self, link: Link, outbox: Outbox) -> None:
        self.link = link
        self.outbox = outbox
        self._patience = settings.EMAIL_TIMEOUT
        self._limit = settings.MAIL_PER_CONNECTION
        self.shut = False
        """Whether it takes up no further message."""
        self.watched = False
        """Whether somebody waits for the moment when more can be written."""
        self.carried = 0
        """Messages that the server has said yes or no to."""
        self.deadline: float | None = None
        """When to give the server up; None while nothing is expected of it. Monotonic."""
        self.flying: Mail | None = None
        """Its body has left, and no answer has come."""
        self._mail: Mail | None = None
        """Its envelope is being agreed on."""
        self._refusal: Refused | None = None
        self._expected: deque[Callable[[int, bytes], None]] = deque()
        self._unsaid: deque[bytes] = deque()
        self._reset = False
        self._buffer = b""
        self._text: list[bytes] = []

    @property
    def idle(self) -> bool:
        return not self._expected

    @property
    def parting(self) -> bool:
        return self._on_quit in self._expected

    def begin(self) -> None:
        """Take up the next message, if there is one."""
        if envelope := self._envelope():
            self._say(envelope)
            self._wait()

    def leave(self) -> None:
        """Say goodbye, once nothing is under way."""
        if self.idle:
            self.shut = True
            self._expected.append(self._on_quit)
            self._say([b"QUIT\r\n"])
            self._wait()

    def work(self) -> None:
        """Take in what has come, send what is left to send. Raises Closed, Unreachable, or what the outbox raises."""
        if self.link.wants_to_write:
            self.link.flush()
            self._wait()
        try:
            data = self.link.read()
        except (OSError, EOFError) as error:
            raise Closed(why(error)) from None
        if data:
            self._take_in(data)
        elif self.deadline is not None and time.monotonic() > self.deadline:
            raise Closed(why(TimeoutError()))

    def lost(self, reason: str) -> None:
        """The connection is gone: say what that means for the messages."""
        self.link.close()
        flying, self.flying = self.flying, None
        mail, self._mail = self._mail, None
        if flying is not None:
            self.outbox.done(flying, InDoubt(_("The connection broke before the mail server had answered.")))
        if mail is not None:
            mail.breaks += 1
            if mail.breaks < MOST_BREAKS:
                self.outbox.put_back(mail)
            else:
                self.outbox.done(mail, Refused(CLOSING, reason))

    # What we say ------------------------------------------------------------------------------------

    def _envelope(self) -> list[bytes]:
        mail = self._mail = self._next()
        if mail is None:
            return []
        self._refusal = None
        options = b""
        if not (mail.recipient.isascii() and mail.sender.isascii()):
            options = b" SMTPUTF8 BODY=8BITMIME"
        elif self.link.eight_bit:
            options = b" BODY=8BITMIME"
        commands = [
            b"MAIL FROM:<%b>%b\r\n" % (mail.sender.encode(), options),
            b"RCPT TO:<%b>\r\n" % mail.recipient.encode(),
            b"DATA\r\n",
        ]
        self._expected.extend((self._on_mail, self._on_rcpt, self._on_data))
        if self._reset:
            self._reset = False
            commands.insert(0, b"RSET\r\n")
            self._expected.insert(len(self._expected) - 3, self._on_reset)
        return commands

    def _next(self) -> Mail | None:
        if self.shut or (self._limit and self.carried + (self.flying is not None) >= self._limit):
            self.shut = True
            return None
        while (mail := self.outbox.next(self.link.eight_bit)) is not None:
            if not _is_path(mail.recipient):
                self.outbox.done(
                    mail, Refused(553, _("This address can't be written in the language of mail servers."))
                )
            elif not self.link.smtputf8 and not (mail.recipient.isascii() and mail.sender.isascii()):
                said = _("The mail server can't send to addresses with letters outside ASCII (SMTPUTF8).")
                self.outbox.done(mail, Refused(553, said))
            else:
                return mail
        return None

    def _say(self, commands: list[bytes]) -> None:
        """Send all of it where the server takes it in one piece, else one at a time."""
        if self.link.pipelining:
            self.link.write(b"".join(commands))
        else:
            self._unsaid.extend(commands)
            self.link.write(self._unsaid.popleft())

    def _wait(self) -> None:
        patience = self._patience * (AFTER_THE_DOT if self.flying else 1)
        self.deadline = time.monotonic() + patience if self._expected else None

    # What we hear -----------------------------------------------------------------------------------

    def _take_in(self, data: bytes) -> None:
        in_step = (
            self.flying and len(self._expected) == len(_USUAL) and not (self._refusal or self._buffer or self._text)
        )
        if in_step and _is_usual(data):
            self._go_on()
            return
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        if len(self._buffer) > _LONGEST_ANSWER or len(self._text) > _LONGEST_ANSWER // 10:
            raise Closed(why(ConnectionError()))
        for line in lines:
            if not line[:3].isdigit() or line[3:4] not in b"- \r":
                raise Closed(says(0, line))
            self._text.append(line[4:])
            if line[3:4] != b"-":
                text, self._text = b" ".join(self._text), []
                self._hear(int(line[:3]), text)
        self._wait()

    def _go_on(self) -> None:
        """What four calls of `_hear` would come to: the body was taken over, and the next may follow."""
        self._expected.popleft()
        self._on_body(250, b"")
        self._expected.clear()
        self._send()
        self._wait()

    def _hear(self, code: int, text: bytes) -> None:
        if not self._expected:
            raise Closed(says(code, text))
        hear = self._expected.popleft()
        if code == CLOSING and hear != self._on_body:
            raise Closed(says(code, text))
        hear(code, text)
        if self._unsaid and len(self._unsaid) == len(self._expected):
            self.link.write(self._unsaid.popleft())

    def _on_reset(self, code: int, text: bytes) -> None:
        if code >= 300:
            raise Closed(says(code, text))

    def _on_mail(self, code: int, text: bytes) -> None:
        if 200 <= code < 300:
            return
        if self._mail and not self._mail.recipient.isascii() and code >= 500 and code not in SIGN_IN_FIRST:
            self._refuse(code, text)
        else:
            # Whatever it is, it would be the same for everybody.
            raise Unreachable(sender_refused(code, text))

    def _on_rcpt(self, code: int, text: bytes) -> None:
        if code in SIGN_IN_FIRST:
            raise Unreachable(says(code, text))
        if not 200 <= code < 300:
            self._refuse(code, text)

    def _on_data(self, code: int, text: bytes) -> None:
        if code == 354 and self._refusal is None:
            self._send()
        elif code == 354:
            # It wants a message to nobody: it gets an empty one (RFC 2920, 3.1).
            self._expected.append(self._on_nothing)
            self._say([b".\r\n"])
        elif code in SIGN_IN_FIRST:
            raise Unreachable(says(code, text))
        else:
            self._refuse(code, text)
            self._refused(reset=True)

    def _on_nothing(self, code: int, text: bytes) -> None:
        self._refused(reset=False)

    def _refuse(self, code: int, text: bytes) -> None:
        """The first no is the reason; those to the commands after it follow from it."""
        if self._refusal is None:
            self._refusal = Refused(code, plain(text))
        if self._unsaid:
            self._unsaid.clear()
            self._expected.clear()
            self._refused(reset=True)

    def _refused(self, reset: bool) -> None:
        mail, self._mail = self._mail, None
        if mail is None:
            return
        self._reset = reset
        self.carried += 1
        self.outbox.done(mail, self._refusal)
        self.begin()

    def _send(self) -> None:
        mail, self._mail = self._mail, None
        if mail is None or not self.outbox.may_leave(mail):
            raise HeldBack
        self.flying = mail
        self._expected.append(self._on_body)
        pieces = [mail.body, b".\r\n"]
        if self.link.pipelining:
            pieces += self._envelope()
        self.link.write(b"".join(pieces))

    def _on_body(self, code: int, text: bytes) -> None:
        mail, self.flying = self.flying, None
        if mail is None:
            return
        self.carried += 1
        if 200 <= code < 300:
            self.outbox.done(mail, None)
        elif code >= 400:
            self.outbox.done(mail, Refused(code, plain(text)))
        else:
            self.outbox.done(mail, InDoubt(says(code, text)))
        if code == CLOSING or not 200 <= code < 600:
            raise Closed(says(code, text))
        if not self._expected:
            self.begin()

    def _on_quit(self, code: int, text: bytes) -> None:
        raise Closed("")


_USUAL = (b"250", b"250", b"250", b"354")
"""Nearly all that a quick server says, each time in one piece: yes to a body, to the envelope behind it, and to its DATA."""
_is_usual = re.compile(rb"".join(code + rb" [^\r\n]*\r\n" for code in _USUAL)).fullmatch
_is_path = re.compile(r'(?:"[^\x00-\x1f\x7f]+|[^\x00-\x20\x7f<>]+)').fullmatch
"""Whether an address can stand in MAIL and RCPT without being taken for more than an address."""
