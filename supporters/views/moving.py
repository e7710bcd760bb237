"""The page behind the link to a new address. Only POST acts."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods, require_safe

from supporters import links, moving
from supporters.links import Link
from supporters.locks import in_the_end
from supporters.public import address, page, public


@public
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """It says the same whether the address is on file or not."""
    uuid = links.read(Link.MOVE, token)
    if uuid and request.method == "POST" and in_the_end(lambda: moving.confirm(uuid)):
        return HttpResponseRedirect(address("moved"), status=303)
    known = bool(uuid) and moving.asked_by(uuid)
    return page(
        request,
        "supporters/moved.html",
        {"what": "confirm" if known else "gone", "ask_url": address("me_ask")},
        status=200 if known else 410,
    )


@public
@require_safe
def done(request: HttpRequest) -> HttpResponse:
    return page(request, "supporters/moved.html", {"what": "done"})
