"""Fields of staff forms that read what people write as supporters.hygiene does, and say what they make of it."""

from collections.abc import Callable

from django import forms
from django.utils.translation import gettext
from unfold.widgets import UnfoldAdminTextInputWidget

from supporters.addresses import AddressError, normalise_email
from supporters.hygiene import Unreadable
from supporters.hygiene.countries import read_country
from supporters.hygiene.languages import read_language
from supporters.hygiene.text import one_line


class _ReadField(forms.CharField):
    """Takes a code or a name and gives the code."""

    read: Callable[[str], str]
    widget = UnfoldAdminTextInputWidget

    def __init__(self, *, max_length: int = 60, required: bool = False, **kwargs: object) -> None:
        super().__init__(max_length=max_length, required=required, **kwargs)

    def clean(self, value: object) -> str:
        text = super().clean(value)
        try:
            return type(self).read(text) if text else ""
        except Unreadable as problem:
            raise forms.ValidationError(str(problem)) from None


class CountryField(_ReadField):
    read = staticmethod(read_country)


class LanguageField(_ReadField):
    read = staticmethod(read_language)


class LineField(forms.CharField):
    """Text as it is written, in one line."""

    widget = UnfoldAdminTextInputWidget

    def to_python(self, value: object) -> str:
        return one_line(super().to_python(value))


class AddressField(forms.CharField):
    """An email address in its one spelling, or None."""

    widget = UnfoldAdminTextInputWidget
    empty_value = None

    def clean(self, value: object) -> str | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return normalise_email(text)
        except AddressError as error:
            raise forms.ValidationError(gettext("This is no email address: %(why)s") % {"why": error}) from None
