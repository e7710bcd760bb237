"""What brought a reader to a page: whose link, and which; and where they probably are."""

from django.http import HttpRequest
from django.utils.translation.trans_real import parse_accept_lang_header

from supporters.models import Organisation

LONGEST = 64
"""Characters of a source code."""


def partner(request: HttpRequest) -> Organisation | None:
    """The organisation whose link brought the reader."""
    code = via(request)
    return Organisation.objects.filter(source_code__iexact=code).first() if code else None


def via(request: HttpRequest) -> str:
    """The code of that link, if it is one of anybody's."""
    return (request.POST.get("via") or request.GET.get("via") or "").replace("\0", "")[:LONGEST]


def source(request: HttpRequest) -> str:
    return request.GET.get("source", "")[:LONGEST]


def country(request: HttpRequest) -> str:
    """The region of the language that the browser asks for first, as in sv-FI; empty if it names none. No more than a guess."""
    wanted = parse_accept_lang_header(request.headers.get("Accept-Language", ""))
    parts = wanted[0][0].split("-")[1:] if wanted else []
    return next((part.upper() for part in parts if len(part) == 2 and part.isalpha()), "")
