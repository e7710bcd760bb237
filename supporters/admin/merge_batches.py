"""The certain doubles merged all at once: how many, a sample, how far it is, and the way back. supporters.merging.batches."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import site
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from supporters.admin.base import ReadOnlyAdmin
from supporters.admin.double import known_person
from supporters.admin.pages import StaffForm
from supporters.matching.explaining import sentence
from supporters.merging import batches
from supporters.models import Double, MergeBatch
from supporters.nudging import nudge

SAMPLE = 10
MOST_LEFT_OUT = 200
State = MergeBatch.State


class ThresholdForm(StaffForm):
    threshold = forms.DecimalField(
        label=_("At least this sure, in %"),
        min_value=50,
        max_value=100,
        decimal_places=2,
        help_text=_("Pairs in large or doubtful groups are never among them: those are for a person to look at."),
    )


@admin.register(MergeBatch)
class MergeBatchAdmin(ReadOnlyAdmin):
    list_display = ["started_at", "started_by", "sure", "pairs", "merged", "left", "state_now"]
    list_select_related = ["started_by"]
    sortable_by = ["started_at"]
    ordering = ["-pk"]
    actions_list = ["begin"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        standing = Count("merges", filter=Q(merges__undone_at=None))
        return super().get_queryset(request).annotate(standing=standing)

    def get_urls(self) -> list:
        view = self.admin_site.admin_view
        return [
            path("start/", view(self._start), name="supporters_mergebatch_start"),
            path("<int:pk>/do/<slug:act>/", view(self._act), name="supporters_mergebatch_act"),
            *super().get_urls(),
        ]

    def has_merge_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("supporters.merge_supporter_batch")

    @display(description=_("At least this sure"))
    def sure(self, batch: MergeBatch) -> str:
        return f"{batch.threshold * 100:g} %"

    @display(description=_("Merged"))
    def merged(self, batch: MergeBatch) -> int:
        return batch.standing

    @display(description=_("Left out"))
    def left(self, batch: MergeBatch) -> int:
        return len(batch.left_out)

    @display(
        description=_("State"),
        label={"running": "info", "stopped": "warning", "done": "success", "undoing": "info", "undone": "warning"},
    )
    def state_now(self, batch: MergeBatch) -> tuple[str, str]:
        return batch.state, batch.get_state_display()

    @action(description=_("Merge the certain ones…"), url_path="begin", permissions=["merge"])
    def begin(self, request: HttpRequest) -> HttpResponseRedirect:
        return redirect("admin:supporters_mergebatch_start")

    def _start(self, request: HttpRequest) -> HttpResponse:
        """How many there are and what they look like; then begin."""
        if not self.has_merge_permission(request):
            raise PermissionDenied
        form = ThresholdForm(request.POST or request.GET or None, initial={"threshold": 99})
        bound = form.is_bound and form.is_valid()
        threshold = float(form.cleaned_data["threshold"]) / 100 if bound else 0.99
        pairs = batches.certain(threshold)
        number = pairs.count()
        if request.method == "POST" and bound and number:
            batch = batches.start(threshold, request.user)
            nudge("supporters.tasks.work_on_merges", batch.pk)
            return redirect("admin:supporters_mergebatch_change", batch.pk)
        context = {
            **site.each_context(request),
            "title": gettext("Merge the certain doubles"),
            "form": form,
            "number": number,
            "threshold": f"{threshold * 100:g}",
            # Those that staff have to judge by are the least sure.
            "sample": [
                (
                    known_person(pair.first),
                    known_person(pair.second),
                    f"{min(int(pair.probability * 100), 99)} %",
                    sentence(pair.evidence),
                )
                for pair in pairs.order_by("probability", "-pk").select_related("first", "second")[:SAMPLE]
            ],
            "back": reverse("admin:supporters_double_changelist"),
        }
        return TemplateResponse(request, "supporters/admin/merge_start.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        """How far it is; with ?part=1 only the inside, for the page to refresh itself."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        batch = get_object_or_404(MergeBatch, pk=int(object_id) if object_id.isdecimal() else 0)
        merged = batch.merges.standing().count()
        undone = batch.merges.count() - merged
        left_out = list(batch.left_out.items())
        open_pairs = Double.objects.select_related("first", "second").in_bulk(
            [int(key) for key, _why in left_out[:MOST_LEFT_OUT] if key.isdecimal()]
        )
        context = {
            **site.each_context(request),
            "title": gettext("Batch of merges %(number)s") % {"number": batch.pk},
            "batch": batch,
            "sure": self.sure(batch),
            "live": batch.state in {State.RUNNING, State.UNDOING},
            "merged": merged,
            "undone": undone,
            "done": _percent(batch, merged, undone),
            "left_out": [
                (key.removeprefix(batches.UNDO), open_pairs.get(int(key)) if key.isdecimal() else None, why)
                for key, why in left_out[:MOST_LEFT_OUT]
            ],
            "more": max(len(left_out) - MOST_LEFT_OUT, 0),
            "may": self.has_merge_permission(request),
            "log": reverse("admin:supporters_merge_changelist") + f"?batch__id__exact={batch.pk}",
            "back": reverse("admin:supporters_mergebatch_changelist"),
        }
        template = "merge_batch_inside.html" if request.GET.get("part") else "merge_batch.html"
        return TemplateResponse(request, f"supporters/admin/{template}", context)

    def _act(self, request: HttpRequest, pk: int, act: str) -> HttpResponse:
        """Stop, go on, or take back; only POST does."""
        if not self.has_merge_permission(request):
            raise PermissionDenied
        batch = get_object_or_404(MergeBatch, pk=pk)
        page = redirect("admin:supporters_mergebatch_change", pk)
        if request.method != "POST":
            return page
        done = {
            "stop": lambda: batches.stop(batch),
            "go-on": lambda: batches.go_on(batch),
            "take-back": lambda: batches.take_back(batch, request.user),
        }.get(act, lambda: False)()
        if not done:
            messages.info(request, _("That is done already, or somebody else was quicker."))
        elif act != "stop":
            nudge("supporters.tasks.work_on_merges", pk)
        else:
            merged = batch.merges.standing().count()
            told = ngettext("It stops. %(number)d pair is merged.", "It stops. %(number)d pairs are merged.", merged)
            messages.success(request, told % {"number": merged})
        return page


def _percent(batch: MergeBatch, merged: int, undone: int) -> int:
    if batch.state in {State.UNDOING, State.UNDONE}:
        return 100 * undone // max(merged + undone, 1)
    return min(100, 100 * (merged + len(batch.left_out)) // max(batch.pairs, 1))
