"""The list of people who may be on file twice: supporters.matching."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
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
    list_display = ["sure", "one", "other", "why", "group", "status", "compare"]
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
    def sure(self, double: Double) -> str:
        return f"{min(int(double.probability * 100), 99)} %"

    @display(description=_("Person"))
    def one(self, double: Double) -> SafeString:
        return known_person(double.first)

    @display(description=_("Perhaps the same"))
    def other(self, double: Double) -> SafeString:
        return known_person(double.second)

    @display(description=_("Why"))
    def why(self, double: Double) -> SafeString:
        return format_html(
            '<span style="white-space: normal; display: inline-block; min-width: 16rem">{}</span>',
            sentence(double.evidence),
        )

    @display(description=_("Group"), label={"loose": "warning", "more": "info"})
    def group(self, double: Double) -> tuple[str, str] | str:
        people = ngettext("%(number)d person", "%(number)d people", double.cluster_size)
        text = people % {"number": double.cluster_size}
        if double.loose:
            return "loose", gettext("%(people)s: look closely") % {"people": text}
        return ("more", text) if double.cluster_size > 2 else ""

    @display(
        description=_("State"), ordering="state", label={"open": "info", "merged": "success", "different": "warning"}
    )
    def status(self, double: Double) -> tuple[str, str]:
        return double.state, double.get_state_display()

    @display(description="")
    def compare(self, double: Double) -> SafeString | str:
        if double.state != Double.State.OPEN:
            return ""
        return merge_link(double.first_id, double.second_id)

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


def known_person(supporter: Supporter) -> SafeString:
    """Name with a way to the record, and what tells two people of one name apart."""
    place = " ".join(filter(None, [supporter.postcode, supporter.city]))
    born = supporter.birth_date.isoformat() if supporter.birth_date else ""
    known = ", ".join(filter(None, [supporter.email, born, supporter.phone_shown, supporter.street, place]))
    return format_html(
        '<a class="font-medium underline" href="{}">{}</a><br>'
        '<span style="white-space: normal; display: inline-block; min-width: 12rem">{}</span>',
        reverse("admin:supporters_supporter_change", args=[supporter.pk]),
        str(supporter),
        known,
    )
