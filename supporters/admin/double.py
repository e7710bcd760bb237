"""The list of people who may be on file twice: supporters.matching."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display

from supporters.admin.base import ReadOnlyAdmin
from supporters.admin.exporting import ExportedList
from supporters.admin.hinting import merge_link
from supporters.matching import deciding
from supporters.matching.explaining import sentence
from supporters.models import Double, Supporter


@admin.register(Double)
class DoubleAdmin(ExportedList, ReadOnlyAdmin):
    listing = "doubles"
    list_display = ["sure", "one", "other", "why"]
    list_display_links = None
    list_filter = [
        ("state", ChoicesDropdownFilter),
        ("found_by", ChoicesDropdownFilter),
        "loose",
        "certain",
    ]
    list_select_related = []
    list_prefetch = ["first", "second"]
    sortable_by = []
    ordering = ["-probability", "-pk"]
    actions = ["keep_apart", "reconsider"]
    actions_list = ["merge_certain"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Those to be looked at, unless others are asked for by the filter."""
        rows = super().get_queryset(request)
        asked = request.method == "POST" or any(name.startswith("state") for name in request.GET)
        return rows if asked else rows.open()

    @action(description=_("Merge the certain ones…"), url_path="certain", permissions=["merge_certain"])
    def merge_certain(self, request: HttpRequest) -> HttpResponseRedirect:
        return redirect("admin:supporters_mergebatch_start")

    def has_merge_certain_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("supporters.merge_supporter_batch")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("supporters.decide_double")

    @display(description=_("How sure"))
    def sure(self, double: Double) -> SafeString:
        """In words and in percent, with what there is to do."""
        lines = [
            format_html("<b>{}</b>", likelihood(double.probability)),
            f"{min(int(double.probability * 100), 99)} %",
        ]
        if double.loose or double.cluster_size > 2:
            lines.append(_group(double))
        if double.state == Double.State.OPEN:
            lines.append(merge_link(double.first_id, double.second_id))
        else:
            lines.append(format_html("<i>{}</i>", double.get_state_display()))
        return _several(format_html_join(mark_safe("<br>"), "{}", ((line,) for line in lines if line)))

    @display(description=_("Person"))
    def one(self, double: Double) -> SafeString:
        return known_person(double.first)

    @display(description=_("Perhaps the same"))
    def other(self, double: Double) -> SafeString:
        return known_person(double.second)

    @display(description=_("Why"))
    def why(self, double: Double) -> SafeString:
        told = sentence(double.evidence) or gettext("Staff told them apart when one of them came in.")
        return _several(told)

    @action(description=_("Not the same person"), permissions=["decide"])
    def keep_apart(self, request: HttpRequest, queryset: QuerySet) -> None:
        pks = list(queryset.values_list("pk", flat=True))
        count = deciding.keep_apart(pks, request.user)
        told = ngettext(
            "%(number)d pair is kept apart, and will not be proposed again.",
            "%(number)d pairs are kept apart, and will not be proposed again.",
            count,
        )
        messages.success(request, told % {"number": count})

    @action(description=_("Look at it again"), permissions=["decide"])
    def reconsider(self, request: HttpRequest, queryset: QuerySet) -> None:
        count = deciding.reconsider(list(queryset.values_list("pk", flat=True)))
        told = ngettext("%(number)d pair is open again.", "%(number)d pairs are open again.", count)
        messages.success(request, told % {"number": count})


def likelihood(probability: float) -> str:
    if probability >= 0.99:
        return gettext("Nearly certain")
    if probability >= 0.9:
        return gettext("Very likely")
    return gettext("Likely") if probability >= 0.7 else gettext("Possible")


def _group(double: Double) -> str:
    people = ngettext("%(number)d person", "%(number)d people", double.cluster_size)
    text = people % {"number": double.cluster_size}
    return gettext("%(people)s: look closely") % {"people": text} if double.loose else text


def known_person(supporter: Supporter) -> SafeString:
    """Name with a way to the record, and what tells two people of one name apart."""
    place = " ".join(filter(None, [supporter.postcode, supporter.city]))
    born = supporter.birth_date.isoformat() if supporter.birth_date else ""
    known = ", ".join(filter(None, [supporter.email, born, supporter.phone_shown, supporter.street, place]))
    link = reverse("admin:supporters_supporter_change", args=[supporter.pk])
    return _several(
        format_html('<a class="font-medium underline" href="{}">{}</a><br>{}', link, str(supporter), known)
    )


def _several(lines: str) -> SafeString:
    """A cell of more than one line: as high as it has to be, on a phone too (staff.css)."""
    return format_html('<span class="several">{}</span>', lines)
