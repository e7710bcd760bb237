"""A mail catcher: a real SMTP server on loopback that keeps what it is sent, and pages to read it.

    with MailCatcher() as mail:
        send(mail.smtp_url)                         # smtp://127.0.0.1:PORT
        mail.messages[-1].subject
        mail.refuse("gone@mail.se", code=550)

As a process: `python -m tests.standins.mail --smtp-port 0 --web-port 0` says where it is in JSON on its first line.
Nothing is ever passed on.
"""

from tests.standins.mail.catcher import MailCatcher
from tests.standins.mail.store import Mail

__all__ = ["Mail", "MailCatcher"]
