"""What the reasons mean, in words for people who are not technicians."""

from django.utils.translation import gettext_lazy as _

from campaigns.mail.returns.reasons import Reason

MEANINGS = {
    Reason.USER_UNKNOWN: _("Nobody has this address"),
    Reason.HOST_UNKNOWN: _("There is no such domain"),
    Reason.HAS_MOVED: _("The address has moved"),
    Reason.NOT_ACCEPT: _("The domain takes no mail"),
    Reason.MAILBOX_FULL: _("The mailbox is full"),
    Reason.SUSPEND: _("The mailbox is switched off for now"),
    Reason.FILTERED: _("Refused by the recipient's filter"),
    Reason.REJECTED: _("Our sender address was refused"),
    Reason.BLOCKED: _("Our mail server is blocked there"),
    Reason.BAD_REPUTATION: _("Our mail server has a bad name there"),
    Reason.REQUIRE_PTR: _("Our mail server's name is not set up (reverse DNS)"),
    Reason.AUTH_FAILURE: _("Our mail did not pass SPF, DKIM or DMARC"),
    Reason.POLICY_VIOLATION: _("Against the receiver's policy"),
    Reason.SPAM_DETECTED: _("Taken for spam"),
    Reason.VIRUS_DETECTED: _("Taken for a virus"),
    Reason.CONTENT_ERROR: _("Something in the message was refused"),
    Reason.NOT_COMPLIANT_RFC: _("The message was not well formed"),
    Reason.MESG_TOO_BIG: _("The message is too large"),
    Reason.EXCEED_LIMIT: _("The message is larger than this mailbox takes"),
    Reason.SPEEDING: _("We sent too fast"),
    Reason.TOO_MANY_CONN: _("We opened too many connections"),
    Reason.SECURITY_ERROR: _("Refused for security"),
    Reason.FAILED_STARTTLS: _("No safe connection could be made"),
    Reason.NO_RELAYING: _("The server doesn't take mail for this address from us"),
    Reason.SYNTAX_ERROR: _("The servers did not understand each other"),
    Reason.NETWORK_ERROR: _("The way there failed"),
    Reason.SYSTEM_ERROR: _("The receiving server has a fault"),
    Reason.SYSTEM_FULL: _("The receiving server is full"),
    Reason.MAILER_ERROR: _("A program at the receiver's failed"),
    Reason.EXPIRED: _("It could not be delivered in time"),
    Reason.ON_HOLD: _("Refused, without a reason we know"),
    Reason.FEEDBACK: _("The reader said so"),
    Reason.VACATION: _("An automatic answer"),
    Reason.DELIVERED: _("It was delivered"),
    Reason.UNDEFINED: _("Not known"),
}
