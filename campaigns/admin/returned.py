"""What came back, on the staff site: what, why, and what was done about it."""

from datetime import timedelta

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.dataclasses import UnfoldAction
from unfold.decorators import action, display

from campaigns.mail.returns import applying
from campaigns.models import Return, ReturnedMessage
from supporters.admin.base import ReadOnlyAdmin
from supporters.admin.exporting import ExportedList
from supporters.admin.pages import StaffForm, form_page

Done, Kind = Return.Done, Return.Kind
OFTEN, WITHIN_DAYS = 3, 90
"""So many messages that came back for now, within so many days, are worth a look; nothing comes of them by itself."""
SHOWN = 8_000
"""Characters of a message."""


class RepeatedFilter(admin.SimpleListFilter):
    title = gettext_lazy("again and again")
    parameter_name = "repeated"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("yes", _("%(number)d or more in %(days)d days") % {"number": OFTEN, "days": WITHIN_DAYS})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Return]) -> QuerySet[Return]:
        if self.value() != "yes":
            return queryset
        soft = Return.objects.filter(kind=Kind.SOFT, happened_at__gt=Now() - timedelta(days=WITHIN_DAYS))
        often = (
            soft.exclude(supporter=None)
            .values("supporter")
            .annotate(deliveries=Count("delivery", distinct=True))
            .filter(deliveries__gte=OFTEN)
        )
        return queryset.filter(kind=Kind.SOFT, supporter__in=often.values("supporter"))


@admin.register(Return)
class ReturnAdmin(ExportedList, ReadOnlyAdmin):
    listing = "returns"
    list_display = ["happened_at", "person", "kind_label", "reason", "done_label", "appeal"]
    list_filter = [
        ("kind", ChoicesDropdownFilter),
        ("done", ChoicesDropdownFilter),
        ("reason", ChoicesDropdownFilter),
        ("match", ChoicesDropdownFilter),
        RepeatedFilter,
    ]
    list_select_related = []
    list_prefetch = ["supporter", "delivery__appeal"]
    search_fields = ["=address"]
    search_help_text = gettext_lazy("A whole address")
    ordering = ["-happened_at"]
    actions_detail = ["stop_writing", "dismiss"]
    fieldsets = [
        (None, {"fields": ["happened_at", "kind", "reason", "said", "status"]}),
        (gettext_lazy("Whom it is about"), {"fields": ["person", "address", "appeal", "match"]}),
        (gettext_lazy("What was done"), {"fields": ["done", "settled_by", "why_waiting"]}),
        (gettext_lazy("The message"), {"fields": ["channel", "original"]}),
    ]
    readonly_fields = ["person", "appeal", "why_waiting", "channel", "original"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Return]:
        return super().get_queryset(request).defer("said")

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[UnfoldAction]:
        """Only where there is something to decide."""
        return super().get_actions_detail(request, object_id) if self._waiting(object_id) else []

    @display(description=gettext_lazy("supporter"))
    def person(self, row: Return) -> str:
        if row.supporter is None:
            return row.address or _("Not known")
        link = reverse("admin:supporters_supporter_change", args=[row.supporter_id])
        return format_html('<a href="{}" class="text-link">{}</a>', link, row.supporter)

    @display(
        description=gettext_lazy("what"),
        label={"hard": "danger", "complaint": "danger", "opt_out": "warning", "soft": "warning", "alert": "danger"},
    )
    def kind_label(self, row: Return) -> tuple[str, str]:
        return row.kind, row.get_kind_display()

    @display(description=gettext_lazy("done"), label={"suppressed": "success", "look": "danger", "noted": "info"})
    def done_label(self, row: Return) -> tuple[str, str]:
        return row.done, row.get_done_display()

    @display(description=gettext_lazy("appeal"))
    def appeal(self, row: Return) -> str:
        return str(row.delivery.appeal) if row.delivery else "–"

    @display(description=gettext_lazy("why it waits"))
    def why_waiting(self, row: Return) -> str:
        if row.done != Done.LOOK:
            return "–"
        if row.kind == Kind.ALERT:
            return _(
                "A receiver says that mail in our name failed its checks: either ours is not signed as it should be, "
                "or somebody else writes in our name. Tell whoever runs the mail server."
            )
        if row.match == Return.Match.ADDRESS:
            return _(
                "Only the address fits, and anybody can write an address into a message. Stop writing to this person "
                "only if you are sure."
            )
        return _(
            "It came back from another address than the one on file: the person forwards their mail, or has changed "
            "their address since."
        )

    @display(description=gettext_lazy("came by"))
    def channel(self, row: Return) -> str:
        return row.message.provider or row.message.get_channel_display()

    @display(description=gettext_lazy("message"))
    def original(self, row: Return) -> str:
        if row.message.raw is None:
            return _("Not kept any more.") if row.message.event is None else str(row.message.event.get("type", ""))
        text = bytes(row.message.raw[:SHOWN]).decode("utf-8", "replace")
        return format_html('<pre style="white-space: pre-wrap; overflow-wrap: anywhere">{}</pre>', text)

    def has_settle_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return request.user.has_perm("campaigns.settle_return")

    @action(description=gettext_lazy("Stop writing to them"), url_path="stop", icon="block", permissions=["settle"])
    def stop_writing(self, request: HttpRequest, object_id: int) -> HttpResponse:
        row = self._waiting(object_id)
        if row is None or row.supporter is None or row.kind == Kind.ALERT:
            return self._nothing_to_decide(request, object_id)
        text = _("Nothing more goes by email to %(person)s.") % {"person": row.supporter}
        return self._after_a_question(request, row, str(_("Stop writing to them")), text, act=True)

    @action(description=gettext_lazy("Leave it"), url_path="dismiss", icon="done", permissions=["settle"])
    def dismiss(self, request: HttpRequest, object_id: int) -> HttpResponse:
        row = self._waiting(object_id)
        if row is None:
            return self._nothing_to_decide(request, object_id)
        text = _("It is marked as looked at, and nothing is done.")
        return self._after_a_question(request, row, str(_("Leave it")), text, act=False)

    def _waiting(self, pk: int) -> Return | None:
        row = Return.objects.select_related("supporter").filter(pk=pk).first()
        if row is None:
            raise Http404
        return row if row.done == Done.LOOK else None

    def _nothing_to_decide(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.message_user(request, _("There is nothing to decide here."), messages.WARNING)
        return HttpResponseRedirect(reverse("admin:campaigns_return_change", args=[pk]))

    def _after_a_question(self, request: HttpRequest, row: Return, title: str, text: str, act: bool) -> HttpResponse:
        """The admin's own actions are links, and no link may act: a button on a page of its own does."""
        back = reverse("admin:campaigns_return_change", args=[row.pk])
        if request.method == "POST":
            if not applying.settle(row.pk, act, request.user):
                return self._nothing_to_decide(request, row.pk)
            self.message_user(request, _("Done."), messages.SUCCESS)
            return HttpResponseRedirect(back)
        return form_page(request, StaffForm(), title=title, submit=title, back=back, text=text, danger=act)


class ErrorFilter(admin.SimpleListFilter):
    title = gettext_lazy("readable")
    parameter_name = "readable"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("no", _("Could not be read"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ReturnedMessage]) -> QuerySet[ReturnedMessage]:
        return queryset.exclude(error="") if self.value() == "no" else queryset


@admin.register(ReturnedMessage)
class ReturnedMessageAdmin(ReadOnlyAdmin):
    list_display = ["received_at", "channel", "provider", "applied_at", "error"]
    list_filter = [ErrorFilter, ("channel", ChoicesDropdownFilter)]
    ordering = ["-pk"]
    actions = ["try_again"]
    fields = ["received_at", "channel", "provider", "applied_at", "error"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReturnedMessage]:
        return super().get_queryset(request).defer("raw", "event")

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("campaigns.settle_return")

    @action(description=gettext_lazy("Try to read again"), permissions=["settle"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[ReturnedMessage]) -> None:
        number = applying.try_again(list(queryset.values_list("pk", flat=True)))
        said = ngettext(
            "%(number)d is read again within a minute.", "%(number)d are read again within a minute.", number
        )
        self.message_user(request, said % {"number": number}, messages.SUCCESS if number else messages.WARNING)
