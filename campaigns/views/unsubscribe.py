from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from campaigns.models import Delivery
from supporters import consent, finding, links, never, preferences
from supporters.links import Link
from supporters.locks import in_the_end
from supporters.models import Consent, Supporter
from supporters.public import address, known_language, page


@csrf_exempt  # The token is the proof, and a mail program brings no cookie (RFC 8058, section 3.2).
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str, language: str = "") -> HttpResponse:
    """The way out of every message: a page with a button, and the mail programs' own one-click POST.

    Only POST acts: mail scanners follow links. In the language of the message, unless the address says another one.
    """
    found = _person(token)
    if found is None:
        return _unknown(request, language)
    supporter, theirs, _source = found
    with translation.override(language or theirs):
        if request.method != "POST":
            return _page(request, "ask")
        if request.POST.get("never") and supporter is not None:
            in_the_end(lambda: _never(token))
            return _page(request, "never")
        one_click = request.POST.get("List-Unsubscribe") == "One-Click"
        if supporter is not None:
            in_the_end(lambda: _leave(token, Consent.Method.ONE_CLICK if one_click else Consent.Method.LINK))
        return _page(request, "done")


@csrf_exempt  # As above: it is reached by the same token.
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest, token: str, language: str = "") -> HttpResponse:
    """From the foot of a message to the page of one's choices, by way of the inbox.

    A message may be passed on or read by others for as long as it lies about: what it holds only has the link sent to the
    address on file.
    """
    found = _person(token)
    if found is None:
        return _unknown(request, language)
    supporter, theirs, _source = found
    with translation.override(language or theirs):
        if request.method != "POST":
            return _page(request, "choose")
        if supporter is not None and supporter.email:
            preferences.ask(supporter.email, language or theirs)
        return HttpResponseRedirect(address("me_asked"), status=303)


def _leave(token: str, method: str) -> None:
    """Looked up anew each time: they may be merged at this moment."""
    supporter, _language, source = _person(token)
    if supporter is not None:
        consent.leave(supporter, method=method, source=source)


def _never(token: str) -> None:
    supporter, _language, source = _person(token)
    if supporter is not None and supporter.email:
        never.say(supporter.email, source=source or never.SOURCE)


def _person(token: str) -> tuple[Supporter | None, str, str] | None:
    """Who has this link, their language, and what it came with; no supporter once they were erased."""
    if uuid := links.read(Link.LEAVE_BY_DELIVERY, token):
        return _by_delivery(uuid)
    if uuid := links.read(Link.LEAVE, token):
        supporter = finding.by_uuid(uuid)
        return supporter, known_language(supporter.preferred_language if supporter else ""), ""
    return None


def _by_delivery(uuid: UUID) -> tuple[Supporter | None, str, str]:
    rows = Delivery.objects.filter(uuid=uuid).select_related("supporter", "appeal")
    delivery = rows.first()
    if delivery is None:
        return None, settings.LANGUAGE_CODE, ""
    return delivery.supporter, known_language(delivery.language), f"appeal {delivery.appeal.source_code}"


def _unknown(request: HttpRequest, language: str) -> HttpResponse:
    with translation.override(language or translation.get_language()):
        return _page(request, "unknown", status=404)


def _page(request: HttpRequest, what: str, status: int = 200) -> HttpResponse:
    context = {"what": what, "choices_url": address("me_ask")}
    if request.method == "POST":
        context["languages"] = []  # in another language it would ask anew
    return page(request, "campaigns/unsubscribe.html", context, status=status)
