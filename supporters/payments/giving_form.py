"""What the giving page asks."""

import re
from collections.abc import Mapping
from decimal import Decimal

from django import forms
from django.conf import settings
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from supporters import figures, money
from supporters.forms import PersonForm
from supporters.models import Organisation, Pledge
from supporters.payments import offering, references
from supporters.signing import wordings

OTHER = "other"
_AMOUNT = re.compile(r"(\d{1,9})(?:[.,\u066b](\d{1,2}))?")
"""In the digits of any script, and with the decimal point of Arabic too."""
_SPACES = re.compile(r"[\s\u00a0\u202f'’\u066c]")
MOST = 200
"""Times the largest amount of the buttons; the least is a tenth of the smallest. What lies outside is a slip, or mischief."""
Method, Interval = Pledge.Method, Pledge.Interval


class GivingForm(PersonForm):
    """An amount, a way to give it, and who gives."""

    interval = forms.ChoiceField(label=gettext_lazy("How often"), widget=forms.RadioSelect)
    amount = forms.ChoiceField(label=gettext_lazy("Amount"), widget=forms.RadioSelect)
    other = forms.CharField(label=gettext_lazy("Your own amount"), max_length=20, required=False)
    method = forms.ChoiceField(label=gettext_lazy("How you pay"), widget=forms.RadioSelect)

    def __init__(
        self,
        data: Mapping | None = None,
        *,
        currency: str,
        partner: Organisation | None = None,
        initial: Mapping | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        self.currency, self.partner = currency, partner
        self.amounts = settings.GIVING_AMOUNTS[currency]
        self.wordings = {"news": wordings.for_news()}
        ways = offering.methods(currency)
        self.fields["interval"].choices = offering.intervals()
        self.fields["interval"].initial = Interval.ONCE.value
        self.fields["method"].choices = ways
        self.fields["method"].initial = ways[0][0] if ways else None
        self.fields["amount"].choices = [
            *((str(amount), figures.money(Decimal(amount), currency, whole=True)) for amount in self.amounts),
            (OTHER, _("Another amount")),
        ]
        self.fields["amount"].initial = str(self.amounts[min(1, len(self.amounts) - 1)])
        self.fields["other"].widget.attrs["inputmode"] = "decimal"
        self._choose(self.initial)

    def _choose(self, wanted: Mapping) -> None:
        """Begin with what a link asked for, as far as the form can take it. A field is shown as `initial` says first."""
        amount, interval = wanted.get("amount", ""), wanted.get("interval", "")
        buttons = {OTHER, *(str(each) for each in self.amounts)}
        self.initial = {name: value for name, value in wanted.items() if name not in {"amount", "interval", "method"}}
        if interval in dict(self.fields["interval"].choices):
            self.initial["interval"] = interval
        if wanted.get("method") in dict(self.fields["method"].choices):
            self.initial["method"] = wanted["method"]
        if amount in buttons:
            self.initial["amount"] = amount
        elif amount:
            try:
                self._typed_amount(amount)
            except forms.ValidationError:
                return
            self.initial |= {"amount": OTHER, "other": amount}

    def clean(self) -> dict:
        said = self.cleaned_data
        # Whoever typed an amount means it, whichever button is still pressed.
        if said.get("amount") == OTHER or said.get("other"):
            try:
                said["minor_units"] = self._typed_amount(said.get("other", ""))
            except forms.ValidationError as problem:
                self.add_error("other", problem)
        elif "amount" in said:
            said["minor_units"] = money.to_minor(Decimal(said["amount"]), self.currency)
        if said.get("interval") == Interval.MONTH and said.get("method") not in {None, Method.CARD}:
            self.add_error("method", _("Monthly gifts go by card. For a standing order, ask your bank."))
        return said

    def _typed_amount(self, text: str) -> int:
        found = _AMOUNT.fullmatch(_SPACES.sub("", text))
        if not found:
            raise forms.ValidationError(_("Please write an amount in figures, such as 150."))
        amount = Decimal(f"{found[1]}.{found[2] or 0}")
        least, most = Decimal(self.amounts[0]) / 10, Decimal(self.amounts[-1] * MOST)
        if not least <= amount <= most:
            between = {"least": figures.money(least, self.currency), "most": figures.money(most, self.currency)}
            raise forms.ValidationError(_("Please give between %(least)s and %(most)s here.") % between)
        try:
            return money.to_minor(amount, self.currency)
        except ValueError:
            raise forms.ValidationError(_("This currency has no smaller unit.")) from None

    def pledge(self) -> Pledge:
        """Write down what was said, of a form that is valid."""
        said = self.cleaned_data
        return Pledge.objects.create(
            method=said["method"],
            minor_units=said["minor_units"],
            currency=self.currency,
            interval=said["interval"],
            reference=references.new(),
            email=said["email"],
            first_name=said["first_name"],
            last_name=said["last_name"],
            language=get_language(),
            source_code=self.source_code(),
            organisation=self.partner,
            news=self.wordings["news"].as_json() if said["news"] else None,
        )
