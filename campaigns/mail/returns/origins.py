"""Whose letter it is: a mail server's, a machine's that answers for somebody, or a person's."""

import re
from email.message import Message

from campaigns.mail.returns.parts import ADDRESS, header

SERVER_NAMES = re.compile(
    r"(?i)mailer-?daemon|post[-_]?master|mail (delivery|administrator|system|router)|(delivery|mail) sub-?system"
    r"|delivery status|system administrator|mmdf|uucp|root@|no-?reply|bounce|nondeliver"
)
_SERVER_SUBJECTS = re.compile(
    r"(?i)undeliver|delivery (status|fail|notif|problem|report|error|has failed)|fail(ed|ure) (mail|notice|deliver)|(mail|message) delivery"
    r"|returned (mail|to sender|message)|mail (fail|system error|could not|not deliver)|non-? ?deliver|not delivered|could not be delivered"
    r"|permanent (error|fail)|warning: (message|could not)|delivery (temporarily )?(suspended|delayed)|message status|mail undeliv"
    r"|unzustellbar|nicht zugestellt|unbekannter empf|non remis|échec de la remise|no se puede entregar|退信|系统退信|配信|送信エラー|不着"
    r"|olevererbart|kunde inte levereras|недоставлен|не доставлен|niedostarcz|non recapit|onbestelbaar"
)
_AWAY = re.compile(
    r"(?i)^\s*(auto(matic|mated)?[ -]?(reply|response|answer|antwort)|automatische antwort|autosvar|r[ée]ponse automatique|respuesta autom|risposta autom"
    r"|out of (the )?office|away from|i am (away|on)|vacation|abwesen|fr[åa]nvaro|absence|on holiday|自動(応答|返信)|auto:)"
)


def is_automatic(message: Message) -> bool:
    """Somebody's automatic answer (RFC 3834), not a mail server's report."""
    if message.get("X-Failed-Recipients") or message.get_content_type() == "multipart/report":
        return False
    if _AWAY.search(header(message, "Subject")):
        return True
    submitted = header(message, "Auto-Submitted").lower()
    answers = submitted.startswith(("auto-replied", "auto-generated", "auto-notified", "vacation"))
    other = (
        header(message, "X-Auto-Response-Suppress")
        or header(message, "X-Autoreply")
        or header(message, "X-Autorespond")
    )
    precedence = header(message, "Precedence").lower() in {"auto_reply", "auto-reply"}
    return bool(answers or other or precedence) and not is_from_a_server(message)


def is_from_a_server(message: Message) -> bool:
    if message.get("X-Failed-Recipients") or message.get_content_type() == "multipart/report":
        return True
    return bool(SERVER_NAMES.search(header(message, "From")) or _SERVER_SUBJECTS.search(header(message, "Subject")))


def is_bare_complaint(message: Message) -> bool:
    """A complaint without a report part, as some receivers send it: the subject or a header says so."""
    subject = header(message, "Subject").lower()
    return bool(
        message.get("X-HmXmrOriginalRecipient")
        or ("complaint about message from" in subject and "staff@hotmail" in header(message, "From").lower())
        or message.get_param("report-type") == "feedback-report"
    )


def arrived_for(message: Message) -> tuple[str, ...]:
    found = []
    for name in ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To", "To"):
        for value in (message.get_all(name) or [])[:5]:
            found += ADDRESS.findall(str(value))[:5]
    return tuple(dict.fromkeys(found))
