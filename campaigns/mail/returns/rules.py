"""Why a message came back, in the field's words, and whether that ends the address.

A verdict is looked for in this order, and the first that is found stands:

1. what the server said: its own words, by meaning (`_PHRASES`), read before its numbers, for many servers answer `550 5.7.1` to all;
2. what the letter says beside it, where the report's own line means nothing;
3. the enhanced status code (RFC 3463 and the IANA registry of enhanced status codes);
4. the reply code and the command it answered (RFC 5321).

Only four reasons end an address, for they speak of the address and not of us or of today: nobody there, no such host, moved,
and a host that takes no mail. Where a server is unclear, or says it for now (4xx), the doubt is the donor's: nothing is lost by
writing once more, and a donor is lost by never writing again.

That nobody is there is believed where the server says so of the recipient: with a status of 5.1.1 and its kin, or in answer to
RCPT. Said after the whole message, or one doesn't know when, it is a filter's way to say no: mobile providers in Japan do so.
"""

import re
from dataclasses import dataclass

from campaigns.mail.returns.phrases import PHRASES
from campaigns.mail.returns.reasons import ENDING, Reason
from campaigns.mail.returns.reports import Kind, Recipient, Report

R = Reason


@dataclass(frozen=True)
class Verdict:
    """What a report means for one address."""

    address: str
    reason: Reason
    hard: bool = False
    """Whether the address is at its end."""
    status: str = ""
    reply: str = ""
    said: str = ""
    final: bool = True
    """False for a report of delay, or of success: nothing has come back."""


def judge(report: Report) -> list[Verdict]:
    """A verdict for each address that the report speaks of."""
    if report.kind == Kind.FEEDBACK:
        return [Verdict(recipient.address, Reason.FEEDBACK, final=False) for recipient in report.recipients]
    if report.kind == Kind.AUTOMATIC:
        return [Verdict(recipient.address, Reason.VACATION, final=False) for recipient in report.recipients]
    if report.kind == Kind.OTHER:
        return [Verdict(recipient.address, Reason.UNDEFINED, final=False) for recipient in report.recipients]
    alone = len(report.recipients) == 1
    return [_judge(recipient, report, alone) for recipient in report.recipients]


def _judge(recipient: Recipient, report: Report, alone: bool) -> Verdict:
    said, near, beside = _evidence(recipient, report, alone)
    if recipient.action in _SUCCESS or _SUCCEEDED.search(report.subject):
        return Verdict(recipient.address, R.DELIVERED, status=recipient.status, said=said[:500], final=False)
    delayed = recipient.action == "delayed" or (not recipient.action and bool(_DELAYED.search(report.text)))
    command = _command(said) or _command(near) or _command(beside)
    reply = _reply_of(said) or _reply_of(near) or _reply_of(beside)
    reason, status = _reason(recipient, (said, near, beside), command)
    reason = reason or _by_reply(reply, command) or (R.EXPIRED if delayed else R.ON_HOLD)
    for_now = delayed or (status or reply).startswith("4")
    if command == "MAIL" and reason in {R.SECURITY_ERROR, R.FILTERED, R.USER_UNKNOWN}:
        reason = R.REJECTED  # It was the sender that was looked at.
    elif for_now and reason == R.HOST_UNKNOWN:
        reason = R.NETWORK_ERROR
    hard = reason in ENDING and not for_now
    heard = (said or near or beside)[:500]
    return Verdict(recipient.address, reason, hard, status, reply, heard, final=not delayed)


def _reason(recipient: Recipient, texts: tuple[str, str, str], command: str) -> tuple[Reason | None, str]:
    """What the nearest words that mean anything say, else the number beside them; and the enhanced status code."""
    said, near, beside = texts
    status = _status_of(said) or recipient.status
    reason = _by_words(said, status, command)
    for text in (near, beside):
        if not reason and text:
            told = _status_of(text)
            status = told if told and (not status or status.endswith(".0.0")) else status
            reason = _by_words(text, status, command) or _STATUSES.get(status)
    if reason == R.USER_UNKNOWN and not said:
        # A letter that says "disabled" or "full" in its own words means that, whatever the line below says.
        softer = _by_words(beside, status, command)
        reason = softer if softer in {R.SUSPEND, R.MAILBOX_FULL} else reason
    return reason or _STATUSES.get(status), status


_LONGEST = 3000
"""Characters of evidence that are looked at."""


def _evidence(recipient: Recipient, report: Report, alone: bool) -> tuple[str, str, str]:
    """What the server said of this address; what the letter says by it; and, if it is about nobody else, all of the letter."""
    near = _from_address_on(recipient.address, report.text)
    texts = (recipient.said, near, report.text if alone else "")
    said, near, beside = (" ".join(text[: 2 * _LONGEST].split())[:_LONGEST] for text in texts)
    return said, near, beside


# Numbers ----------------------------------------------------------------------------------------

_SUCCESS = {"delivered", "relayed", "expanded", "deliverable"}
_SUCCEEDED = re.compile(
    r"(?i)^(successful mail delivery|delivery (status )?notification \((success|relay)|mail delivery status report$)"
)
_DELAYED = re.compile(
    r"(?i)warning only|warning message only|has not yet been delivered|not yet (been )?delivered|will be retried|still (being )?undelivered|delivery to the following recipients? has been delayed"
    r"|is delayed for more than|delay reason|will (continue|keep) trying|only a temporary failure|temporarily deferred, will retry"
)
_STATUS = re.compile(r"(?<![\d.])[245]\.\d\.\d{1,3}(?![\d.]*\.?\d)")
_CODE = re.compile(r"(?:^|[^\d.\w/-])([45][0-57]\d)(?:[ :-]+#?[245]\.\d|[ :-]|$)")


def _status_of(text: str) -> str:
    found = _STATUS.findall(text)
    return next(
        (status for status in found if status[0] != "2" and not status.endswith(".0.0")), found[0] if found else ""
    )


def _reply_of(text: str) -> str:
    found = _CODE.search(text)
    return found[1] if found else ""


_COMMANDS = (
    (
        "RCPT",
        r"in reply to rcpt|(after|following) rcpt|rcpt[ _]to\]|smtp:rcpt|our rcpt to|to rcpt|does not like recipient|\(state 14\)|(>>>|<<<) rcpt to:(?!.*(>>>|<<<) data)",
    ),
    (
        "DATA",
        r"end of data|in reply to data|(after|following) data|smtp command data|command:? data|our (final )?data|\(state 1[5-8]\)|failed after i sent the message|(>>>|<<<) data|for text command|\bsmtp:data",
    ),
    (
        "MAIL",
        r"in reply to mail|(after|following) mail( from)?\b|mail_from\]|our mail from|does not like (the )?sender|\(state 13\)|>>> mail from",
    ),
    (
        "CONN",
        r"initial connection|refused to talk to me|connect(ed)? to|greeting|in reply to (ehlo|helo)|after (ehlo|helo)|while talking to [^>]*<<<",
    ),
)
_COMMAND = tuple((name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _COMMANDS)


def _command(text: str) -> str:
    return next((name for name, pattern in _COMMAND if pattern.search(text)), "")


def _from_address_on(address: str, text: str) -> str:
    """From where a letter names the address to where it goes on to another one."""
    if not address:
        return ""
    named = re.search(rf"(?im)(?<!^to: )(?<!^to: <){re.escape(address)}", text)
    if not named:
        return ""
    start = named.start()
    rest = text[start:]
    for following in re.finditer(r"\n[ \t]*[<\"]?([\w.+=-]{1,64}@[\w.-]{1,255})", rest):
        if not following[1].lower().startswith(address.lower()):
            return rest[: following.start()]
    return rest


# Words ------------------------------------------------------------------------------------------

_WORDS = tuple((Reason(name), re.compile("|".join(phrases), re.IGNORECASE)) for name, phrases in PHRASES)


def _by_words(said: str, status: str, command: str) -> Reason | None:
    for reason, pattern in _WORDS:
        if pattern.search(said):
            if reason == R.USER_UNKNOWN:
                return _nobody(said, status, command)
            if reason == R.FILTERED and _STATUSES.get(status) in ENDING:
                return _STATUSES[status]
            return reason
    return None


def _nobody(said: str, status: str, command: str) -> Reason:
    by_number = _STATUSES.get(status)
    if by_number in ENDING:
        # Microsoft says 5.1.10, which is a host without mail elsewhere, of an address that is not there.
        return R.USER_UNKNOWN if by_number == R.NOT_ACCEPT else by_number
    if command == "RCPT" or _OWN_LETTER.search(said):
        return R.USER_UNKNOWN
    return R.FILTERED


_OWN_LETTER = re.compile(
    r"(?i)^unknown user:|invalid final delivery userid|error: invalid user address|not listed in (domino|public name)|recipient name is not recognized|no mailbox here|address not found|address couldn't be found"
    r"|delivery error: dd |>: user unknown$|5\.4\.1 .{0,90}recipient address rejected: access denied|mailbox unavailable \([-s]?\d|invalid recipient"
)


# Codes ------------------------------------------------------------------------------------------

_STATUSES: dict[str, Reason] = {
    **dict.fromkeys(("5.1.0", "5.1.1", "5.1.3", "5.1.4", "5.1.351", "5.7.17"), R.USER_UNKNOWN),
    **dict.fromkeys(("5.1.2", "5.4.4"), R.HOST_UNKNOWN),
    **dict.fromkeys(("5.1.6",), R.HAS_MOVED),
    **dict.fromkeys(("5.1.10", "5.3.2"), R.NOT_ACCEPT),
    **dict.fromkeys(("5.1.7", "5.1.8", "5.1.9", "5.7.27", "4.1.8", "4.1.7"), R.REJECTED),
    **dict.fromkeys(("5.2.0", "5.2.4", "5.7.2"), R.FILTERED),
    **dict.fromkeys(("5.2.1", "4.2.1"), R.SUSPEND),
    **dict.fromkeys(("5.2.2", "4.2.2"), R.MAILBOX_FULL),
    **dict.fromkeys(("5.2.3",), R.EXCEED_LIMIT),
    **dict.fromkeys(("5.3.4", "4.3.4"), R.MESG_TOO_BIG),
    **dict.fromkeys(("5.3.1", "4.3.1"), R.SYSTEM_FULL),
    **dict.fromkeys(("5.3.0", "5.3.3", "5.3.5", "4.3.0", "4.3.2", "4.3.5"), R.SYSTEM_ERROR),
    **dict.fromkeys(
        ("5.4.0", "5.4.2", "5.4.3", "5.4.6", "4.4.0", "4.4.2", "4.4.3", "4.4.4", "4.4.6", "4.4.312", "5.4.312"),
        R.NETWORK_ERROR,
    ),
    **dict.fromkeys(("5.4.1", "5.4.7", "4.4.1", "4.4.5", "4.4.7", "5.4.316"), R.EXPIRED),
    **dict.fromkeys(("5.5.0", "5.5.1", "5.5.2", "5.5.4"), R.SYNTAX_ERROR),
    **dict.fromkeys(("5.5.3", "4.5.3"), R.TOO_MANY_CONN),
    **dict.fromkeys(("5.6.0", "5.6.1", "5.6.3", "5.6.6"), R.CONTENT_ERROR),
    **dict.fromkeys(("5.7.0", "5.7.1", "5.7.3", "5.7.4", "5.7.5", "5.7.8", "5.7.10"), R.SECURITY_ERROR),
    **dict.fromkeys(("5.7.9", "4.7.9"), R.POLICY_VIOLATION),
    **dict.fromkeys(
        ("5.7.20", "5.7.21", "5.7.22", "5.7.23", "5.7.24", "5.7.26", "5.7.30", "5.7.509"), R.AUTH_FAILURE
    ),
    **dict.fromkeys(("5.7.25", "4.7.25"), R.REQUIRE_PTR),
    **dict.fromkeys(("5.7.28", "4.7.28"), R.SPEEDING),
    **dict.fromkeys(("5.7.605", "5.7.606", "5.7.511", "5.7.750"), R.BLOCKED),
}


def _by_reply(reply: str, command: str) -> Reason | None:
    if reply == "421":
        return R.EXPIRED
    if reply == "552":
        return R.MAILBOX_FULL
    if reply in {"500", "501", "502", "503", "504"}:
        return R.SYNTAX_ERROR
    if command == "MAIL":
        return R.REJECTED
    if command == "CONN" and reply.startswith("5"):
        return R.BLOCKED
    return None
