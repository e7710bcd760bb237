"""What somebody gets of themselves, by the link to their own page (supporters.views.me).

All that is held of them (GDPR, article 15) to read, and as a file for other programs (article 20). Where there is much to read, a
worker makes both, and they are led to the page that says how far it is.
"""

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_safe

from crm.disclosing import as_json, as_page, making, wording
from crm.personal import HOLDINGS
from supporters.models import Disclosure, Supporter
from supporters.public import address, page, public
from supporters.views.me import of_person

Form, State = Disclosure.Form, Disclosure.State
_PLACES = {Form.PAGE: "own_data_read", Form.JSON: "own_data"}
_DISCLOSURES = next(holding for holding in HOLDINGS if holding.name == "disclosures")
_HERE = "<!-- what is held -->"


@public
@require_safe
@of_person
def data(request: HttpRequest, token: str, supporter: Supporter) -> HttpResponse | StreamingHttpResponse:
    """For them and for other programs."""
    pieces = _pieces(supporter, Form.JSON, as_json.stream)
    if pieces is None:
        return _to_gathering(token)
    return StreamingHttpResponse(
        pieces,
        content_type="application/json",
        headers={
            "Content-Disposition": f'attachment; filename="my-data-{timezone.localdate():%Y-%m-%d}.json"',
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Robots-Tag": "noindex",
        },
    )


@public
@require_safe
@of_person
def data_to_read(request: HttpRequest, token: str, supporter: Supporter) -> HttpResponse | StreamingHttpResponse:
    """To read and to print, within a page of ours."""
    pieces = _pieces(supporter, Form.PAGE, as_page.within)
    if pieces is None:
        return _to_gathering(token)
    around = page(request, "supporters/my_data_read.html", {"here": _HERE, "back": address("me", token=token)})
    before, after = around.content.decode().split(_HERE)

    def whole() -> Iterator[str | bytes]:
        yield before
        yield from pieces
        yield after

    return StreamingHttpResponse(whole(), headers=around.headers)


@public
@require_http_methods(["GET", "HEAD", "POST"])
@of_person
def data_page(request: HttpRequest, token: str, supporter: Supporter) -> HttpResponse:
    """Where both are: have them made, and how far they are."""
    if request.method == "POST":
        making.ask_own(supporter, get_language())
        return _to_gathering(token)
    made = [making.own(supporter, form, get_language()) for form in making.OWN]
    ready = all(each and each.state == State.DONE for each in made)
    context = {
        "made": all(made),
        "ready": ready or not (any(made) or making.takes_long(Form.PAGE)),
        "files": [
            (wording.meaning(_DISCLOSURES, "form", form), address(_PLACES[form], of="crm", token=token))
            for form in making.OWN
        ],
        "back": address("me", token=token),
    }
    return page(request, "supporters/my_data.html", context)


def _pieces(supporter: Supporter, form: str, stream: making.Stream) -> Iterator[str] | Iterator[bytes] | None:
    """What is held, in the language that is active; None where a worker has to make it and has not yet."""
    if not making.takes_long(form):
        return stream(supporter, get_language())
    made = making.own(supporter, form, get_language())
    return iter([making.unpacked(made.content)]) if made and made.state == State.DONE else None


def _to_gathering(token: str) -> HttpResponse:
    return HttpResponseRedirect(address("own_data_page", of="crm", token=token), status=303)
