"""In which language a page is: the one that its address begins with, and else what the browser asks for."""

import re

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

LANGUAGES = "|".join(sorted((code for code, _name in settings.LANGUAGES), key=len, reverse=True))
_BEGINS = re.compile(rf"/({LANGUAGES})/")


class PageLanguage(LocaleMiddleware):
    def process_request(self, request: HttpRequest) -> None:
        if not (said := _BEGINS.match(request.path_info)):
            return super().process_request(request)
        translation.activate(said[1])
        request.LANGUAGE_CODE = said[1]
        return None

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if not _BEGINS.match(request.path_info):
            return super().process_response(request, response)
        response.headers.setdefault("Content-Language", translation.get_language())
        return response
