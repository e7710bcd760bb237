"""Why a message came back, by the field's words; campaigns.mail.returns.words tells staff what they mean."""

from enum import StrEnum


class Reason(StrEnum):
    USER_UNKNOWN = "userunknown"
    HOST_UNKNOWN = "hostunknown"
    HAS_MOVED = "hasmoved"
    NOT_ACCEPT = "notaccept"
    MAILBOX_FULL = "mailboxfull"
    SUSPEND = "suspend"
    FILTERED = "filtered"
    REJECTED = "rejected"
    BLOCKED = "blocked"
    BAD_REPUTATION = "badreputation"
    REQUIRE_PTR = "requireptr"
    AUTH_FAILURE = "authfailure"
    POLICY_VIOLATION = "policyviolation"
    SPAM_DETECTED = "spamdetected"
    VIRUS_DETECTED = "virusdetected"
    CONTENT_ERROR = "contenterror"
    NOT_COMPLIANT_RFC = "notcompliantrfc"
    MESG_TOO_BIG = "mesgtoobig"
    EXCEED_LIMIT = "exceedlimit"
    SPEEDING = "speeding"
    TOO_MANY_CONN = "toomanyconn"
    SECURITY_ERROR = "securityerror"
    FAILED_STARTTLS = "failedstarttls"
    NO_RELAYING = "norelaying"
    SYNTAX_ERROR = "syntaxerror"
    NETWORK_ERROR = "networkerror"
    SYSTEM_ERROR = "systemerror"
    SYSTEM_FULL = "systemfull"
    MAILER_ERROR = "mailererror"
    EXPIRED = "expired"
    ON_HOLD = "onhold"
    """A refusal that nobody can make sense of."""
    FEEDBACK = "feedback"
    VACATION = "vacation"
    DELIVERED = "delivered"
    UNDEFINED = "undefined"


ENDING = frozenset({Reason.USER_UNKNOWN, Reason.HOST_UNKNOWN, Reason.HAS_MOVED, Reason.NOT_ACCEPT})
NO_BOUNCE = frozenset({Reason.FEEDBACK, Reason.VACATION, Reason.DELIVERED, Reason.UNDEFINED})
