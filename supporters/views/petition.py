"""The page of a petition, and what follows signing it."""

from collections.abc import Callable
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_safe

from supporters import codes, crowd, figures, places, signing
from supporters.crowd import Hold
from supporters.forms import SigningForm
from supporters.models import Organisation, Petition
from supporters.public import address, page, public
from supporters.signing import shown, totals
from supporters.signing.texts import text_of
from supporters.views import arriving
from supporters.views.asking import ask_to_give
from supporters.views.sharing import share_links


@public
@require_http_methods(["GET", "HEAD", "POST"])
def petition(request: HttpRequest, slug: str) -> HttpResponse:
    """The text, how many have signed, and the form. POST asks the signer to confirm by mail."""
    found = shown_petition(slug)
    partner = arriving.partner(request)
    return round_of_signing(
        request,
        found,
        partner,
        show=lambda form, **how: _page(request, found, form, **how),
        done=address("signed", slug=slug),
    )


def round_of_signing(
    request: HttpRequest,
    petition: Petition,
    partner: Organisation | None,
    *,
    show: Callable[..., HttpResponse],
    done: str,
) -> HttpResponse:
    """What a page with the form answers: to GET the form, to POST where the signer goes on, or the form and what is wrong.

    `show` is given the form, or None where it can't be signed any more, and perhaps a status, or that the signer has to wait.
    """
    if request.method != "POST":
        return show(SigningForm(petition=petition, partner=partner, initial={"source": arriving.source(request)}))
    if not petition.is_open():
        return show(None, status=409)
    form = SigningForm(request.POST, petition=petition, partner=partner)
    if not form.is_valid():
        return show(form, status=422)
    if form.is_from_a_program():
        return HttpResponseRedirect(done, status=303)
    if hold := crowd.hold(request, "sign", petition.slug):
        return show(form, hold=hold)
    if not signing.ask(petition, form.typed()):
        return show(None, status=409)
    return HttpResponseRedirect(done, status=303)


@public
@require_safe
def signed(request: HttpRequest, slug: str) -> HttpResponse:
    """What is still to do: open the letter."""
    found = shown_petition(slug)
    return page(request, "supporters/signed.html", {"petition": found, "text": text_of(found)})


@public
@require_safe
def thanks(request: HttpRequest, slug: str) -> HttpResponse:
    """After confirming: tell others, give."""
    found = shown_petition(slug)
    text = text_of(found)
    context = {
        "petition": found,
        "text": text,
        "standing": totals.standing(found),
        "shares": share_links(found, text.title),
        "live": address("standing", slug=slug),
        "ask": ask_to_give(request, found.slug),
    }
    return page(request, "supporters/thanks.html", context)


@public
@require_safe
def standing(request: HttpRequest, slug: str) -> HttpResponse:
    """The counter alone, for a page that is open already."""
    answer = render(request, "supporters/progress.html", {"standing": totals.standing(shown_petition(slug))})
    answer["Cache-Control"] = f"public, max-age={totals.FRESH}"
    answer["X-Robots-Tag"] = "noindex"
    return answer


@public
@require_safe
def poster(request: HttpRequest, slug: str) -> HttpResponse:
    """To be printed for a stall or a wall: who scans the code signs on their own phone, in the language of that phone."""
    found = shown_petition(slug)
    partner = arriving.partner(request)
    query = {"source": arriving.source(request) or "poster", **({"via": partner.source_code} if partner else {})}
    link = settings.SITE_URL + reverse("supporters:petition", kwargs={"slug": slug})
    context = {
        "text": text_of(found),
        "petition": found,
        "partner": partner,
        "picture": codes.of_text(f"{link}?{urlencode(query)}"),
        "link": link.partition("://")[2].rstrip("/"),
    }
    return page(request, "supporters/poster.html", context)


def shown_petition(slug: str) -> Petition:
    """Its target in the language that is active. Raises Http404 for one that there is not, or not yet."""
    found = shown.petition(slug)
    if found is None:
        raise Http404
    return found


def _page(
    request: HttpRequest, petition: Petition, form: SigningForm | None, status: int = 200, hold: Hold | None = None
) -> HttpResponse:
    standing = totals.standing(petition)
    language = get_language()
    text = text_of(petition)
    context = {
        "petition": petition,
        "text": text,
        "form": form if petition.is_open() else None,
        "standing": standing,
        "latest": [(name, places.name_of(code, language)) for name, code in standing.latest],
        "shares": share_links(petition, text.title),
        "ask": ask_to_give(request, petition.slug),
        "totals": address("totals", slug=petition.slug),
        "live": address("standing", slug=petition.slug),
        "locale": str(figures.locale(text.language)),
        "share_picture": settings.SHARE_PICTURE_URL,
        "canonical": settings.SITE_URL + address("petition", slug=petition.slug),
    }
    return page(request, "supporters/petition.html", context, status=status, public=True, hold=hold)
