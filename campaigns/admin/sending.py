"""How our own mail leaves: the stop button, limits, what the large receivers bear, warm-up."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import TabularInline
from unfold.decorators import display

from campaigns.admin.appeal_pages import MAY_SEND
from campaigns.mail.pacing import control, receivers, warm_up
from campaigns.models import Receiver, ReceiverDomain, SendingControl, WarmUp
from supporters.admin.base import RecordAdmin


@admin.register(SendingControl)
class SendingControlAdmin(RecordAdmin):
    """Its one row is its page: there is no list, and nothing to add or delete."""

    fieldsets = [(None, {"fields": [("per_minute", "per_hour")]})]
    change_form_outer_before_template = "admin/campaigns/sendingcontrol/panel.html"

    class Media:
        css = {"all": ["campaigns/appeal.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: SendingControl | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("stop/", wrap(self.stop), name="campaigns_sending_stop"),
            path("go-on/", wrap(self.go_on), name="campaigns_sending_go_on"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        SendingControl.objects.bulk_create([SendingControl()], ignore_conflicts=True)
        return HttpResponseRedirect(_page())

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict | None = None,
    ) -> HttpResponse:
        context = {
            **(extra_context or {}),
            "title": _("Sending"),
            "control": control.current(),
            "may_send": request.user.has_perm(MAY_SEND),
            "slowed": Receiver.objects.filter(slowed_until__gt=timezone.now()),
            "warming": [_warming(row) for row in WarmUp.objects.all()[:20]],
        }
        return super().changeform_view(request, object_id, form_url, context)

    def stop(self, request: HttpRequest) -> HttpResponse:
        """Nothing more leaves, from any appeal."""
        said = _("Stopped: nothing leaves until somebody lets it go on.")
        return self._press(request, lambda: control.stop(request.user), said)

    def go_on(self, request: HttpRequest) -> HttpResponse:
        return self._press(request, control.go_on, _("Appeals go on within a minute, where they stopped."))

    def _press(self, request: HttpRequest, button: Callable[[], bool], said: str) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm(MAY_SEND):
            raise PermissionDenied
        if button():
            self.log_change(request, control.current(), said)
        self.message_user(request, said, messages.SUCCESS)
        return HttpResponseRedirect(_page())


class ReceiverDomainInline(TabularInline):
    model = ReceiverDomain
    extra = 1


@admin.register(Receiver)
class ReceiverAdmin(RecordAdmin):
    list_display = ["name", "per_minute", "burst", "pace", "because"]
    search_fields = ["name", "domains__domain"]
    inlines = [ReceiverDomainInline]
    fieldsets = [(None, {"fields": ["name", ("per_minute", "burst")]})]
    actions = ["back_to_normal"]

    @display(description=_("pace"), label={"slow": "warning", "normal": "success"})
    def pace(self, receiver: Receiver) -> tuple[str, str]:
        if _slow(receiver):
            until = timezone.localtime(receiver.slowed_until).strftime("%H:%M")
            return "slow", _("Slowed until %(time)s") % {"time": until}
        return "normal", _("Normal")

    @admin.display(description=_("because"))
    def because(self, receiver: Receiver) -> str:
        return receiver.slowed_because if _slow(receiver) else ""

    @admin.action(description=gettext_lazy("Back to their normal pace"), permissions=["change"])
    def back_to_normal(self, request: HttpRequest, chosen: QuerySet[Receiver]) -> None:
        changed = sum(receivers.back_to_normal(receiver) for receiver in chosen)
        self.message_user(request, _("Back to normal: %(number)d.") % {"number": changed}, messages.SUCCESS)

    def save_model(self, request: HttpRequest, obj: Receiver, form: Any, change: bool) -> None:
        if not change:
            obj.code = receivers.new_code(obj.name)
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: list, change: bool) -> None:
        before = set(form.instance.domains.values_list("domain", flat=True)) if change else set()
        super().save_related(request, form, formsets, change)
        after = set(form.instance.domains.values_list("domain", flat=True))
        receivers.relabel(sorted(before ^ after))

    def delete_model(self, request: HttpRequest, obj: Receiver) -> None:
        domains = list(obj.domains.values_list("domain", flat=True))
        super().delete_model(request, obj)
        receivers.relabel(domains)

    def get_actions(self, request: HttpRequest) -> dict:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions


@admin.register(WarmUp)
class WarmUpAdmin(RecordAdmin):
    list_display = ["domain", "starts_on", "today"]
    search_fields = ["domain"]
    fieldsets = [(None, {"fields": [("domain", "starts_on"), "plan"]})]

    @admin.display(description=_("today"))
    def today(self, row: WarmUp) -> str:
        return _warming(row)["text"]


def _warming(row: WarmUp) -> dict[str, str]:
    limit, taken = warm_up.limit_on(row, warm_up.today()), warm_up.taken_today(row)
    if limit is None:
        text = _("Warm: no limit any more.")
    else:
        text = _("%(taken)s of %(limit)s for today") % {"taken": taken, "limit": limit}
    return {"domain": row.domain, "text": text}


def _slow(receiver: Receiver) -> bool:
    return receiver.slowed_until is not None and receiver.slowed_until > timezone.now()


def _page() -> str:
    return reverse("admin:campaigns_sendingcontrol_change", args=[1])
