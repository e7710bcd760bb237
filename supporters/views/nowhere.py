"""An address that leads nowhere, and a page that failed, in the language that the address begins with or else the browser's."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import get_script_prefix
from django.utils import translation
from django.views.defaults import server_error

from supporters.public import LanguageConverter, page

_LANGUAGE = re.compile(rf"(?:{LanguageConverter.regex})(?=/)")


def nowhere(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _said(request, lambda: page(request, "supporters/nowhere.html", {"languages": []}, status=404))


def failed(request: HttpRequest) -> HttpResponse:
    """Asks nothing of the database, for that may be what failed."""
    return _said(request, lambda: server_error(request))


def _said(request: HttpRequest, answer: Callable[[], HttpResponse]) -> HttpResponse:
    with translation.override(language := _language(request)):
        response = answer()
    response.headers["Content-Language"] = language
    return response


def _language(request: HttpRequest) -> str:
    found = _LANGUAGE.match(request.path.removeprefix(get_script_prefix()))
    return found[0] if found else translation.get_language()
