"""Sessions and what is built on them, for the pages of those who log in: staff and partners.

Pages for supporters know no session (supporters.public), so none is looked for there, and they don't pay for it.
"""

import re

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

_THEIRS = re.compile(r"/admin\b|/(?:[a-z-]+/)?partners\b")


class _ThereOnly:
    """Passes a request for any other page on as it came."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return super().__call__(request) if _THEIRS.match(request.path_info) else self.get_response(request)


class Sessions(_ThereOnly, SessionMiddleware):
    pass


class ForgeryGuard(_ThereOnly, CsrfViewMiddleware):
    """A POST to any other page is still refused, unless its view says that it has nothing to lose."""


class Accounts(_ThereOnly, AuthenticationMiddleware):
    pass


class Messages(_ThereOnly, MessageMiddleware):
    pass
