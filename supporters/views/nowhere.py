"""An address that leads nowhere, in the language that it begins with, or else the browser's."""

import re

from django.http import HttpRequest, HttpResponse
from django.urls import get_script_prefix
from django.utils import translation

from supporters.public import LanguageConverter, page

_LANGUAGE = re.compile(rf"(?:{LanguageConverter.regex})(?=/)")


def nowhere(request: HttpRequest, exception: Exception) -> HttpResponse:
    found = _LANGUAGE.match(request.path.removeprefix(get_script_prefix()))
    with translation.override(found[0] if found else translation.get_language()):
        return page(request, "supporters/nowhere.html", {"languages": []}, status=404)
