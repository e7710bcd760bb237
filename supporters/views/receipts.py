"""Somebody's receipts, by the link to their own page (supporters.views.me): to read, to print, and as a file to check."""

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from supporters.models import Receipt, Supporter
from supporters.public import page, public
from supporters.receipts import giving, showing
from supporters.views.me import of_person


@public
@require_safe
@of_person
def receipts(request: HttpRequest, token: str, supporter: Supporter) -> HttpResponse:
    """What they allowed and took back, the newest first."""
    context = {
        "supporter": supporter,
        "receipts": showing.shown(giving.of_person(supporter)),
        "waiting": giving.waiting(supporter),
    }
    return page(request, "supporters/receipts.html", context)


@public
@require_safe
@of_person
def receipts_json(request: HttpRequest, token: str, supporter: Supporter) -> StreamingHttpResponse:
    """The same for programs, with all that it takes to check them."""
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
