from django.contrib import admin, messages
from django.db.models import BigIntegerField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import StackedInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import action, display

from supporters import signing
from supporters.admin.base import RecordAdmin, SearchedByPerson
from supporters.admin.exporting import ExportedList, export_link
from supporters.models import Letter, Petition, PetitionText, Signature, SignatureCount, Tally
from supporters.public import address


class PetitionTextInline(StackedInline):
    model = PetitionText
    extra = 0
    tab = True


@admin.register(Petition)
class PetitionAdmin(RecordAdmin):
    list_display = ["title", "state", "signed", "goal", "opens_at", "closes_at"]
    list_filter = [("state", ChoicesDropdownFilter)]
    search_fields = ["title", "slug"]
    prepopulated_fields = {"slug": ["title"]}
    inlines = [PetitionTextInline]
    list_per_page = 20
    actions_detail = ["export_totals", "show_poster"]
    fieldsets = [
        (None, {"fields": ["title", "slug", "target", ("goal", "state"), "opens_at", "closes_at"]}),
        (_("The page"), {"fields": ["asks_postcode", "shows_signers"]}),
    ]

    def view_on_site(self, petition: Petition) -> str | None:
        """The page for supporters; a draft has none yet."""
        return None if petition.state == Petition.State.DRAFT else address("petition", slug=petition.slug)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        counted = SignatureCount.objects.filter(petition=OuterRef("pk")).order_by().values("petition")
        batches = Tally.objects.counted().filter(petition=OuterRef("pk")).order_by().values("petition")
        online, elsewhere = (
            Coalesce(Subquery(each.annotate(sum=Sum("number")).values("sum")), 0, output_field=BigIntegerField())
            for each in (counted, batches)
        )
        return super().get_queryset(request).annotate(signed_number=online + elsewhere)

    @action(description=_("Export totals…"), url_path="export-totals", icon="download", permissions=["view"])
    def export_totals(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return redirect(export_link("petition-totals", petition=object_id))

    @action(description=_("Poster to print"), url_path="poster", icon="qr_code_2", permissions=["view"])
    def show_poster(self, request: HttpRequest, object_id: int) -> HttpResponse:
        petition = get_object_or_404(Petition, pk=object_id)
        if petition.state == Petition.State.DRAFT:
            self.message_user(request, _("A draft has no page yet: open the petition first."), messages.WARNING)
            return redirect("admin:supporters_petition_change", object_id)
        return redirect(address("poster", slug=petition.slug))

    @display(description=_("Signatures"))
    def signed(self, petition: Petition) -> int:
        return petition.signed_number


@admin.register(Signature)
class SignatureAdmin(ExportedList, SearchedByPerson, RecordAdmin):
    listing = "signatures"
    list_display = ["supporter", "petition", "state", "country", "organisation", "source_code", "created_at"]
    list_filter = [("state", ChoicesDropdownFilter), ("petition", AutocompleteSelectFilter)]
    list_select_related = []
    list_prefetch = ["supporter", "petition", "organisation"]
    sortable_by = ["created_at"]
    autocomplete_fields = ["supporter", "petition", "organisation"]
    ordering = ["-created_at", "-pk"]
    readonly_fields = ["state", "created_at", "validated_at"]
    actions = ["validate", "invalidate"]
    fieldsets = [
        (
            None,
            {"fields": ["petition", "supporter", ("state", "validated_at"), ("country", "language"), "organisation"]},
        ),
        (_("Said"), {"fields": ["comment", "source_code", "created_at"]}),
    ]

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    @action(description=_("Count the chosen signatures"), permissions=["change"])
    def validate(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._say(request, signing.validate(queryset))

    @action(description=_("Take the chosen signatures out of the count"), permissions=["change"])
    def invalidate(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._say(request, signing.invalidate(queryset))

    def _say(self, request: HttpRequest, number: int) -> None:
        text = ngettext("%(number)s signature changed.", "%(number)s signatures changed.", number)
        self.message_user(request, text % {"number": number})


@admin.register(Letter)
class LetterAdmin(RecordAdmin):
    """What was sent to single people, for whoever asks why a letter did not come."""

    list_display = ["kind", "signature", "language", "state", "due_at", "times", "error"]
    list_filter = [("state", ChoicesDropdownFilter), ("kind", ChoicesDropdownFilter)]
    ordering = ["-pk"]
    sortable_by = []

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False
