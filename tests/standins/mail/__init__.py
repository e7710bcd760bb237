"""A mail server that keeps what it is sent, over real SMTP, and a page to read it on."""

from tests.standins.mail.catcher import Caught, MailCatcher

__all__ = ["Caught", "MailCatcher"]
