"""Never to be written to again: the form, and the page behind the link of its letter. Only POST acts."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_safe

from supporters import crowd, links, never
from supporters.crowd import Hold
from supporters.forms import AskingForm
from supporters.links import Link
from supporters.locks import in_the_end
from supporters.public import address, page, public


@public
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Have the letter sent. The answer is the same whoever is on file, and whatever was said of the address before."""
    if request.method != "POST":
        return _page(request, "ask", AskingForm())
    form = AskingForm(request.POST)
    if not form.is_valid():
        return _page(request, "ask", form, 422)
    if not form.is_from_a_program():
        if hold := crowd.hold(request, "never"):
            return _page(request, "ask", form, hold=hold)
        never.ask(form.cleaned_data["email"], get_language())
    return HttpResponseRedirect(address("never_asked"), status=303)


@public
@require_safe
def asked(request: HttpRequest) -> HttpResponse:
    """What is still to do: open the letter."""
    return _page(request, "asked")


@public
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """By the link of the form's letter, or of one that asks to confirm a signature."""
    if uuid := links.read(Link.NEVER, token):
        if request.method == "POST" and in_the_end(lambda: never.confirm(uuid)):
            return HttpResponseRedirect(address("never_done"), status=303)
        known = never.asked_by(uuid)
    elif uuid := links.read(Link.NEVER_BY_SIGNATURE, token):
        email = never.typed_in(uuid)
        if request.method == "POST" and email:
            in_the_end(lambda: never.say(email, source=never.SOURCE))
            return HttpResponseRedirect(address("never_done"), status=303)
        known = bool(email)
    else:
        known = False
    return _page(request, "confirm" if known else "gone", status=200 if known else 410)


@public
@require_safe
def done(request: HttpRequest) -> HttpResponse:
    return _page(request, "done")


def _page(
    request: HttpRequest, what: str, form: AskingForm | None = None, status: int = 200, hold: Hold | None = None
) -> HttpResponse:
    context = {"what": what, "form": form, "action": address("never")}
    return page(request, "supporters/never.html", context, status=status, hold=hold)
