"""Refusing what is too large before any of it is read. Only staff send files."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

_MARGIN = 1024 * 1024
"""Bytes that the rest of a form may add to its file."""


class UploadLimit:
    """A middleware before all that reads a request's body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        said = request.META.get("CONTENT_LENGTH") or "0"
        length = int(said) if said.isdigit() else 0
        if length <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return self.get_response(request)
        if not request.path.startswith(reverse("admin:index")):
            # Django itself takes no larger form, but any file beside it.
            answer = HttpResponse("Too large.", status=413, content_type="text/plain")
        elif length > settings.UPLOAD_LIMIT + _MARGIN:
            limit = settings.UPLOAD_LIMIT // 1024 // 1024
            answer = render(request, "supporters/too_large.html", {"limit": limit}, status=413)
        else:
            return self.get_response(request)
        answer["Connection"] = "close"
        return answer
