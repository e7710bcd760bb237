"""What was pledged, what providers told, and what is in doubt."""

from datetime import date
from uuid import uuid4

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.dataclasses import UnfoldAction
from unfold.decorators import action, display

from supporters import finding, money
from supporters.addresses import AddressError, normalise_email
from supporters.admin.base import ReadOnlyAdmin
from supporters.admin.donation import in_words
from supporters.admin.pages import StaffForm, form_page
from supporters.models import Dispute, PaymentEvent, Pledge, Supporter
from supporters.payments import applying, bankfile, references, storing
from supporters.payments.applying import Undecidable
from supporters.payments.books import Approval
from supporters.payments.events import Unreadable
from supporters.payments.incoming import Incoming
from supporters.payments.stripe.client import StripeError

MOST_BYTES = 20_000_000
State = PaymentEvent.State


@admin.register(Pledge)
class PledgeAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "amount_in_words", "interval", "method", "status", "reference", "supporter"]
    list_filter = [("state", ChoicesDropdownFilter), ("method", ChoicesDropdownFilter)]
    list_select_related = []
    list_prefetch = ["supporter"]
    sortable_by = ["created_at"]
    search_fields = ["=reference", "=email", "=session_id"]
    search_help_text = gettext_lazy("A whole reference or address.")
    ordering = ["-created_at"]
    fields = [
        *(
            "created_at",
            "amount_in_words",
            "interval",
            "method",
            "state",
            "reference",
            "first_name",
            "last_name",
            "email",
        ),
        *("language", "source_code", "organisation", "supporter", "donation", "recurring", "session_id"),
    ]
    readonly_fields = ["amount_in_words"]

    @display(description=gettext_lazy("amount"))
    def amount_in_words(self, pledge: Pledge) -> str:
        return in_words(pledge.amount, pledge.currency)

    @display(
        description=gettext_lazy("state"),
        label={"paid": "success", "waiting": "info", "failed": "danger", "lapsed": "warning"},
    )
    def status(self, pledge: Pledge) -> tuple[str, str]:
        return pledge.state, pledge.get_state_display()


class ApprovalForm(StaffForm):
    reference = forms.CharField(
        label=gettext_lazy("Reference of the pledge"),
        required=False,
        max_length=40,
        help_text=gettext_lazy("If you know better than the payer which pledge it belongs to."),
    )
    email = forms.CharField(
        label=gettext_lazy("Email of the donor"),
        required=False,
        max_length=254,
        help_text=gettext_lazy("Somebody on file. With neither, a gift that names nobody is booked as anonymous."),
    )

    def clean_reference(self) -> str:
        text = self.cleaned_data["reference"]
        reference = references.found_in(text)
        if text and not Pledge.objects.filter(reference=reference).exists():
            raise forms.ValidationError(_("There is no pledge with this reference."))
        return reference

    def clean_email(self) -> Supporter | None:
        if not self.cleaned_data["email"]:
            return None
        try:
            found = finding.by_email(normalise_email(self.cleaned_data["email"]))
        except AddressError:
            found = None
        if found is None:
            raise forms.ValidationError(_("Nobody on file has this address."))
        return found


class MoneyForm(StaffForm):
    method = forms.ChoiceField(
        label=gettext_lazy("How it came"), choices=[("swish", "Swish"), ("bank", gettext_lazy("Bank"))]
    )
    reference = forms.CharField(label=gettext_lazy("Reference or message"), max_length=140, required=False)
    amount = forms.DecimalField(label=gettext_lazy("Amount"), max_digits=12, decimal_places=2, min_value=0)
    currency = forms.ChoiceField(label=gettext_lazy("Currency"))
    came_on = forms.DateField(label=gettext_lazy("On"), initial=timezone.localdate)
    name = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    """Made with the form, so that sending it twice is once."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        currencies = [(code, code) for code in settings.GIVING_AMOUNTS]
        self.fields["currency"].choices = self.fields["currency"].widget.choices = currencies

    def clean_came_on(self) -> date:
        if self.cleaned_data["came_on"] > timezone.localdate():
            raise forms.ValidationError(_("This day has not come yet."))
        return self.cleaned_data["came_on"]

    def clean(self) -> dict:
        said = self.cleaned_data
        if "amount" in said and "currency" in said:
            try:
                said["minor"] = money.to_minor(said["amount"], said["currency"])
            except ValueError:
                self.add_error("amount", _("This currency has no smaller unit."))
            else:
                if said["minor"] <= 0:
                    self.add_error("amount", _("An amount is above 0."))
        return said

    def incoming(self) -> Incoming:
        said = self.cleaned_data
        reference = references.found_in(said["reference"])
        return Incoming(
            f"hand-{said['name'].hex}",
            said["minor"],
            said["currency"],
            said["came_on"],
            reference,
            "",
            said["reference"],
        )


class FileForm(StaffForm):
    file = forms.FileField(label=gettext_lazy("File of the bank (camt.053 or camt.054)"))

    def clean_file(self) -> list[Incoming]:
        if self.cleaned_data["file"].size > MOST_BYTES:
            raise forms.ValidationError(_("This file is too large."))
        try:
            return bankfile.read(self.cleaned_data["file"].read())
        except Unreadable as problem:
            raise forms.ValidationError(
                _("This is no file that we can read (%(why)s). Ask your bank for camt.053 or camt.054.")
                % {"why": problem}
            ) from None


@admin.register(PaymentEvent)
class PaymentEventAdmin(ReadOnlyAdmin):
    list_display = ["received_at", "provider", "kind", "status", "doubt", "note", "gift"]
    list_filter = [
        ("state", ChoicesDropdownFilter),
        ("provider", ChoicesDropdownFilter),
        ("doubt", ChoicesDropdownFilter),
    ]
    list_select_related = []
    list_prefetch = ["donation"]
    sortable_by = []
    search_fields = ["=event_id"]
    search_help_text = gettext_lazy("The provider's id, whole.")
    ordering = ["-pk"]
    actions_detail = ["approve", "refuse"]
    actions_list = ["record_money", "load_file"]
    fields = [
        *(
            "provider",
            "kind",
            "event_id",
            "happened_at",
            "received_at",
            "state",
            "doubt",
            "note",
            "waits_for",
            "gift",
        ),
        *("done_at", "decided_by", "as_told"),
    ]
    readonly_fields = ["gift", "as_told"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PaymentEvent]:
        return super().get_queryset(request).defer("payload")

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[UnfoldAction]:
        """Only where there is something to decide."""
        return super().get_actions_detail(request, object_id) if self._waiting(object_id) else []

    @display(
        description=gettext_lazy("state"),
        label={"applied": "success", "received": "info", "review": "danger", "refused": "warning"},
    )
    def status(self, event: PaymentEvent) -> tuple[str, str]:
        return event.state, event.get_state_display()

    @display(description=gettext_lazy("donation"))
    def gift(self, event: PaymentEvent) -> str:
        if event.donation is None:
            return "–"
        link = reverse("admin:supporters_donation_change", args=[event.donation_id])
        amount = in_words(event.donation.amount, event.donation.currency)
        return format_html('<a href="{}" class="text-link">{}</a>', link, amount)

    @display(description=gettext_lazy("as it came"))
    def as_told(self, event: PaymentEvent) -> str:
        if not event.payload:
            return _("Not kept any more.")
        return format_html(
            '<pre style="white-space: pre-wrap; overflow-wrap: anywhere">{}</pre>', event.payload[:20_000]
        )

    def has_settle_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return request.user.has_perm("supporters.settle_paymentevent")

    @action(description=gettext_lazy("Approve…"), url_path="approve", icon="check", permissions=["settle"])
    def approve(self, request: HttpRequest, object_id: int) -> HttpResponse:
        event = self._waiting(object_id)
        if event is None:
            return self._nothing_to_decide(request, object_id)
        form = ApprovalForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            approval = Approval(form.cleaned_data["reference"], form.cleaned_data["email"])
            try:
                if not applying.approve(event, approval, request.user):
                    return self._nothing_to_decide(request, object_id)
            except Undecidable as problem:
                form.add_error(None, PaymentEvent.Doubt(str(problem)).label)
            except StripeError as problem:
                form.add_error(None, problem.for_staff)
            else:
                self.message_user(request, _("It stands in the books as it was told."), messages.SUCCESS)
                return HttpResponseRedirect(self._page(object_id))
        return form_page(
            request,
            form,
            title=_("Approve"),
            submit=_("Book it as it was told"),
            back=self._page(object_id),
            text=_("It is booked as the provider tells it, amount and currency included."),
            points=[point for point in (event.get_doubt_display(), event.note) if point],
        )

    @action(description=gettext_lazy("Refuse…"), url_path="refuse", icon="block", permissions=["settle"])
    def refuse(self, request: HttpRequest, object_id: int) -> HttpResponse:
        event = self._waiting(object_id)
        if event is None:
            return self._nothing_to_decide(request, object_id)
        if request.method == "POST":
            if not applying.refuse(event, request.user):
                return self._nothing_to_decide(request, object_id)
            self.message_user(request, _("It is left out of the books."), messages.SUCCESS)
            return HttpResponseRedirect(self._page(object_id))
        return form_page(
            request,
            StaffForm(),
            title=_("Refuse"),
            submit=_("Leave it out of the books"),
            back=self._page(object_id),
            text=_("This moves no money. If it is to go back, give it back where it came."),
            danger=True,
        )

    @action(
        description=gettext_lazy("Record money that came…"), url_path="record", icon="add", permissions=["settle"]
    )
    def record_money(self, request: HttpRequest) -> HttpResponse:
        form = MoneyForm(request.POST or None)
        back = reverse("admin:supporters_paymentevent_changelist")
        if request.method == "POST" and form.is_valid():
            told = form.incoming().told()
            provider = form.cleaned_data["method"]
            storing.keep(provider, [told])
            event = PaymentEvent.objects.get(provider=provider, event_id=told.event_id)
            in_doubt = applying.apply(event.pk) == State.REVIEW
            said = _("It needs a decision: see below why.") if in_doubt else _("It stands in the books.")
            self.message_user(request, said, messages.WARNING if in_doubt else messages.SUCCESS)
            return HttpResponseRedirect(self._page(event.pk))
        return form_page(
            request,
            form,
            title=_("Record money that came"),
            submit=_("Record it"),
            back=back,
            text=_("By its reference it finds its pledge, and the donor gets a receipt."),
        )

    @action(
        description=gettext_lazy("Load a file of the bank…"), url_path="file", icon="upload", permissions=["settle"]
    )
    def load_file(self, request: HttpRequest) -> HttpResponse:
        form = FileForm(request.POST or None, request.FILES or None)
        back = reverse("admin:supporters_paymentevent_changelist")
        if request.method == "POST" and form.is_valid():
            lines = form.cleaned_data["file"]
            new = storing.keep(PaymentEvent.Provider.BANK, [line.told() for line in lines])
            storing.wake()
            said = ngettext(
                "%(lines)d payment in the file, %(new)d of them new.",
                "%(lines)d payments in the file, %(new)d of them new.",
                len(lines),
            )
            self.message_user(request, said % {"lines": len(lines), "new": new}, messages.SUCCESS)
            return HttpResponseRedirect(back)
        return form_page(
            request,
            form,
            title=_("Load a file of the bank"),
            submit=_("Load it"),
            back=back,
            text=_(
                "Payments find their pledges by the reference. Those without one wait for a decision. What was loaded before is known."
            ),
        )

    def _waiting(self, pk: int) -> PaymentEvent | None:
        event = PaymentEvent.objects.filter(pk=pk).first()
        if event is None:
            raise Http404
        return event if event.state == State.REVIEW else None

    def _nothing_to_decide(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.message_user(request, _("There is nothing to decide here."), messages.WARNING)
        return HttpResponseRedirect(self._page(pk))

    @staticmethod
    def _page(pk: int) -> str:
        return reverse("admin:supporters_paymentevent_change", args=[pk])


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin):
    list_display = ["opened_on", "amount", "donation", "status", "reason", "closed_on"]
    list_filter = [("state", ChoicesDropdownFilter)]
    list_select_related = []
    list_prefetch = ["donation"]
    sortable_by = []
    ordering = ["-opened_on", "-pk"]

    @display(description=gettext_lazy("state"), label={"open": "danger", "won": "success", "lost": "warning"})
    def status(self, dispute: Dispute) -> tuple[str, str]:
        return dispute.state, dispute.get_state_display()
