import re
from base64 import b64decode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from campaigns.mail import readers, tracking
from campaigns.models import AppealLink
from supporters.public import page

_MACHINE = re.compile(r"bot\b|crawl|spider|preview|scanner|barracuda|proofpoint|mimecast", re.IGNORECASE)
"""Programs that say what they are. Most that look into mail don't: campaigns.appeals.reactions finds those later."""
_POINT = b64decode("R0lGODlhAQABAIAAAP///wAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")


@never_cache
@require_safe
def click(request: HttpRequest, code: str, reader: str) -> HttpResponse:
    """On from a counted link to its target, or the picture that tells of opening.

    Counting is no act of the person, so a GET may do it. What was altered leads nowhere.
    """
    delivery = readers.read(reader)
    link = _link(code) if delivery else None
    if link is None:
        return page(request, "campaigns/no_such_link.html", status=404)
    if request.method == "GET" and not _by_machine(request):
        tracking.record(link, delivery)
    if link.target == tracking.OPENING:
        return _discreet(HttpResponse(_POINT, content_type="image/gif"))
    return _discreet(HttpResponseRedirect(link.target))


def _link(code: str) -> tracking.Link | None:
    try:
        return tracking.link(code)
    except AppealLink.DoesNotExist:
        return None


def _by_machine(request: HttpRequest) -> bool:
    ahead = request.headers.get("Sec-Purpose") or request.headers.get("Purpose") or request.headers.get("X-Moz") or ""
    return "prefetch" in ahead.lower() or bool(_MACHINE.search(request.headers.get("User-Agent", "")))


def _discreet(response: HttpResponse) -> HttpResponse:
    """The target isn't told where the reader came from, and no search engine keeps it."""
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response
