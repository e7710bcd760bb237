"""Somebody's receipts, by the link to their own page (supporters.views.me): to read, to print, and as a file to check."""

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from supporters.models import Receipt
from supporters.public import page, public
from supporters.receipts import giving, showing
from supporters.views.me import person


@public
@require_safe
def receipts(request: HttpRequest, token: str) -> HttpResponse:
    """What they allowed and took back, the newest first."""
    supporter = person(token)
    if supporter is None:
        raise Http404
    context = {
        "supporter": supporter,
        "receipts": showing.shown(giving.of_person(supporter)),
        "waiting": giving.waiting(supporter),
    }
    return page(request, "supporters/receipts.html", context)


@public
@require_safe
def receipts_json(request: HttpRequest, token: str) -> StreamingHttpResponse:
    """The same for programs, with all that it takes to check them."""
    supporter = person(token)
    if supporter is None:
        raise Http404
    return json_file(giving.of_person(supporter))


def json_file(receipts: QuerySet[Receipt]) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        showing.as_json(receipts),
        content_type="application/json",
        headers={
            "Content-Disposition": f'attachment; filename="receipts-{timezone.localdate():%Y-%m-%d}.json"',
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Robots-Tag": "noindex",
        },
    )
