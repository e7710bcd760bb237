from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action
from unfold.widgets import UnfoldAdminEmailInputWidget

from supporters import consent
from supporters.addresses import AddressError, normalise_email
from supporters.admin import receipts
from supporters.admin.base import ReadOnlyAdmin, RecordAdmin, SearchedByPerson
from supporters.models import Consent, Suppression


@admin.register(Consent)
class ConsentAdmin(SearchedByPerson, ReadOnlyAdmin):
    list_display = ["supporter", "purpose", "state", "method", "happened_at", "source"]
    list_filter = [
        ("purpose", ChoicesDropdownFilter),
        ("state", ChoicesDropdownFilter),
        ("method", ChoicesDropdownFilter),
    ]
    list_select_related = []
    list_prefetch = ["supporter"]
    sortable_by = []
    ordering = ["-pk"]
    actions_detail = ["receipt"]

    @action(description=_("Receipt"), url_path="receipt", icon="receipt_long", permissions=["view"])
    def receipt(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return receipts.of_line(request, get_object_or_404(Consent.objects.select_related("supporter"), pk=object_id))


class SuppressionForm(forms.ModelForm):
    address = forms.EmailField(
        label=_("Email address"), help_text=_("Only a hash of it is kept."), widget=UnfoldAdminEmailInputWidget
    )

    class Meta:
        model = Suppression
        fields = ["address"]

    def clean_address(self) -> str:
        try:
            return normalise_email(self.cleaned_data["address"])
        except AddressError as error:
            raise forms.ValidationError(str(error)) from None

    def save(self, commit: bool = True) -> Suppression:
        email = self.cleaned_data["address"]
        consent.suppress(email, Suppression.Reason.BY_HAND)
        self.instance = consent.suppressions_of(email).get(reason=Suppression.Reason.BY_HAND)
        return self.instance

    def save_m2m(self) -> None:
        """There is nothing of the kind."""


@admin.register(Suppression)
class SuppressionAdmin(RecordAdmin):
    form = SuppressionForm
    list_display = ["reason", "created_at"]
    list_filter = [("reason", ChoicesDropdownFilter)]
    ordering = ["-pk"]
    search_fields = ["reason"]
    search_help_text = _("A whole email address.")

    def get_search_results(self, request: HttpRequest, queryset: object, search_term: str) -> tuple:
        if not search_term.strip():
            return queryset, False
        try:
            email = normalise_email(search_term)
        except AddressError:
            return queryset.none(), False
        return queryset.filter(pk__in=consent.suppressions_of(email)), False

    def save_model(self, request: HttpRequest, obj: object, form: SuppressionForm, change: bool) -> None:
        """The form has written it."""

    def has_change_permission(self, request: HttpRequest, obj: Suppression | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Suppression | None = None) -> bool:
        by_hand = obj is None or obj.reason == Suppression.Reason.BY_HAND
        return by_hand and super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict:
        return {}  # lifting goes one by one: the list mixes reasons
