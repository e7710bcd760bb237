"""Sending through a provider's interface instead of a mail server: django-anymail's backends, with our own ledger.

The provider is handed the message that a mail server would have got, taken apart again: both texts, and the headers that
belong on bulk mail. The delivery's number goes along as metadata, which the provider's webhook gives back
(campaigns.views.providers). What an answer means:

    2xx                                   it took the message over
    2xx, recipient rejected or invalid    Refused
    400, 404, 406, 409, 413, 422          Refused; the same answer for everybody means that it is about us: Unreachable
    401, 402, 403, 405, 407, 429, 503     Unreachable: our key, our account, our pace, or they are not there
    no connection                         Unreachable
    any other, none, or one in no form    InDoubt: it may have been taken over
"""

import re
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from email import message_from_bytes, policy
from email.message import EmailMessage
from queue import SimpleQueue

import requests
import urllib3
from anymail.exceptions import AnymailAPIError, AnymailError, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from campaigns.mail.transport import InDoubt, Mail, Outbox, Refused, Unreachable

_ABOUT_US = {401, 402, 403, 405, 407}
_SLOWER = {429, 503}
_REFUSALS = {400, 404, 406, 409, 413, 422}
_ALIKE = 3
"""Refusals with the same words, and nobody taken over yet: then it is not about the recipients."""
_LOOK = 0.1
"""Seconds between two questions to an outbox that has nothing just now."""
_KEPT = ("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID", "Message-ID")


class Provider:
    """A transport through a provider, with several requests at once."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._desks: SimpleQueue[BaseEmailBackend] = SimpleQueue()
        self._taken = False
        self._refusals: list[str] = []

    def open(self) -> None:
        """There is nobody to greet: the first message tells."""
        for _desk in range(self._size - self._desks.qsize()):
            backend = import_string(settings.EMAIL_PROVIDER["backend"])
            self._desks.put(backend(ignore_unsupported_features=True, **settings.EMAIL_PROVIDER["options"]))

    def close(self) -> None:
        while not self._desks.empty():
            self._desks.get().close()

    def carry(self, outbox: Outbox) -> None:
        """Raises Unreachable, or what the outbox raises, once the answers to what has left are in."""
        self.open()
        trouble: BaseException | None = None
        under_way: dict[Future[None], Mail] = {}
        with ThreadPoolExecutor(self._size, "provider") as threads:
            try:
                while True:
                    while trouble is None and len(under_way) < self._size:
                        mail = outbox.next(eight_bit=True)
                        if mail is None:
                            break
                        if outbox.may_leave(mail):
                            under_way[threads.submit(self._send, mail)] = mail
                    if not under_way and (trouble or outbox.over()):
                        break
                    if not under_way:
                        time.sleep(_LOOK)
                        continue
                    for answer in wait(under_way, return_when=FIRST_COMPLETED).done:
                        trouble = self._tell(outbox, under_way.pop(answer), answer.exception()) or trouble
            finally:
                for answer, mail in under_way.items():
                    self._tell(outbox, mail, answer.exception())
        if trouble:
            raise trouble

    def _send(self, mail: Mail) -> None:
        desk = self._desks.get()
        try:
            _hand_over(desk, _for_provider(mail))
        finally:
            self._desks.put(desk)

    def _tell(self, outbox: Outbox, mail: Mail, failure: BaseException | None) -> BaseException | None:
        """Tell the outbox how it went; what must stop us, if anything."""
        if isinstance(failure, Refused) and self._is_about_us(str(failure)):
            failure = Unreachable(_("The mail provider refuses everything: %(answer)s") % {"answer": failure})
        match failure:
            case None:
                self._taken = True
                outbox.done(mail, None)
            case Refused() | InDoubt():
                outbox.done(mail, failure)
            case Unreachable():
                outbox.put_back(mail)
                return failure
            case _:
                outbox.done(mail, InDoubt(_("The program failed on this message.")))
                return failure
        return None

    def _is_about_us(self, answer: str) -> bool:
        if self._taken:
            return False
        words = re.sub(r"\S+@\S+|[0-9a-f-]{16,}", "", answer)
        self._refusals = [*(said for said in self._refusals if said == words), words]
        return len(self._refusals) >= _ALIKE


def _for_provider(mail: Mail) -> EmailMultiAlternatives:
    """The message as a provider's interface wants it."""
    body = mail.body.replace(b"\r\n..", b"\r\n.")
    parsed = message_from_bytes(body, _class=EmailMessage, policy=policy.default)
    html = parsed.get_body(("html",))
    text = parsed.get_body(("plain",))
    message = EmailMultiAlternatives(
        subject=str(parsed["Subject"]),
        body=text.get_content().replace("\r\n", "\n") if text else "",
        from_email=str(parsed["From"]),
        to=[str(parsed["To"])],
        reply_to=[str(parsed["Reply-To"])] if parsed["Reply-To"] else None,
        headers={name: "".join(str(parsed[name]).split("\n")) for name in _KEPT if parsed[name]},
    )
    if html:
        message.attach_alternative(html.get_content().replace("\r\n", "\n"), "text/html")
    message.metadata = {"delivery": str(parsed["Message-ID"]).strip("<>").partition("@")[0]}
    # Ours are counted by ourselves, if at all (campaigns.mail.tracking).
    message.track_clicks = message.track_opens = False
    return message


def _hand_over(desk: BaseEmailBackend, message: EmailMultiAlternatives) -> None:
    """Raises Refused, Unreachable or InDoubt."""
    try:
        desk.send_messages([message])
    except AnymailRecipientsRefused:
        raise _no_such_recipient() from None
    except AnymailAPIError as error:
        raise _meaning(error.status_code, error.describe_response() or "", error) from None
    except AnymailError as error:
        # It could not even be put into the provider's form.
        raise Refused(554, _in_short(str(error))) from None
    told = message.anymail_status
    if told.status and told.status <= {"invalid", "rejected", "failed"}:
        raise _no_such_recipient()
    if told.esp_response is not None and told.esp_response.status_code >= 400:
        # anymail lets some answers pass in which it expects to find words on single recipients.
        raise _meaning(told.esp_response.status_code, told.esp_response.text)


def _no_such_recipient() -> Refused:
    return Refused(550, _("The mail provider does not send to this address."))


def _meaning(status: int | None, said: str, error: AnymailAPIError | None = None) -> Refused | Unreachable | InDoubt:
    if status is None:
        if error and _never_connected(error):
            return Unreachable(_("The mail provider can't be reached."))
        return InDoubt(_("The connection broke before the mail provider had answered."))
    answer = {"answer": _in_short(said)}
    if status in _ABOUT_US:
        return Unreachable(_("The mail provider refuses our key or our account: %(answer)s") % answer)
    if status in _SLOWER:
        return Unreachable(_("The mail provider asks us to wait: %(answer)s") % answer)
    if status in _REFUSALS:
        return Refused(554, answer["answer"])
    return InDoubt(_("The mail provider's answer does not tell whether it took the message: %(answer)s") % answer)


def _never_connected(error: BaseException) -> bool:
    """Whether the request can't have left. A connection that breaks later looks much the same from outside."""
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError | requests.exceptions.ProxyError):
        return True
    cause = error.__cause__
    reason = getattr(cause.args[0], "reason", None) if cause and cause.args else None
    return isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError)


def _in_short(text: str) -> str:
    return " ".join(text.split())[:200]
