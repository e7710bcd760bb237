"""Refusing what is too large before any of it is read."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

_MARGIN = 1024 * 1024
"""Bytes that the rest of a form may add to its file."""


class UploadLimit:
    """A middleware before all that reads a request's body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdigit() and int(length) > settings.UPLOAD_LIMIT + _MARGIN:
            answer = render(
                request, "supporters/too_large.html", {"limit": settings.UPLOAD_LIMIT // 1024 // 1024}, status=413
            )
            answer["Connection"] = "close"
            return answer
        return self.get_response(request)
