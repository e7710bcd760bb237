"""Forms that supporters fill in."""

import re
from collections.abc import Mapping
from copy import copy, deepcopy
from functools import cache
from typing import Any

from django import forms
from django.core.validators import slug_re
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from supporters import finding
from supporters.addresses import AddressError, normalise_email
from supporters.country_field import CountryField
from supporters.hygiene.contact import contact_of
from supporters.hygiene.marks import is_disposable
from supporters.hygiene.phones import show_phone
from supporters.hygiene.postcodes import read_postcode
from supporters.hygiene.text import one_line
from supporters.models import Organisation, Petition, Signature, Supporter
from supporters.public import all_languages
from supporters.signing import Typed, wordings
from supporters.signing.wordings import Wording

_DISCREETLY = gettext_lazy(
    "Write to me discreetly: neither the subject nor the sender of a message tells what it is about."
)
_TOO_MUCH = gettext_lazy("This is longer than fits here, or has characters that can't be kept.")
_ADDRESS_IN_NAME = re.compile(r"://|\bwww\.|@|\.(?:com|net|org|ru|info)\b", re.IGNORECASE)


class _Shared(dict[str, forms.Field]):
    """Fields of which no form has copies."""

    def __deepcopy__(self, memo: dict) -> dict[str, forms.Field]:
        return dict(self)


class PublicForm(forms.Form):
    """A form on a page for supporters, and how it says what is wrong."""

    autocomplete: dict[str, str] = {}
    own_words: frozenset[str] = frozenset()
    """Fields that say in words of their own that they are required."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        self.base_fields = self.in_our_words()
        super().__init__(*args, **kwargs)

    @classmethod
    @cache
    def in_our_words(cls) -> dict[str, forms.Field]:
        """The fields with their words and attributes; each form has copies of them."""
        fields = deepcopy(cls.base_fields)
        for name, field in fields.items():
            # Django's own words are not there in every language of the Union.
            field.error_messages["invalid_choice"] = gettext_lazy("Please choose one of the list.")
            for code in ("max_length", "null_characters_not_allowed"):
                field.error_messages[code] = _TOO_MUCH
            if name not in cls.own_words:
                field.error_messages["required"] = gettext_lazy("Please fill this in.")
            field.widget.attrs["autocomplete"] = cls.autocomplete.get(name, "off")
            if isinstance(field.widget, forms.EmailInput):
                field.widget.attrs |= {"autocapitalize": "none", "spellcheck": "false", "dir": "ltr"}
        return fields

    def _name(self, field: str) -> str:
        text = one_line(self.cleaned_data[field])
        if _ADDRESS_IN_NAME.search(text):
            raise forms.ValidationError(_("A name has no web or email address in it."))
        return text


def read_address(text: str) -> str:
    """The address in the spelling that records have. Raises ValidationError."""
    try:
        return normalise_email(text)
    except AddressError:
        raise forms.ValidationError(_("This is no email address. An example: anna@example.org")) from None


class AddressForm(PublicForm):
    """Somebody's email address, typed by who may be anybody."""

    email = forms.CharField(label=gettext_lazy("Email"), max_length=254, widget=forms.EmailInput)
    website = forms.CharField(required=False)
    """A field that people don't see: what fills it in is a program."""
    solved = forms.CharField(required=False)
    """A puzzle that the browser solved, for supporters.crowd."""

    autocomplete = {"email": "email"}

    def clean_email(self) -> str:
        return read_address(self.cleaned_data["email"])

    def is_from_a_program(self) -> bool:
        return bool(self.cleaned_data.get("website"))


class ConsentField(forms.BooleanField):
    """A box for a consent, beside the words that its form has for it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, **kwargs})

    def get_bound_field(self, form: "PersonForm", field_name: str) -> forms.BoundField:
        box = super().get_bound_field(form, field_name)
        box.label = form.wordings[field_name].text
        return box


class AskingForm(AddressForm):
    """Asks for the link to one's own page."""


class PersonForm(AddressForm):
    """Who fills it in: what a form on a page for supporters asks of every person."""

    first_name = forms.CharField(label=gettext_lazy("First name"), max_length=80)
    last_name = forms.CharField(label=gettext_lazy("Last name"), max_length=80, required=False)
    news = ConsentField()
    source = forms.CharField(required=False)

    autocomplete = AddressForm.autocomplete | {"first_name": "given-name", "last_name": "family-name"}
    partner: Organisation | None = None
    """Whose link brought the person."""
    wordings: Mapping[str, Wording]
    """What the boxes for consents say."""

    def clean_first_name(self) -> str:
        if not (name := self._name("first_name")):
            raise forms.ValidationError(_("Please fill this in."))
        return name

    def clean_last_name(self) -> str:
        return self._name("last_name")

    def clean_source(self) -> str:
        """A code that is none is nobody's, and no reason not to take what a person says: it comes from a link, not from them."""
        code = self.cleaned_data["source"]
        return (
            code
            if len(code) <= Signature._meta.get_field("source_code").max_length and slug_re.fullmatch(code)
            else ""
        )

    def source_code(self) -> str:
        """What brought the person, of a form that is valid."""
        return self.cleaned_data["source"] or (self.partner.source_code if self.partner else "")


class SigningForm(PersonForm):
    """What a petition asks of who signs it."""

    country = CountryField(label=gettext_lazy("Country"), nothing=gettext_lazy("Choose …"))
    postcode = forms.CharField(label=gettext_lazy("Postcode"), max_length=12, required=False)
    shown = forms.BooleanField(
        label=gettext_lazy("My first name and country may stand on this page."), required=False
    )
    discreet = forms.BooleanField(label=_DISCREETLY, required=False)
    agree = ConsentField(
        required=True, error_messages={"required": gettext_lazy("Without this we can't keep your signature.")}
    )
    partner_news = ConsentField()

    autocomplete = PersonForm.autocomplete | {"country": "country", "postcode": "postal-code"}
    own_words = frozenset({"agree"})

    def __init__(
        self, *args: object, petition: Petition, partner: Organisation | None = None, **kwargs: object
    ) -> None:
        super().__init__(*args, **kwargs)
        self.petition, self.partner = petition, partner
        self.wordings = {"agree": wordings.for_signing(petition), "news": wordings.for_news()}
        if partner:
            self.wordings["partner_news"] = wordings.for_partner(partner)
        else:
            del self.fields["partner_news"]
        if petition.asks_postcode:
            self.fields["postcode"] = copy(self.fields["postcode"])
            self.fields["postcode"].required = True
        else:
            del self.fields["postcode"]
        if not petition.shows_signers:
            del self.fields["shown"]

    @classmethod
    @cache
    def in_our_words(cls) -> dict[str, forms.Field]:
        """Copying them all for each signature took as long as the rest of it."""
        return _Shared(super().in_our_words())

    def clean_email(self) -> str:
        email = super().clean_email()
        if is_disposable(email.rpartition("@")[2]):
            raise forms.ValidationError(
                _("This address will soon be gone, and with it our email to you. Please use one that you keep.")
            )
        return email

    def clean(self) -> dict:
        said = self.cleaned_data
        if said.get("postcode"):
            said["postcode"], _fits = read_postcode(said["postcode"], said.get("country", ""))
        return said

    def typed(self) -> Typed:
        """What was typed, of a form that is valid."""
        said = self.cleaned_data
        return Typed(
            email=said["email"],
            first_name=said["first_name"],
            last_name=said["last_name"],
            country=said["country"],
            language=get_language(),
            agreed=tuple(wording for name, wording in self.wordings.items() if said[name]),
            postcode=said.get("postcode", ""),
            shown=said.get("shown", False),
            discreet=said["discreet"],
            organisation=self.partner.pk if self.partner else None,
            source_code=self.source_code(),
        )


class NewAddressForm(PublicForm):
    """Where somebody on file wants to be reached from now on."""

    new_email = forms.CharField(label=gettext_lazy("New email address"), max_length=254, widget=forms.EmailInput)

    autocomplete = {"new_email": "email"}

    def clean_new_email(self) -> str:
        return read_address(self.cleaned_data["new_email"])


class HowForm(PublicForm):
    """How somebody wants to be written to, whatever they allow."""

    how_often = forms.ChoiceField(
        label=gettext_lazy("How often may we write?"),
        choices=[
            ("", gettext_lazy("Whenever there is something to tell")),
            (Supporter.HowOften.WEEK, gettext_lazy("At most once a week")),
            (Supporter.HowOften.FOUR_WEEKS, gettext_lazy("At most once in four weeks")),
        ],
        required=False,
        widget=forms.RadioSelect,
    )
    discreet = forms.BooleanField(label=_DISCREETLY, required=False)

    def __init__(self, supporter: Supporter, data: Mapping[str, str] | None = None) -> None:
        now = {name: getattr(supporter, name) for name in self.base_fields}
        super().__init__(data, initial=now)


class DetailsForm(PublicForm):
    """What we hold of somebody that they can correct themselves. The address of their inbox is not among it."""

    first_name = forms.CharField(label=gettext_lazy("First name"), max_length=150, required=False)
    last_name = forms.CharField(label=gettext_lazy("Last name"), max_length=150, required=False)
    language = forms.ChoiceField(label=gettext_lazy("Language of our messages"), required=False)
    country = CountryField(label=gettext_lazy("Country"), nothing="—", required=False)
    street = forms.CharField(label=gettext_lazy("Street and number"), max_length=250, required=False)
    postcode = forms.CharField(label=gettext_lazy("Postcode"), max_length=20, required=False)
    city = forms.CharField(label=gettext_lazy("Town"), max_length=120, required=False)
    phone = forms.CharField(label=gettext_lazy("Phone"), max_length=40, required=False)

    autocomplete = {
        "first_name": "given-name",
        "last_name": "family-name",
        "country": "country",
        "street": "street-address",
        "postcode": "postal-code",
        "city": "address-level2",
        "phone": "tel",
    }

    def __init__(self, supporter: Supporter, data: Mapping[str, str] | None = None) -> None:
        now = {name: getattr(supporter, name) for name in self.base_fields}
        super().__init__(data, initial={**now, "phone": show_phone(supporter.phone, supporter.country)})
        self.supporter = supporter
        languages = {each["code"]: each["name"] for each in all_languages()}
        known = [("", "—"), *languages.items()]
        if supporter.language and supporter.language not in languages:  # such as pt-br, from a file
            known.insert(1, (supporter.language, supporter.language))
        self.fields["language"].choices = known

    def clean_first_name(self) -> str:
        return self._name("first_name")

    def clean_last_name(self) -> str:
        return self._name("last_name")

    def clean_street(self) -> str:
        return one_line(self.cleaned_data["street"])

    def clean_city(self) -> str:
        return one_line(self.cleaned_data["city"])

    def save(self) -> None:
        """Write what was changed, of a form that is valid, read as every other door reads it; to whom they are by now."""
        news = {name: self.cleaned_data[name] for name in self.changed_data}
        with transaction.atomic():
            supporter = finding.by_uuid(self.supporter.uuid, lock=True) if news else None
            if supporter:
                Supporter.objects.filter(pk=supporter.pk).update(**contact_of(supporter, news), updated_at=Now())
