"""Merging two records by hand, the log of merges, and undoing one: supporters.merging."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import site
from django.db.models import Count, Min, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from supporters import figures, finding, merging
from supporters.admin.base import ReadOnlyAdmin
from supporters.admin.exporting import ExportedList
from supporters.admin.pages import StaffForm, form_page
from supporters.matching import deciding
from supporters.merging.choosing import AWAY, SURVIVOR, Choice
from supporters.merging.declaring import moves
from supporters.merging.previewing import preview
from supporters.models import Double, Merge, Organisation, Supporter

MERGE, DECIDE = "supporters.merge_supporter", "supporters.decide_double"


def merge_page(request: HttpRequest, one: int, other: int) -> HttpResponse:
    """The two side by side: which record stays, whose value in each field, and what goes over."""
    people = [finding.by_pk(pk) for pk in (one, other)]
    if None in people or people[0] == people[1]:
        messages.info(request, _("These two are one record by now, or one of them was erased."))
        return redirect("admin:supporters_supporter_changelist")
    survivor, away = _sides(request, *people)
    pair = Double.objects.filter(first=min(one, other), second=max(one, other))
    if request.method == "POST" and "apart" in request.POST and request.user.has_perm(DECIDE):
        deciding.keep_apart(list(pair.values_list("pk", flat=True)), request.user)
        messages.success(request, _("They are kept apart, and will not be proposed again."))
        return redirect("admin:supporters_double_changelist")
    chosen = {
        choice.name: request.POST[choice.name] for choice in merging.fields(survivor, away) if _said(request, choice)
    }
    try:
        if request.method == "POST":
            act = merging.merge(survivor.pk, away.pk, chosen, by=request.user, probability=_probability(pair))
            messages.success(request, _merged(act, survivor))
            return redirect("admin:supporters_supporter_change", survivor.pk)
        shown = preview(survivor, away)
    except merging.CannotMerge as problem:
        messages.error(request, str(problem))
        return redirect("admin:supporters_supporter_changelist")
    context = {
        **site.each_context(request),
        "title": gettext("Merge two records"),
        "survivor": survivor,
        "away": away,
        "people": [survivor, away],
        "swapped": f"?keep={away.pk}",
        "choices": [_shown(choice) for choice in merging.fields(survivor, away)],
        "facts": _facts(survivor, away),
        "preview": shown,
        "apart": pair.filter(state=Double.State.DIFFERENT).exists(),
        "may_part": request.user.has_perm(DECIDE) and pair.open().exists(),
        "back": reverse("admin:supporters_supporter_change", args=[survivor.pk]),
    }
    return TemplateResponse(request, "supporters/admin/merge.html", context)


def merge_chosen(request: HttpRequest, chosen: QuerySet[Supporter]) -> HttpResponseRedirect | None:
    """From the list of supporters: two are ticked."""
    pks = list(chosen.order_by("pk").values_list("pk", flat=True)[:3])
    if len(pks) != 2:
        messages.error(request, _("Tick the two records that are one person, and no others."))
        return None
    return redirect("admin:supporters_supporter_merge", *pks)


def merges_of(supporter: Supporter) -> SafeString | str:
    """The records that were merged into one, each with a way back, for its page."""
    rows = [
        (
            gettext("Record %(number)s, %(when)s") % {"number": merge.away_pk, "when": _when(merge.merged_at)},
            _way_back(merge, " · "),
        )
        for merge in supporter.merges.standing().order_by("-pk")[:20]
    ]
    return format_html_join(mark_safe("<br>"), "{}{}", rows) or "—"


def _way_back(merge: Merge, before: str = "") -> SafeString | str:
    """The link by which it is undone; nothing where there is no undoing it."""
    if merge.undone_at or merge.settled_at:
        return ""
    link = reverse("admin:supporters_merge_undo", args=[merge.pk])
    return format_html('{}<a class="font-medium underline" href="{}">{}</a>', before, link, gettext("Undo…"))


@admin.register(Merge)
class MergeAdmin(ExportedList, ReadOnlyAdmin):
    """The log: who merged what, and what was undone."""

    listing = "merges"

    list_display = ["merged_at", "record", "person", "went_over", "sure", "by_whom", "batch_of", "standing", "back"]
    list_display_links = None
    list_filter = ["batch"]
    list_select_related = ["survivor", "merged_by", "batch"]
    sortable_by = ["merged_at"]
    ordering = ["-pk"]
    search_fields = ["=away_pk"]
    search_help_text = _("The number of a record that was merged away.")

    def get_urls(self) -> list:
        undo = self.admin_site.admin_view(self._undo)
        return [path("<int:pk>/undo/", undo, name="supporters_merge_undo"), *super().get_urls()]

    @display(description=_("Record"))
    def record(self, merge: Merge) -> str:
        return str(merge.away_pk)

    @display(description=_("Is part of"))
    def person(self, merge: Merge) -> SafeString:
        link = reverse("admin:supporters_supporter_change", args=[merge.survivor_id])
        return format_html('<a class="font-medium underline" href="{}">{}</a>', link, merge.survivor)

    @display(description=_("Went over"))
    def went_over(self, merge: Merge) -> str:
        parts = [
            f"{move.label}: {merge.numbers[move.name]}"
            for move in moves()
            if move.shown and move.name in merge.numbers
        ]
        return ", ".join(parts) or "—"

    @display(description=_("How sure"))
    def sure(self, merge: Merge) -> str:
        return f"{min(int(merge.probability * 100), 99)} %" if merge.probability is not None else "—"

    @display(description=_("By"))
    def by_whom(self, merge: Merge) -> str:
        return str(merge.merged_by or "—")

    @display(description=_("Batch"))
    def batch_of(self, merge: Merge) -> SafeString | str:
        if merge.batch_id is None:
            return "—"
        link = reverse("admin:supporters_mergebatch_change", args=[merge.batch_id])
        return format_html('<a class="underline" href="{}">{}</a>', link, merge.batch_id)

    @display(description=_("State"), label={"stands": "success", "settled": "success", "undone": "warning"})
    def standing(self, merge: Merge) -> tuple[str, str]:
        if merge.settled_at:
            return "settled", gettext("Merged for good")
        return ("undone", gettext("Undone")) if merge.undone_at else ("stands", gettext("Merged"))

    @display(description="")
    def back(self, merge: Merge) -> SafeString | str:
        return _way_back(merge)

    def _undo(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then make two of the person again."""
        if not request.user.has_perm(MERGE):
            return self._refused(request)
        merge = get_object_or_404(Merge.objects.standing().select_related("survivor"), pk=pk)
        page = reverse("admin:supporters_supporter_change", args=[merge.survivor_id])
        if request.method == "POST":
            try:
                merging.undo(pk, by=request.user)
            except merging.CannotUndo as problem:
                messages.error(request, str(problem))
                return redirect(page)
            messages.success(request, _("They are two records again, and will not be proposed as doubles."))
            return redirect("admin:supporters_supporter_change", merge.away_pk)
        return form_page(
            request,
            StaffForm(),
            title=gettext("Make two records of %(name)s again?") % {"name": merge.survivor},
            submit=gettext("Undo the merge"),
            back=page,
            text=gettext("Record %(number)s was merged into this one on %(when)s.")
            % {"number": merge.away_pk, "when": _when(merge.merged_at)},
            points=[
                gettext(
                    "Each record gets back what was its own: names, addresses, gifts, signatures, consents and the rest."
                ),
                gettext(
                    "What came since the merge stays with this record; what was changed on it since stays changed."
                ),
                gettext("If the person has said no to something since, it holds for both."),
                gettext("Whatever Mailchimp was told is made good with the next sync."),
            ],
        )

    def _refused(self, request: HttpRequest) -> HttpResponse:
        messages.error(request, _("Merging and undoing takes the role “Data manager”."))
        return redirect("admin:supporters_merge_changelist")


def _sides(request: HttpRequest, one: Supporter, other: Supporter) -> tuple[Supporter, Supporter]:
    """The record that stays, as asked for or by the rule, and the other."""
    keep = request.POST.get("keep") or request.GET.get("keep", "")
    if keep == str(one.pk):
        return one, other
    if keep == str(other.pk):
        return other, one
    return merging.survivor_of(one, other)


def _said(request: HttpRequest, choice: Choice) -> bool:
    return choice.open and request.method == "POST" and request.POST.get(choice.name) in {SURVIVOR, AWAY}


def _probability(pair: QuerySet[Double]) -> float | None:
    return pair.exclude(found_by=Double.FoundBy.STAFF).values_list("probability", flat=True).first()


def _merged(act: Merge, survivor: Supporter) -> SafeString:
    return format_html(
        '{} <a class="underline" href="{}">{}</a>',
        gettext("The two are one record now, %(name)s.") % {"name": survivor},
        reverse("admin:supporters_merge_undo", args=[act.pk]),
        gettext("Undo…"),
    )


def _shown(choice: Choice) -> Mapping[str, Any]:
    return {
        "name": choice.name,
        "label": choice.label,
        "open": choice.open,
        "differs": choice.differs,
        "why": choice.why,
        "sides": [
            {"side": side, "value": _text(choice, values), "taken": choice.taken == side}
            for side, values in ((SURVIVOR, choice.survivor), (AWAY, choice.away))
        ],
    }


def _text(choice: Choice, values: tuple) -> str:
    if choice.name == "organisation_id":
        return str(Organisation.objects.filter(pk=values[0]).first() or "") if values[0] else ""
    return ", ".join(formats.localize(value) if hasattr(value, "year") else str(value) for value in values if value)


def _facts(*people: Supporter) -> list[tuple[str, list[str]]]:
    """What tells two people apart beside their fields."""
    return [
        (gettext("On file since"), [_when(one.created_at) for one in people]),
        (gettext("Has given"), [_given(one) for one in people]),
        (gettext("Has signed"), [str(one.signatures.filter(state="validated").count() or "") for one in people]),
        (
            gettext("References"),
            [", ".join(map(str, one.references.order_by("pk")[:5])) for one in people],
        ),
        (gettext("Tags"), [", ".join(map(str, one.tags.all()[:10])) for one in people]),
    ]


def _given(person: Supporter) -> str:
    rows = (
        person.donations.received()
        .values("currency")
        .annotate(sum=Sum("amount"), number=Count("pk"), first=Min("received_on"))
    )
    parts = []
    for row in rows.order_by("currency"):
        gifts = ngettext("%(number)d gift", "%(number)d gifts", row["number"]) % {"number": row["number"]}
        parts.append(f"{figures.money(row['sum'], row['currency'])} ({gifts})")
    return ", ".join(parts)


def _when(moment: Any) -> str:
    return formats.date_format(timezone.localtime(moment), "DATE_FORMAT")
