"""Mailchimp on the staff site: which segments go to which audience, and how that goes."""

from collections.abc import Callable

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from kombu.exceptions import OperationalError
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import action, display

from campaigns.admin import audience_pages
from campaigns.admin.audience_form import AudienceForm
from campaigns.mailchimp.sync import EVERY
from campaigns.models import Audience, AudienceMember, AudienceSegment, SyncRun, WebhookEvent
from campaigns.tasks import pull_audience, push_audience
from supporters.admin.base import ReadOnlyAdmin, RecordAdmin, SearchedByPerson
from supporters.admin.exporting import ExportedList
from supporters.admin.pages import StaffForm, form_page

Text = str | Promise


class SegmentInline(TabularInline):
    model = AudienceSegment
    extra = 1
    autocomplete_fields = ["segment"]
    fields = ["segment"]


class RunInline(TabularInline):
    model = SyncRun
    extra = 0
    max_num = 0
    per_page = 10
    can_delete = False
    fields = ["started_at", "kind", "state", "did", "error"]
    readonly_fields = fields
    ordering = ["-started_at"]

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    @display(description=_("Did"))
    def did(self, run: SyncRun) -> str:
        return in_words(run.counts)


_COUNTS = {
    "added": _("new"),
    "changed": _("changed"),
    "moved": _("new address"),
    "unsubscribed": _("unsubscribed"),
    "deleted": _("deleted for good"),
    "archived": _("archived"),
    "asked_back": _("asked to confirm"),
    "tagged": _("tagged"),
    "untagged": _("untagged"),
    "refused": _("refused"),
    "read": _("read"),
    "left": _("left there"),
    "bounced": _("bounced there"),
    "strangers": _("not on file here"),
    "returned": _("came back"),
    "moved_there": _("new address there"),
    "edited": _("changed there"),
    "permitted": _("with new permissions"),
    "withdrawn": _("permissions taken back there"),
    "conflicts": _("changed on both sides"),
    "compared": _("compared"),
    "drift": _("differ"),
    "missing_there": _("no longer there"),
    "missing_here": _("not known here"),
    "status": _("with another status"),
    "fields": _("with other fields"),
    "tags": _("with other tags"),
}


def in_words(counts: dict) -> str:
    """What a run did, such as “12 new, 3 changed”."""
    said = [f"{counts[name]} {label}" for name, label in _COUNTS.items() if name in counts]
    return ", ".join(said) or gettext("nothing to do")


@admin.register(Audience)
class AudienceAdmin(RecordAdmin):
    form = AudienceForm
    list_display = ["name", "list_id", "status", "last_run", "next_run"]
    search_fields = ["name", "list_id"]
    inlines = [SegmentInline, RunInline]
    actions_detail = ["sync_now", "dry_run", "pause", "resume", "show_refused"]
    change_form_outer_before_template = "admin/campaigns/audience/panel.html"
    fieldsets = [
        (None, {"fields": ["name", "list_id", "fields_there", "takes_edits"]}),
        (_("Taking away"), {"fields": ["most_taken", "archives"]}),
        (
            _("What people allow, shown there"),
            {"fields": ["group_email", "group_post", "group_phone"], "classes": ["collapse"]},
        ),
    ]

    class Media:
        css = {"all": ["campaigns/appeal.css", "campaigns/audience.css"]}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict | None = None,
    ) -> HttpResponse:
        context = extra_context or {}
        audience = self.get_object(request, object_id) if object_id else None
        if audience is not None and self.has_view_permission(request, audience):
            context["panel"] = audience_pages.panel(request, audience)
        return super().changeform_view(request, object_id, form_url, context)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        newest = SyncRun.objects.filter(audience=OuterRef("pk"), kind=SyncRun.Kind.PUSH).order_by("-started_at")
        return (
            super()
            .get_queryset(request)
            .annotate(
                run_started=Subquery(newest.values("started_at")[:1]),
                run_state=Subquery(newest.values("state")[:1]),
                run_error=Subquery(newest.values("error")[:1]),
                run_counts=Subquery(newest.values("counts")[:1]),
            )
        )

    @display(
        description=_("State"),
        label={"good": "success", "paused": "warning", "held": "warning", "failed": "danger", "new": "info"},
    )
    def status(self, audience: Audience) -> tuple[str, str]:
        if audience.paused:
            return "paused", gettext("Paused")
        if audience.run_state == SyncRun.State.FAILED:
            return "failed", gettext("Failed")
        if audience.run_state == SyncRun.State.HELD:
            return "held", gettext("Asks first")
        return ("good", gettext("Good")) if audience.run_state else ("new", gettext("Not yet"))

    @display(description=_("Last run"), ordering="run_started")
    def last_run(self, audience: Audience) -> str:
        started = getattr(audience, "run_started", None)
        if started is None:
            return "–"
        what = audience.run_error or in_words(audience.run_counts)
        return f"{timezone.localtime(started):%Y-%m-%d %H:%M}: {what}"

    @display(description=_("Next run"))
    def next_run(self, audience: Audience) -> str:
        if audience.paused:
            return gettext("none: it is paused")
        started = getattr(audience, "run_started", None)
        if started is None or audience.sync_requested_at:
            return gettext("within a minute")
        return f"{timezone.localtime(max(started + EVERY, timezone.now())):%Y-%m-%d %H:%M}"

    @action(description=_("Sync now"), url_path="sync", icon="sync", permissions=["change"])
    def sync_now(self, request: HttpRequest, object_id: int) -> HttpResponse:
        def act() -> None:
            Audience.objects.filter(pk=object_id).update(sync_requested_at=Now())
            try:
                pull_audience.apply_async(args=[object_id], retry=False)
                push_audience.apply_async(args=[object_id], retry=False)
            except OperationalError:
                pass  # the database knows that it was asked for; the minute's job hands it out

        text = _("A worker first reads what changed there, then brings the audience to what its segments say.")
        done = _("A worker is at it. Reload this page to see what it did.")
        return self._after_a_question(request, object_id, _("Sync now"), text, act, done)

    @action(description=_("What a sync would do"), url_path="dry-run", icon="preview", permissions=["view"])
    def dry_run(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return audience_pages.dry_run(request, self, object_id)

    @action(description=_("Pause"), url_path="pause", icon="pause", permissions=["pause"])
    def pause(self, request: HttpRequest, object_id: int) -> HttpResponse:
        text = _("Nothing goes to Mailchimp until you resume. People can still leave there.")
        return self._after_a_question(
            request, object_id, _("Pause"), text, self._pausing(object_id, True), _("Paused.")
        )

    @action(description=_("Resume"), url_path="resume", icon="play_arrow", permissions=["resume"])
    def resume(self, request: HttpRequest, object_id: int) -> HttpResponse:
        text = _("The audience is brought up to date within a minute.")
        return self._after_a_question(
            request, object_id, _("Resume"), text, self._pausing(object_id, False), _("It goes on.")
        )

    @action(description=_("Who was refused"), url_path="refused", icon="report")
    def show_refused(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return HttpResponseRedirect(
            f"{reverse('admin:campaigns_audiencemember_changelist')}?refused=yes&audience={object_id}"
        )

    def has_pause_permission(self, request: HttpRequest, object_id: int | None = None) -> bool:
        going = Audience.objects.filter(pk=object_id, paused=False)
        return self.has_change_permission(request) and going.exists()

    def has_resume_permission(self, request: HttpRequest, object_id: int | None = None) -> bool:
        standing_still = Audience.objects.filter(pk=object_id, paused=True)
        return self.has_change_permission(request) and standing_still.exists()

    def _pausing(self, pk: int, paused: bool) -> Callable[[], object]:
        return lambda: Audience.objects.filter(pk=pk).update(paused=paused)

    def _after_a_question(
        self, request: HttpRequest, pk: int, title: Text, text: Text, act: Callable[[], object], done: Text
    ) -> HttpResponse:
        """The admin's own actions are links, and no link may act: a button on a page of its own does."""
        audience = get_object_or_404(Audience, pk=pk)
        back = reverse("admin:campaigns_audience_change", args=[pk])
        if request.method == "POST":
            act()
            self.message_user(request, done)
            return HttpResponseRedirect(back)
        return form_page(
            request, StaffForm(), title=f"{title}: {audience}", submit=str(title), back=back, text=str(text)
        )


class RefusedFilter(admin.SimpleListFilter):
    title = _("refused")
    parameter_name = "refused"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("yes", _("Refused by Mailchimp")), ("no", _("Taken"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "yes":
            return queryset.exclude(refusal="")
        return queryset.filter(refusal="") if self.value() == "no" else queryset


class DiffersFilter(admin.SimpleListFilter):
    title = _("differs")
    parameter_name = "differs"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("yes", _("In the last comparison"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.exclude(differs=[]) if self.value() == "yes" else queryset


@admin.register(AudienceMember)
class AudienceMemberAdmin(ExportedList, SearchedByPerson, ReadOnlyAdmin):
    listing = "mailchimp-members"
    list_display = ["supporter", "audience", "status", "refusal", "refused_at", "updated_at"]
    list_filter = [
        RefusedFilter,
        DiffersFilter,
        ("status", ChoicesDropdownFilter),
        ("audience", AutocompleteSelectFilter),
    ]
    list_select_related = []
    list_prefetch = ["supporter", "audience"]
    sortable_by = []
    ordering = ["-pk"]
    fields = [
        "supporter",
        "audience",
        "status",
        "refusal",
        "refused_at",
        "note",
        "differing",
        "last_changed",
        "updated_at",
    ]

    @display(description=_("Differed in the last full comparison"))
    def differing(self, member: AudienceMember) -> str:
        return ", ".join(str(_DIFFERENCES.get(what, what)) for what in member.differs) or "–"


_DIFFERENCES = {
    "missing_there": _("not there"),
    "missing_here": _("not known here"),
    "status": _("status"),
    "fields": _("fields"),
    "tags": _("tags"),
}


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnlyAdmin):
    list_display = ["audience", "kind", "state", "started_at", "finished_at", "did", "error"]
    list_filter = [
        ("audience", AutocompleteSelectFilter),
        ("kind", ChoicesDropdownFilter),
        ("state", ChoicesDropdownFilter),
    ]
    list_select_related = ["audience"]
    ordering = ["-started_at"]
    fields = ["audience", "kind", "state", "started_at", "finished_at", "did", "error"]
    readonly_fields = ["did"]

    @display(description=_("Did"))
    def did(self, run: SyncRun) -> str:
        return in_words(run.counts)


@admin.register(WebhookEvent)
class WebhookEventAdmin(ReadOnlyAdmin):
    list_display = ["audience", "kind", "received_at", "applied_at"]
    list_select_related = ["audience"]
    ordering = ["-pk"]
    fields = ["audience", "kind", "received_at", "applied_at", "error"]
