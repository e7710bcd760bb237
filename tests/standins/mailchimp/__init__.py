"""A stand-in for Mailchimp's Marketing API 3.0: real HTTP on loopback, state in memory.

    with MailchimpStandIn() as mailchimp:
        client(mailchimp.url)                       # http://127.0.0.1:PORT/3.0
        mailchimp.fail(times=2, status=503, body="empty")
        mailchimp.member_unsubscribes(mailchimp.list_id, "ann@mail.se")
        mailchimp.calls("POST", r"/lists/\\w+$")     # what was asked of it, and what it answered

As a process: `python -m tests.standins.mailchimp --port 0` says where it is in JSON on its first line.
It refuses what Mailchimp refuses, in Mailchimp's words where those are known. It leaves out
templates, interests, stores, automations and the links in every answer.
"""

from tests.standins.mailchimp.standin import MailchimpStandIn

__all__ = ["MailchimpStandIn"]
