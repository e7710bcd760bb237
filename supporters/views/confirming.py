"""The page behind the link of a confirmation letter."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods

from supporters import links, signing
from supporters.links import Link
from supporters.models import Signature
from supporters.payments import offering
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
    thanks = _thanks(pending.signature)
    if request.method == "POST":
        if signing.confirm(uuid, request.POST.get("seen", "")):
            return HttpResponseRedirect(thanks, status=303)
        pending = signing.pending(uuid) or pending
    context = {"pending": pending, "petition": pending.petition, "text": text_of(pending.petition), "thanks": thanks}
    return page(request, "supporters/confirm.html", context)


def _thanks(signature: Signature) -> str:
    """What follows, told what brought the signer and what they would give in. Who they are does not stand in it."""
    partner = signature.organisation
    query = {
        "source": signature.source_code,
        "via": partner.source_code if partner else "",
        "currency": offering.usual_currency(signature.country),
    }
    return address("thanks", slug=signature.petition.slug, query=query)
