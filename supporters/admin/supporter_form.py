from django import forms
from django.utils.translation import gettext_lazy as _

from supporters.admin.reading import AddressField, CountryField, LanguageField, LineField
from supporters.hygiene.contact import contact_of
from supporters.models import Supporter


class SupporterForm(forms.ModelForm):
    """Reads what staff write as every other door does."""

    first_name = LineField(label=_("First name"), max_length=150, required=False)
    last_name = LineField(label=_("Last name"), max_length=150, required=False)
    email = AddressField(label=_("Email"), max_length=320, required=False)
    phone = LineField(label=_("Phone"), max_length=40, required=False)
    country = CountryField(label=_("Country"))
    language = LanguageField(label=_("Language"))
    street = LineField(label=_("Street"), max_length=250, required=False)
    postcode = LineField(label=_("Postcode"), max_length=20, required=False)
    city = LineField(label=_("City"), max_length=120, required=False)
    region = LineField(label=_("Region"), max_length=120, required=False)

    class Meta:
        model = Supporter
        fields = "__all__"  # noqa: DJ007 - the admin's fieldsets say which

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["phone"] = self.instance.phone_shown

    def clean(self) -> dict:
        said = super().clean()
        if not self.errors:
            # A number that was only shown is not read again: another country would make another number of it.
            news = {name: text for name, text in said.items() if name != "phone" or "phone" in self.changed_data}
            said |= contact_of(self.instance if self.instance.pk else Supporter(phone=""), news)
        return said
