"""What somebody gets of themselves, by the link to their own page (supporters.views.me)."""

from collections.abc import Iterator

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from crm.disclosing import as_json, making
from supporters.models import Disclosure, Supporter
from supporters.public import address, page, public
from supporters.views.me import person


@public
@require_safe
def data(request: HttpRequest, token: str) -> HttpResponse | StreamingHttpResponse:
    """All that is held of them, for them and for other programs (GDPR, articles 15 and 20).

    Where there is much to read, a worker makes the file, and they are led to the page that says how far it is.
    """
    supporter = _person(token)
    if not making.takes_long(Disclosure.Form.JSON):
        return _file(as_json.stream(supporter))
    made = making.own(supporter)
    if made and made.state == Disclosure.State.DONE:
        return _file(iter([making.unpacked(made.content)]))
    return HttpResponseRedirect(address("own_data_page", of="crm", token=token), status=303)


@public
@require_http_methods(["GET", "HEAD", "POST"])
def data_page(request: HttpRequest, token: str) -> HttpResponse:
    """The file that a worker makes: have it made, and how far it is."""
    supporter = _person(token)
    if request.method == "POST":
        making.ask_own(supporter)
        return HttpResponseRedirect(address("own_data_page", of="crm", token=token), status=303)
    made = making.own(supporter)
    ready = made is not None and made.state == Disclosure.State.DONE
    quick = made is None and not making.takes_long(Disclosure.Form.JSON)
    context = {"made": made, "ready": ready or quick, "file": address("own_data", of="crm", token=token)}
    return page(request, "supporters/my_data.html", context)


def _person(token: str) -> Supporter:
    supporter = person(token)
    if supporter is None:
        raise Http404
    return supporter


def _file(pieces: Iterator[str] | Iterator[bytes]) -> StreamingHttpResponse:
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
