"""Somebody's own page: what they hear from us, what we hold of them, and what they can do about it.

The link to it goes to their inbox only, and works for some days. Only POST changes anything.
"""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from supporters import crowd, erasing, figures, finding, links, moving, never, preferences
from supporters.crowd import Hold
from supporters.forms import AskingForm, DetailsForm, HowForm, NewAddressForm
from supporters.keys import key
from supporters.links import Link
from supporters.locks import in_the_end
from supporters.models import Donation, ErasureRequest, RecurringDonation, Supporter
from supporters.payments import ending
from supporters.public import View, address, page, public
from supporters.signing.texts import text_of

MOST_GIFTS = 50
Door, Identified = ErasureRequest.Door, ErasureRequest.Identified


def of_person(view: View) -> View:
    """A view of what is somebody's own, by their link: it is given the `supporter`. A link that is none, or too old, leads to a new one."""

    @wraps(view)
    def of_them(request: HttpRequest, token: str) -> HttpResponse:
        supporter = person(token)
        if supporter is None:
            return _asking(request, AskingForm(), 410, expired=True)
        return view(request, token, supporter)

    return of_them


@public
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Have the link sent. The answer is the same whoever is on file."""
    if request.method != "POST":
        return _asking(request, AskingForm())
    form = AskingForm(request.POST)
    if not form.is_valid():
        return _asking(request, form, 422)
    if form.is_from_a_program():
        return HttpResponseRedirect(address("me_asked"), status=303)
    if hold := crowd.hold(request, "me"):
        return _asking(request, form, hold=hold)
    preferences.ask(form.cleaned_data["email"], get_language())
    return HttpResponseRedirect(address("me_asked"), status=303)


@public
@require_safe
def asked(request: HttpRequest) -> HttpResponse:
    """What is still to do: open the letter."""
    return page(request, "supporters/me_asked.html")


@public
@require_http_methods(["GET", "HEAD", "POST"])
@of_person
def me(request: HttpRequest, token: str, supporter: Supporter) -> HttpResponse:
    if request.method != "POST":
        return _page(request, supporter, said=request.GET.get("done", ""))
    what = request.POST.get("what", "")
    if what == "correct":
        form = DetailsForm(supporter, request.POST)
        if not form.is_valid():
            return _page(request, supporter, form=form, status=422)
        form.save()
    elif what == "move":
        new = NewAddressForm(request.POST)
        if not new.is_valid():
            return _page(request, supporter, new=new, status=422)
        try:
            moving.ask(supporter.uuid, new.cleaned_data["new_email"], get_language())
        except moving.TooMany:
            new.add_error("new_email", _("You asked for several new addresses lately. Please wait some days."))
            return _page(request, supporter, new=new, status=429)
    elif what in _ACTS:
        try:
            in_the_end(lambda: _ACTS[what](supporter, request))
        except ending.NotEnded:
            return _page(request, supporter, status=503, trouble=True)
    else:
        return _page(request, supporter, status=400)
    return HttpResponseRedirect(address("me", token=token, query={"done": what}), status=303)


def person(token: str) -> Supporter | None:
    """Whose link this is; None if it is none, or too old, or they are gone."""
    uuid = links.read_dated(Link.PREFERENCES, token, preferences.LIFE)
    return finding.by_uuid(uuid) if uuid else None


def _choose(supporter: Supporter, request: HttpRequest) -> None:
    preferences.choose(supporter.uuid, set(request.POST.getlist("allow")))


def _wish(supporter: Supporter, request: HttpRequest) -> None:
    form = HowForm(supporter, request.POST)
    if form.is_valid():
        preferences.wish(supporter.uuid, **form.cleaned_data)


def _leave(supporter: Supporter, request: HttpRequest) -> None:
    preferences.choose(supporter.uuid, ())


def _show(supporter: Supporter, request: HttpRequest) -> None:
    preferences.show(supporter.uuid, _number(request), bool(request.POST.get("shown")))


def _take_back(supporter: Supporter, request: HttpRequest) -> None:
    preferences.take_back(supporter.uuid, _number(request))


def _end(supporter: Supporter, request: HttpRequest) -> None:
    agreement = _agreements(supporter).filter(pk=_number(request)).first()
    if agreement:
        ending.end(agreement)


def _never(supporter: Supporter, request: HttpRequest) -> None:
    if supporter.email:
        never.say(supporter.email, source=preferences.SOURCE)


def _stay(supporter: Supporter, request: HttpRequest) -> None:
    moving.take_back(supporter.uuid)


def _erase(supporter: Supporter, request: HttpRequest) -> None:
    erasing.ask(supporter, Door.PAGE, identified=Identified.LINK)


_ACTS: dict[str, Callable[[Supporter, HttpRequest], None]] = {
    "choose": _choose,
    "how": _wish,
    "leave": _leave,
    "never": _never,
    "show": _show,
    "stay": _stay,
    "take_back": _take_back,
    "end": _end,
    "erase": _erase,
}


def _number(request: HttpRequest) -> int:
    return key(request.POST.get("which", ""))


def _agreements(supporter: Supporter):  # noqa: ANN202
    return ending.running([supporter.pk]).exclude(state=RecurringDonation.State.PENDING).order_by("pk")


def _asking(
    request: HttpRequest, form: AskingForm, status: int = 200, *, hold: Hold | None = None, expired: bool = False
) -> HttpResponse:
    context = {"form": form, "expired": expired, "action": address("me_ask"), "never_url": address("never")}
    return page(request, "supporters/me_ask.html", context, status=status, hold=hold)


def _page(
    request: HttpRequest,
    supporter: Supporter,
    *,
    form: DetailsForm | None = None,
    new: NewAddressForm | None = None,
    status: int = 200,
    said: str = "",
    trouble: bool = False,
) -> HttpResponse:
    received = supporter.donations.filter(state=Donation.State.RECEIVED).order_by("-received_on", "-pk")
    context = {
        "supporter": supporter,
        "form": form or DetailsForm(supporter),
        "new": new or NewAddressForm(),
        "said": said,
        "trouble": trouble,
        "never": (silent := never.is_said(supporter.email)),
        "choices": preferences.choices(supporter),
        "how": HowForm(supporter) if supporter.email and not silent else None,
        "moving": moving.waiting(supporter),
        "signatures": [
            (each, text_of(each.petition).title, figures.day(each.validated_at.date()))
            for each in preferences.signatures(supporter)
        ],
        "agreements": [
            (each.pk, _("%(amount)s each month") % {"amount": figures.money(each.amount, each.currency)})
            for each in _agreements(supporter)
        ],
        "gifts": [
            (figures.day(each.received_on), figures.money(each.amount, each.currency))
            for each in received[:MOST_GIFTS]
        ],
        "asked_to_be_erased": ErasureRequest.objects.filter(
            supporter=supporter, state__in=[ErasureRequest.State.RECEIVED, ErasureRequest.State.APPROVED]
        ).exists(),
    }
    return page(request, "supporters/me.html", context, status=status)
