"""Forms for partners' people."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _L

from supporters.addresses import AddressError, normalise_email
from supporters.forms import PublicForm


class AddressForm(PublicForm):
    """The address that somebody logs in with."""

    email = forms.CharField(label=_L("Email"), max_length=254, widget=forms.EmailInput)

    autocomplete = {"email": "username", "password": "current-password"}

    def clean_email(self) -> str:
        """In the spelling that records have; what is no address is nobody's, and answered like that."""
        try:
            return normalise_email(self.cleaned_data["email"])
        except AddressError:
            return self.cleaned_data["email"].lower()


class LoginForm(AddressForm):
    password = forms.CharField(label=_L("Password"), max_length=4096, strip=False, widget=forms.PasswordInput)


class NewPasswordForm(PublicForm):
    """Twice the same, by the rules for all passwords here, which are told in our words: Django's are not there in every language."""

    password = forms.CharField(
        label=_L("New password"),
        max_length=4096,
        strip=False,
        widget=forms.PasswordInput,
        help_text=_L(
            "At least ten characters; not your email address, and nothing that is on the lists of common passwords."
        ),
    )
    again = forms.CharField(
        label=_L("The new password once more"), max_length=4096, strip=False, widget=forms.PasswordInput
    )

    autocomplete = {"password": "new-password", "again": "new-password"}

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        try:
            validate_password(self.cleaned_data["password"], self.user)
        except ValidationError:
            raise forms.ValidationError(_("This password is too easy to guess. Please choose another.")) from None
        return self.cleaned_data["password"]

    def clean_again(self) -> str:
        if self.cleaned_data.get("password") not in (None, self.cleaned_data["again"]):
            raise forms.ValidationError(_("The two passwords are not the same."))
        return self.cleaned_data["again"]


class FileForm(PublicForm):
    format = forms.ChoiceField(
        label=_L("Format"), choices=[("xlsx", "Excel (xlsx)"), ("csv", _L("Comma-separated text (csv)"))]
    )
    reason = forms.CharField(
        label=_L("What for"), max_length=500, help_text=_L("It is kept with your name and the time.")
    )
