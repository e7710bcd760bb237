"""Forms for partners' people."""

from typing import Any

from django import forms
from django.contrib.auth.forms import SetPasswordForm
from django.utils.translation import gettext_lazy as _

from supporters.addresses import AddressError, normalise_email
from supporters.exporting.formats import FORMATS


class AddressForm(forms.Form):
    """The address that somebody logs in with."""

    email = forms.CharField(
        label=_("Email"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )

    def clean_email(self) -> str:
        """In the spelling that records have; what is no address is nobody's, and answered like that."""
        try:
            return normalise_email(self.cleaned_data["email"])
        except AddressError:
            return self.cleaned_data["email"].lower()


class LoginForm(AddressForm):
    password = forms.CharField(
        label=_("Password"),
        max_length=4096,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class NewPasswordForm(SetPasswordForm):
    """Twice the same, by the rules for all passwords here."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_password1"].help_text = ""


class FileForm(forms.Form):
    format = forms.ChoiceField(label=_("Format"), choices=[(name, FORMATS[name].label) for name in ("xlsx", "csv")])
    reason = forms.CharField(
        label=_("What for"),
        max_length=500,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("It is kept with your name and the time."),
    )
