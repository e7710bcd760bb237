from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action
from unfold.widgets import UnfoldAdminEmailInputWidget

from supporters import consent
from supporters.addresses import AddressError, normalise_email
from supporters.admin import receipts
from supporters.admin.base import ReadOnlyAdmin, RecordAdmin, SearchedByPerson
from supporters.admin.pages import StaffForm, form_page
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


class LiftForm(StaffForm):
    why = forms.CharField(
        label=_("Why"),
        max_length=200,
        help_text=_("How and when they asked for it. Name nobody: it is kept after the person is gone."),
    )


@admin.register(Suppression)
class SuppressionAdmin(RecordAdmin):
    form = SuppressionForm
    actions_detail = ["lift"]
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

    @action(description=_("Lift…"), url_path="lift", icon="lock_open", permissions=["lift"])
    def lift(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """End what its owner said to hold for good: only because they wrote to us themselves."""
        suppression = get_object_or_404(Suppression, pk=object_id, reason=Suppression.Reason.NEVER)
        back = reverse("admin:supporters_suppression_changelist")
        form = LiftForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            self.log_change(request, suppression, gettext("Lifted: %(why)s") % {"why": form.cleaned_data["why"]})
            suppression.delete()
            self.message_user(
                request,
                _("It is lifted. Nothing goes there before they say yes again, by signing or on their own page."),
            )
            return HttpResponseRedirect(back)
        return form_page(
            request,
            form,
            title=gettext("Lift “never write to this address again”?"),
            submit=gettext("Lift it"),
            back=back,
            danger=True,
            text=gettext(
                "Whoever reads this address said that it holds for good. Lift it only if they ask you to, from there."
            ),
        )

    def has_lift_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        said = object_id is None or Suppression.objects.filter(pk=object_id, reason=Suppression.Reason.NEVER).exists()
        return said and request.user.has_perm("supporters.delete_suppression")

    def get_actions(self, request: HttpRequest) -> dict:
        return {}  # lifting goes one by one: the list mixes reasons
