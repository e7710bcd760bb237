"""Giving: the form, the way to pay, and what came of it. Coming back from a payment page proves nothing."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from supporters import crowd, figures, finding, links
from supporters.crowd import Hold
from supporters.links import Link
from supporters.models import Pledge
from supporters.payments import offering
from supporters.payments.donors import confirm_news, news_asked_for
from supporters.payments.giving_form import GivingForm
from supporters.payments.paying import ways
from supporters.payments.stripe import checkout
from supporters.payments.stripe.client import StripeError
from supporters.public import address, page, public
from supporters.views import arriving

CHECKOUT = "https://checkout.stripe.com"
"""Where a card is typed: a form that leads there must be allowed to by our policy."""


@public
@require_http_methods(["GET", "HEAD", "POST"])
def give(request: HttpRequest) -> HttpResponse:
    """How much, how often, which way. POST leads on to the payment; nothing is a donation yet."""
    usual = offering.usual_currency(arriving.country(request))
    if not usual:
        raise Http404
    currency = (request.POST.get("currency") or request.GET.get("currency") or usual).upper()
    if currency not in offering.currencies():
        if request.method == "POST":
            return _form(request, GivingForm(currency=usual), 422, _("We can't take this currency."))
        currency = usual
    partner = arriving.partner(request)
    if request.method != "POST":
        asked_for = {name: request.GET.get(name, "")[:20] for name in ("amount", "interval", "method")}
        initial = {"source": arriving.source(request), **asked_for}
        return _form(request, GivingForm(currency=currency, partner=partner, initial=initial))
    form = GivingForm(request.POST, currency=currency, partner=partner)
    if not form.is_valid():
        return _form(request, form, 422)
    if form.is_from_a_program():
        return HttpResponseRedirect(address("give"), status=303)
    if hold := crowd.hold(request, "give"):
        return _form(request, form, hold=hold)
    return _lead_on(request, form)


def _lead_on(request: HttpRequest, form: GivingForm) -> HttpResponse:
    pledge = form.pledge()
    token = links.token(Link.GIVE, pledge.uuid)
    if pledge.method != Pledge.Method.CARD:
        return HttpResponseRedirect(address("pay", token=token), status=303)
    paid, back = (settings.SITE_URL + address(name, token=token) for name in ("given", "cancelled"))
    try:
        return HttpResponseRedirect(checkout.start(pledge, paid, back), status=303)
    except StripeError as problem:
        if problem.status == 400:
            Pledge.objects.filter(pk=pledge.pk).delete()
        if problem.code in {"amount_too_small", "amount_too_large"}:
            form.add_error("other", _("This amount can't be paid by card. Please choose another."))
            return _form(request, form, 422)
        said = _("Payments by card can't be reached just now. No money was taken. Please try again in a while.")
        return _form(request, form, 503, said)


@public
@require_safe
def pay(request: HttpRequest, token: str) -> HttpResponse:
    """The numbers to pay to."""
    pledge = _pledge(token)
    if pledge.method == Pledge.Method.CARD:
        raise Http404
    return page(request, "supporters/pay.html", {**_about(pledge), "ways": ways(pledge)})


@public
@require_safe
def given(request: HttpRequest, token: str) -> HttpResponse:
    return page(request, "supporters/given.html", _about(_pledge(token)))


@public
@require_safe
def cancelled(request: HttpRequest, token: str) -> HttpResponse:
    return page(request, "supporters/cancelled.html", _about(_pledge(token)))


@public
@require_http_methods(["GET", "HEAD", "POST"])
def news(request: HttpRequest, token: str) -> HttpResponse:
    """What was ticked with a gift, and a button. Only POST acts: mail scanners follow links."""
    uuid = links.read(Link.NEWS, token)
    supporter = finding.by_uuid(uuid) if uuid else None
    if supporter is None:
        return page(request, "supporters/news.html", {"unknown": True}, status=404)
    done = request.method == "POST" and confirm_news(supporter.uuid)
    return page(request, "supporters/news.html", {"done": done, "asked": news_asked_for(supporter)})


def _form(
    request: HttpRequest, form: GivingForm, status: int = 200, message: str = "", hold: Hold | None = None
) -> HttpResponse:
    query = {
        "source": form["source"].value() or "",
        "via": form.partner.source_code if form.partner else "",
        "interval": form["interval"].value() or "",
    }
    context = {
        "form": form,
        "message": message,
        "currencies": [(code, address("give", query={**query, "currency": code})) for code in offering.currencies()],
    }
    pays_at = settings.STRIPE_API_URL or CHECKOUT
    policy = {"form_action": f"'self' {pays_at}"}
    return page(request, "supporters/give.html", context, status=status, public=True, hold=hold, **policy)


def _about(pledge: Pledge) -> dict[str, object]:
    return {
        "pledge": pledge,
        "amount": figures.money(pledge.amount, pledge.currency),
        "monthly": pledge.interval == Pledge.Interval.MONTH,
        "paid": pledge.state == Pledge.State.PAID,
        "failed": pledge.state in {Pledge.State.FAILED, Pledge.State.LAPSED},
        "again": _again(pledge),
    }


def _again(pledge: Pledge) -> str:
    """The giving page as it was left: the same amount, as often, the same way. Of the person nothing stands in it."""
    query = {
        "currency": pledge.currency,
        "amount": f"{pledge.amount.normalize():f}",
        "interval": pledge.interval,
        "method": pledge.method,
        "source": pledge.source_code,
    }
    return address("give", query=query)


def _pledge(token: str) -> Pledge:
    uuid = links.read(Link.GIVE, token)
    pledge = Pledge.objects.filter(uuid=uuid).first() if uuid else None
    if pledge is None:
        raise Http404
    return pledge
