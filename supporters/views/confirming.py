"""The page behind the link of a confirmation letter."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods

from supporters import links, signing
from supporters.links import Link
from supporters.public import address, page, public
from supporters.signing.texts import text_of


@public
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """What is about to be confirmed, and a button. Only POST acts: mail scanners follow links."""
    uuid = links.read(Link.CONFIRM, token)
    pending = signing.pending(uuid) if uuid else None
    if pending is None:
        return page(request, "supporters/confirm_unknown.html", status=410 if uuid else 404)
    thanks = address("thanks", slug=pending.petition.slug)
    if request.method == "POST" and signing.confirm(uuid):
        return HttpResponseRedirect(thanks, status=303)
    context = {"pending": pending, "petition": pending.petition, "text": text_of(pending.petition), "thanks": thanks}
    return page(request, "supporters/confirm.html", context)
