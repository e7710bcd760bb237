"""The pages of one appeal beside its form: schedule, preview, progress, and the buttons that act."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.admin.appeal_check import check
from campaigns.admin.appeal_forms import ScheduleForm
from campaigns.admin.appeal_preview import preview, preview_html
from campaigns.admin.appeal_results import results_of
from campaigns.admin.appeal_test import test_of
from campaigns.appeals import report, schedule, texts, variants
from campaigns.appeals.schedule import Refusal
from campaigns.mail import preflight
from campaigns.models import Appeal, Delivery
from campaigns.tasks import launch_appeal

if TYPE_CHECKING:
    from campaigns.admin.appeal import AppealAdmin

MAY_SEND = "campaigns.schedule_appeal"
ACTS: dict[str, tuple[Callable[[Appeal], None], Any]] = {
    "unschedule": (schedule.unschedule, gettext_lazy("It is a draft again.")),
    "pause": (schedule.pause, gettext_lazy("Paused: nobody else gets it until you go on.")),
    "resume": (schedule.resume, gettext_lazy("It goes on within a minute.")),
    "cancel": (schedule.cancel, gettext_lazy("Cancelled: nobody else gets it.")),
    "again": (schedule.try_again, gettext_lazy("The mail server is tried again within a minute.")),
    **{
        f"choose-{letter}": (
            partial(variants.choose, letter=letter),
            format_lazy(gettext_lazy("{letter} goes to the rest within a minute."), letter=letter),
        )
        for letter in "ABCD"
    },
}


def panel(request: HttpRequest, appeal: Appeal) -> dict[str, Any]:
    """What stands above an appeal's form."""
    launched = appeal.launched_at is not None
    found = report.of(appeal) if launched else None
    audiences = texts.launched_audiences(found.by_language()) if found else texts.audiences(appeal)
    return {
        "appeal": appeal,
        "when": when(appeal),
        "progress": progress_of(appeal, found.total.states) if found else None,
        "results": results_of(request, appeal, found) if found else None,
        "test": test_of(request, appeal, found),
        "opens": settings.COUNT_OPENS,
        "mailings": list(appeal.mailings.all()) if appeal.channel == Appeal.Channel.MAILCHIMP else [],
        "audiences": audiences,
        "people": sum(audience.people for audience in audiences),
        "outdated": [] if launched else [texts.language_name(text.language) for text in texts.outdated(appeal)],
        "main_language": texts.language_name(appeal.default_language),
        "may_send": request.user.has_perm(MAY_SEND),
        "can_schedule": appeal.state == "draft" or (appeal.state == "paused" and not launched),
        "can_cancel": appeal.state in {"scheduled", "sending", "paused"},
    }


def when(appeal: Appeal) -> str:
    """The hour it goes out, in the zone it was set in."""
    if appeal.scheduled_at is None:
        return "–"
    zone = ZoneInfo(appeal.time_zone)
    return f"{date_format(appeal.scheduled_at.astimezone(zone), 'j M Y, H:i')} ({appeal.time_zone})"


def progress_of(appeal: Appeal, counts: Counter) -> dict[str, Any]:
    """Counts by state, and how far it is."""
    waiting = counts["held"] + counts["queued"] + counts["sending"]
    total = sum(counts.values())
    done = total - waiting
    return {
        "state": appeal.state,
        "total": total,
        "done": done,
        "percent": 100 if not total else done * 100 // total,
        "trouble": appeal.trouble,
        "states": [
            {"state": state.value, "label": str(state.label), "number": counts.get(state.value, 0)}
            for state in Delivery.State
        ],
    }


def progress(request: HttpRequest, pk: int, model_admin: "AppealAdmin") -> JsonResponse:
    appeal = _viewed(request, pk, model_admin)
    return JsonResponse(progress_of(appeal, report.of(appeal).total.states))


def schedule_page(request: HttpRequest, pk: int, model_admin: "AppealAdmin") -> HttpResponse:
    """Set the hour, or send now; shows who gets which text, and what stands in the way."""
    appeal = _viewed(request, pk, model_admin)
    if not request.user.has_perm(MAY_SEND):
        raise PermissionDenied
    asked_for_an_hour = request.method == "POST" and "now" not in request.POST
    form = ScheduleForm(request.POST if asked_for_an_hour else None, initial={"time_zone": appeal.time_zone})
    refused: list[str] = []
    if appeal.channel == Appeal.Channel.MAIL:
        preflight.look(appeal)
    if request.method == "POST":
        send_anyway = "send_anyway" in request.POST
        try:
            if "now" in request.POST:
                _send_now(appeal, send_anyway)
                model_admin.message_user(request, _("It starts within a minute."), messages.SUCCESS)
                return _back(appeal)
            if form.is_valid():
                schedule.schedule(appeal, form.local, form.cleaned_data["time_zone"], send_anyway=send_anyway)
                said = _("It goes out on %(when)s.") % {"when": when(appeal)}
                model_admin.message_user(request, said, messages.SUCCESS)
                return _back(appeal)
        except Refusal as refusal:
            refused = refusal.messages
    found = texts.obstacles(appeal)
    context = {
        "refused": refused,
        "form": form,
        "panel": panel(request, appeal),
        "errors": [obstacle.message for obstacle in found if obstacle.final],
        "warnings": [obstacle.message for obstacle in found if not obstacle.final],
        "send_anyway": "send_anyway" in request.POST,
        "media": form.media + model_admin.media,
    }
    return page(request, model_admin, appeal, "schedule", _("Schedule"), context)


def cancel_page(request: HttpRequest, pk: int, model_admin: "AppealAdmin") -> HttpResponse:
    """Asks once more; the button on it acts."""
    appeal = _viewed(request, pk, model_admin)
    if not request.user.has_perm(MAY_SEND):
        raise PermissionDenied
    progress = progress_of(appeal, report.of(appeal).total.states) if appeal.launched_at else None
    context = {"progress": progress, "left": progress["total"] - progress["done"] if progress else None}
    return page(request, model_admin, appeal, "cancel", _("Cancel"), context)


def act(request: HttpRequest, pk: int, name: str, model_admin: "AppealAdmin") -> HttpResponse:
    """One of ACTS, by POST."""
    appeal = _viewed(request, pk, model_admin)
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if name not in ACTS or not request.user.has_perm(MAY_SEND):
        raise PermissionDenied
    function, said = ACTS[name]
    try:
        function(appeal)
        model_admin.message_user(request, said, messages.SUCCESS)
        model_admin.log_change(request, appeal, str(said))
    except Refusal as refusal:
        for message in refusal.messages:
            model_admin.message_user(request, message, messages.ERROR)
    return _back(appeal)


def page(
    request: HttpRequest,
    model_admin: "AppealAdmin",
    appeal: Appeal,
    name: str,
    title: str,
    context: dict[str, Any],
) -> HttpResponse:
    """A page of this appeal within the staff site."""
    return TemplateResponse(
        request,
        f"admin/campaigns/appeal/{name}.html",
        {
            **model_admin.admin_site.each_context(request),
            "opts": model_admin.opts,
            "original": appeal,
            "appeal": appeal,
            "title": f"{appeal.name}: {title}",
            "media": model_admin.media,
            **context,
        },
    )


def _send_now(appeal: Appeal, send_anyway: bool) -> None:
    with transaction.atomic():
        schedule.send_now(appeal, send_anyway=send_anyway)
        # The broker may be away: what is due is in the database, and the tick finds it.
        transaction.on_commit(lambda: launch_appeal.delay(appeal.pk), robust=True)


def _viewed(request: HttpRequest, pk: int, model_admin: "AppealAdmin") -> Appeal:
    appeal = get_object_or_404(Appeal.objects.select_related("segment", "campaign"), pk=pk)
    if not model_admin.has_view_permission(request, appeal):
        raise PermissionDenied
    return appeal


def _back(appeal: Appeal) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:campaigns_appeal_change", args=[appeal.pk]))


PAGES = {
    "schedule": schedule_page,
    "cancel": cancel_page,
    "progress": progress,
    "check": check,
    "preview": preview,
    "preview_html": preview_html,
}
