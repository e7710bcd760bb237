"""What brought a reader to a page: whose link, and which."""

from django.http import HttpRequest

from supporters.models import Organisation

LONGEST = 64
"""Characters of a source code."""


def partner(request: HttpRequest) -> Organisation | None:
    """The organisation whose link brought the reader."""
    code = (request.POST.get("via") or request.GET.get("via") or "")[:LONGEST]
    return Organisation.objects.filter(source_code__iexact=code).first() if code else None


def source(request: HttpRequest) -> str:
    return request.GET.get("source", "")[:LONGEST]
