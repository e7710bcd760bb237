"""What somebody gets of themselves, by the link to their own page (supporters.views.me)."""

from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from crm.disclosing import as_json
from supporters.public import public
from supporters.views.me import person


@public
@require_safe
def data(request: HttpRequest, token: str) -> StreamingHttpResponse:
    """All that is held of them, for them and for other programs (GDPR, articles 15 and 20)."""
    supporter = person(token)
    if supporter is None:
        raise Http404
    return StreamingHttpResponse(
        as_json.stream(supporter),
        content_type="application/json",
        headers={
            "Content-Disposition": f'attachment; filename="my-data-{timezone.localdate():%Y-%m-%d}.json"',
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Robots-Tag": "noindex",
        },
    )
