"""An address that leads nowhere."""

from django.http import HttpRequest, HttpResponse

from supporters.public import page


def nowhere(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(request, "supporters/nowhere.html", {"languages": []}, status=404)
