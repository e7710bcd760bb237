"""A page for people: what the stand-in holds."""

from typing import TYPE_CHECKING
from urllib.parse import SplitResult

if TYPE_CHECKING:
    from tests.standins.mailchimp.standin import MailchimpStandIn


def answer(standin: "MailchimpStandIn", method: str, parts: SplitResult, raw: bytes) -> tuple[int, bytes, str]:
    return 200, b"<!doctype html><title>Mailchimp stand-in</title>", "text/html; charset=utf-8"
