from decimal import Decimal

from babel.numbers import format_currency
from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateFilter
from unfold.decorators import action, display

from supporters.admin.base import ReadOnlyAdmin, RecordAdmin, SearchedByPerson, search
from supporters.admin.exporting import ExportedList
from supporters.admin.pages import StaffForm, form_page
from supporters.giving import RefundProblem, refund
from supporters.models import Donation, RecurringDonation, Refund, Supporter
from supporters.models.supporter import words_in

_SETTLED = ["amount", "currency", "state", "supporter", "provider", "provider_id"]
"""What stands once money has moved. By the provider's id an event that comes again is known."""


def in_words(amount: Decimal, currency: str) -> str:
    """An amount as it is written in the reader's language."""
    return format_currency(amount, currency, locale=(get_language() or "en").replace("-", "_"))


def money(record: Donation | RecurringDonation) -> str:
    return in_words(record.amount, record.currency)


class RefundInline(TabularInline):
    model = Refund
    extra = 0
    max_num = 0
    can_delete = False
    fields = ["refunded_on", "amount", "reason", "provider_id"]

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class RefundForm(StaffForm):
    amount = forms.DecimalField(label=_("Amount"), max_digits=14, decimal_places=2)
    refunded_on = forms.DateField(label=_("On"), initial=timezone.localdate)
    reason = forms.CharField(label=_("Why"), max_length=250, required=False)


@admin.register(Donation)
class DonationAdmin(ExportedList, RecordAdmin):
    listing = "donations"
    list_display = ["amount_in_words", "supporter", "received_on", "method", "status", "source_code", "designation"]
    list_display_links = ["amount_in_words"]
    list_filter = [
        ("state", ChoicesDropdownFilter),
        ("method", ChoicesDropdownFilter),
        ("received_on", RangeDateFilter),
    ]
    list_select_related = []
    list_prefetch = ["supporter"]
    sortable_by = ["amount_in_words", "received_on"]
    search_fields = ["provider_id"]
    search_help_text = _("Source code or transaction id, exactly; or the donor's name or address.")
    ordering = ["-received_on", "-pk"]
    autocomplete_fields = ["supporter", "recurring"]
    readonly_fields = ["created_at"]
    inlines = [RefundInline]
    actions_detail = ["give_back"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "supporter",
                    ("amount", "currency"),
                    ("method", "state"),
                    "received_on",
                    ("source_code", "designation"),
                ]
            },
        ),
        (_("Payment"), {"fields": [("provider", "provider_id"), "recurring", "created_at"]}),
    ]

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        term = search_term.strip()[:100]
        if not term:
            return queryset, False
        exact = Donation.objects.filter(provider_id=term).values_list("pk")
        by_source = Donation.objects.filter(source_code=term).values_list("pk")
        people = Supporter.objects.matching(term).values("pk")
        fuzzy = by_source.union(Donation.objects.filter(supporter__in=people).values_list("pk"), all=True)
        condition = Q(source_code=term) | words_in("supporter__search", term)
        return search(queryset, exact, fuzzy, condition), False

    def get_readonly_fields(self, request: HttpRequest, obj: Donation | None = None) -> list[str]:
        fixed = [] if obj is None or obj.state == Donation.State.PENDING else _SETTLED
        return [*super().get_readonly_fields(request, obj), *fixed]

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False  # the books keep every gift

    @display(description=_("Amount"), ordering="amount")
    def amount_in_words(self, donation: Donation) -> str:
        return money(donation)

    @display(
        description=_("State"),
        ordering="state",
        label={"received": "success", "pending": "info", "refunded": "warning", "failed": "danger"},
    )
    def status(self, donation: Donation) -> tuple[str, str]:
        return donation.state, donation.get_state_display()

    @action(description=_("Refund…"), url_path="refund", icon="undo", permissions=["refund"])
    def give_back(self, request: HttpRequest, object_id: int) -> HttpResponse:
        donation = get_object_or_404(Donation, pk=object_id)
        back = reverse("admin:supporters_donation_change", args=[donation.pk])
        form = RefundForm(request.POST or None, initial={"amount": donation.amount})
        if request.method == "POST" and form.is_valid():
            try:
                refund(donation, **form.cleaned_data)
            except RefundProblem as problem:
                form.add_error(None, str(problem))
            else:
                self.log_change(request, donation, gettext("Refunded."))
                self.message_user(request, _("The refund is recorded."))
                return HttpResponseRedirect(back)
        return form_page(
            request,
            form,
            title=gettext("Refund %(amount)s") % {"amount": money(donation)},
            submit=gettext("Record the refund"),
            back=back,
            text=gettext("This records that money went back; it moves none."),
        )

    def has_refund_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("supporters.add_refund")


@admin.register(RecurringDonation)
class RecurringDonationAdmin(ExportedList, SearchedByPerson, RecordAdmin):
    listing = "recurring-donations"
    list_display = ["amount_in_words", "supporter", "interval", "state", "next_due_on", "source_code"]
    list_filter = [("state", ChoicesDropdownFilter), ("interval", ChoicesDropdownFilter)]
    list_select_related = []
    list_prefetch = ["supporter"]
    sortable_by = []
    ordering = ["-pk"]
    autocomplete_fields = ["supporter"]

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    @display(description=_("Amount"), ordering="amount")
    def amount_in_words(self, agreement: RecurringDonation) -> str:
        return money(agreement)


@admin.register(Refund)
class RefundAdmin(SearchedByPerson, ReadOnlyAdmin):
    person_path = "donation__supporter"
    list_display = ["amount", "donation", "refunded_on", "reason"]
    list_select_related = []
    list_prefetch = ["donation"]
    ordering = ["-refunded_on", "-pk"]
