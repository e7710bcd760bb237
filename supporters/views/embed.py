"""The form of a petition within a page of a partner: the same form, with the partner's sites named as those who may frame it.

Nothing of it is kept by any cache: its headers are of one partner, its token of one hour.
"""

from functools import cache
from pathlib import Path

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import get_language, get_supported_language_variant, override
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from supporters import embedding
from supporters.crowd import Hold
from supporters.forms import SigningForm
from supporters.models import Organisation
from supporters.public import address, page, public
from supporters.signing import totals
from supporters.signing.texts import text_of
from supporters.views import arriving
from supporters.views.petition import round_of_signing, shown_petition

SCRIPT = Path(__file__).parent.parent / "static" / "supporters" / "embed.js"
KEEP = 3600
"""Seconds for which browsers keep the script: it is asked for by a name that never changes."""


@public
@require_http_methods(["GET", "HEAD", "POST"])
def embed(request: HttpRequest, slug: str) -> HttpResponse:
    """The form alone. POST asks the signer to confirm by mail, and stays in the frame."""
    if asked := request.GET.get("language"):
        return _in_its_language(request, slug, asked)
    found = shown_petition(slug)
    partner = arriving.partner(request)
    sites = embedding.sites_of(partner)

    def show(
        form: SigningForm | None, status: int = 200, hold: Hold | None = None, stale: bool = False
    ) -> HttpResponse:
        context = {
            "petition": found,
            "text": text_of(found),
            "form": form if found.is_open() else None,
            "stale": stale,
            "token": embedding.token(found, partner),
            "standing": totals.standing(found),
            "live": address("standing", slug=slug),
            "whole": address("petition", slug=slug, query=_via(partner)),
        }
        return _framed(request, "supporters/embedded.html", context, sites, status, hold)

    if request.method == "POST" and found.is_open() and not embedding.is_ours(request, found, partner):
        return show(SigningForm(request.POST, petition=found, partner=partner), status=422, stale=True)
    done = address("embed_signed", slug=slug, query=_via(partner))
    return round_of_signing(request, found, partner, show=show, done=done)


@public
@require_safe
def embed_signed(request: HttpRequest, slug: str) -> HttpResponse:
    """What is still to do: open the letter."""
    found = shown_petition(slug)
    context = {"petition": found, "text": text_of(found), "frame": "supporters/framed.html"}
    return _framed(request, "supporters/signed.html", context, embedding.sites_of(arriving.partner(request)))


@csrf_exempt  # As for the totals.
@require_safe
def embed_script(request: HttpRequest) -> HttpResponse:
    """What a partner's page calls by one tag: it makes the frame. It knows nothing of anybody."""
    return HttpResponse(
        _script(),
        content_type="text/javascript; charset=utf-8",
        headers={
            "Cache-Control": f"public, max-age={KEEP}",
            "Cross-Origin-Resource-Policy": "cross-origin",
        },
    )


@cache
def _script() -> bytes:
    return SCRIPT.read_bytes()


def _framed(
    request: HttpRequest,
    template: str,
    context: dict[str, object],
    sites: list[str],
    status: int = 200,
    hold: Hold | None = None,
) -> HttpResponse:
    response = page(
        request,
        template,
        {**context, "sites": " ".join(sites)},
        status=status,
        hold=hold,
        frame_ancestors=embedding.ancestors(sites),
    )
    response.xframe_options_exempt = bool(sites)  # an older header, which can't name sites
    return response


def _in_its_language(request: HttpRequest, slug: str, asked: str) -> HttpResponse:
    """To the address in the language of the page round it, as near as we have it."""
    try:
        language = get_supported_language_variant(asked[:35])
    except LookupError:
        language = get_language()
    query = {name: value for name, value in request.GET.items() if name != "language"}
    with override(language):
        return HttpResponseRedirect(address("embed", slug=slug, query=query))


def _via(partner: Organisation | None) -> dict[str, str]:
    return {"via": partner.source_code} if partner else {}
