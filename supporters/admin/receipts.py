"""Receipts of consent on the staff site: to read, to print and to hand out as a file."""

from django.contrib.admin import site
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from supporters.models import Consent, Receipt, Supporter
from supporters.receipts import giving, showing
from supporters.views.receipts import json_file


def of_person(request: HttpRequest, supporter: Supporter) -> HttpResponse | StreamingHttpResponse:
    back = reverse("admin:supporters_supporter_change", args=[supporter.pk])
    return _page(request, supporter, giving.of_person(supporter), back, giving.waiting(supporter))


def of_line(request: HttpRequest, line: Consent) -> HttpResponse | StreamingHttpResponse:
    back = reverse("admin:supporters_consent_change", args=[line.pk])
    receipts = giving.of_line(line)
    waiting = line.state != Consent.State.REQUESTED and not receipts.exists()
    return _page(request, line.supporter, receipts, back, int(waiting))


def _page(
    request: HttpRequest, supporter: Supporter, receipts: QuerySet[Receipt], back: str, waiting: int
) -> HttpResponse | StreamingHttpResponse:
    if request.GET.get("as") == "json":
        return json_file(receipts)
    context = {
        **site.each_context(request),
        "title": _("Receipts of consent: %(name)s") % {"name": supporter},
        "person": supporter,
        "receipts": showing.shown(receipts, staff=True),
        "waiting": waiting,
        "most": showing.MOST,
        "back": back,
    }
    return TemplateResponse(request, "supporters/admin/receipts.html", context)
