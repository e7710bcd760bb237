from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import action, display

from campaigns.appeals import ledger
from campaigns.models import Delivery
from supporters.admin.base import ReadOnlyAdmin, SearchedByPerson
from supporters.admin.exporting import ExportedList


@admin.register(Delivery)
class DeliveryAdmin(ExportedList, SearchedByPerson, ReadOnlyAdmin):
    listing = "deliveries"
    list_display = ["person", "appeal", "state_label", "why", "language", "attempts", "sent_at"]
    list_filter = [("appeal", AutocompleteSelectFilter), ("state", ChoicesDropdownFilter)]
    list_filter_submit = True
    list_select_related = []
    list_prefetch = ["supporter", "appeal"]
    sortable_by = []
    ordering = ["-id"]
    actions = ["send_again"]
    fields = [
        *("supporter", "appeal", "state", "why", "language"),
        *("attempts", "not_before", "sent_at", "updated_at"),
    ]
    readonly_fields = ["why"]

    @admin.display(description=gettext_lazy("supporter"))
    def person(self, delivery: Delivery) -> str:
        return str(delivery.supporter) if delivery.supporter else _("Erased")

    @admin.display(description=gettext_lazy("reason"))
    def why(self, delivery: Delivery) -> str:
        return _(delivery.reason) if delivery.reason else "–"

    @display(
        description=gettext_lazy("state"),
        label={
            "sent": "success",
            "failed": "danger",
            "unknown": "danger",
            "bounced": "danger",
            "complained": "danger",
            "skipped": "warning",
            "sending": "info",
        },
    )
    def state_label(self, delivery: Delivery) -> tuple[str, str]:
        return delivery.state, delivery.get_state_display()

    def get_ordering(self, request: HttpRequest) -> list[str]:
        # Of one appeal, as the index that keeps each delivery single orders them.
        return ["-supporter"] if any(name.startswith("appeal") for name in request.GET) else ["-id"]

    def has_send_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("campaigns.schedule_appeal")

    @action(description=gettext_lazy("Send again …"), permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> HttpResponse | None:
        """For what failed or is unknown: asks first, for somebody may get it twice."""
        chosen = queryset.filter(state__in=[Delivery.State.FAILED, Delivery.State.UNKNOWN])
        if "confirmed" not in request.POST:
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": _("Send again?"),
                "unknown": chosen.filter(state=Delivery.State.UNKNOWN).count(),
                "failed": chosen.filter(state=Delivery.State.FAILED).count(),
                "others": queryset.exclude(pk__in=chosen).count(),
                "chosen": request.POST.getlist("_selected_action"),
                "media": self.media,
            }
            return TemplateResponse(request, "admin/campaigns/delivery/send_again.html", context)
        number = ledger.send_again(list(chosen.values_list("pk", flat=True)))
        said = ngettext(
            "%(number)d goes out again within a minute.", "%(number)d go out again within a minute.", number
        )
        self.message_user(request, said % {"number": number}, messages.SUCCESS if number else messages.WARNING)
        return None
