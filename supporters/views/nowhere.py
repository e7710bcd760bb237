"""An address that leads nowhere, and a page that failed, in the language that the address begins with or else the browser's."""

import re

from django.http import HttpRequest, HttpResponse
from django.urls import get_script_prefix
from django.utils import translation

from supporters.public import LanguageConverter, page

_LANGUAGE = re.compile(rf"(?:{LanguageConverter.regex})(?=/)")


def nowhere(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _in_language(request, "supporters/nowhere.html", 404)


def failed(request: HttpRequest) -> HttpResponse:
    """Asks nothing of the database, for that may be what failed."""
    return _in_language(request, "supporters/failed.html", 500)


def _in_language(request: HttpRequest, template: str, status: int) -> HttpResponse:
    found = _LANGUAGE.match(request.path.removeprefix(get_script_prefix()))
    with translation.override(found[0] if found else translation.get_language()):
        return page(request, template, {"languages": []}, status=status)
