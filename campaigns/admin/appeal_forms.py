from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminSelect2Widget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminSingleTimeWidget,
    UnfoldBooleanWidget,
)

from campaigns.mail import compose
from campaigns.mail.fields import Problem
from campaigns.models import Appeal, AppealText, AppealVariant
from supporters.addresses import AddressError, normalise_email


class AppealForm(forms.ModelForm):
    class Meta:
        model = Appeal
        fields = [
            *("name", "campaign", "segment", "source_code", "default_language", "channel", "audience"),
            *("sender_name", "sender_email", "reply_to", "count_clicks"),
            *("hours_from", "hours_until"),
            *("test_share", "test_hours", "test_by"),
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("channel") == Appeal.Channel.MAILCHIMP and not cleaned.get("audience"):
            self.add_error("audience", _("Choose the audience in Mailchimp that it goes to."))
        return cleaned

    def clean_sender_email(self) -> str:
        return _ascii(self.cleaned_data["sender_email"])

    def clean_reply_to(self) -> str:
        return _ascii(self.cleaned_data["reply_to"])

    def clean_sender_name(self) -> str:
        return compose.one_line(self.cleaned_data["sender_name"])


class _WordingForm(forms.ModelForm):
    """What is wrong with a text is said at the field, with the line."""

    def clean_subject(self) -> str:
        return self._checked("subject", compose.check_line)

    def clean_preheader(self) -> str:
        return self._checked("preheader", compose.check_line)

    def clean_body(self) -> str:
        return self._checked("body", compose.check)

    def _checked(self, name: str, check: Any) -> str:
        source = _unix(self.cleaned_data[name])
        problems: list[Problem] = check(source)
        if problems:
            raise forms.ValidationError([str(problem) for problem in problems])
        return source


class AppealVariantForm(_WordingForm):
    class Meta:
        model = AppealVariant
        fields = ["letter", "language", "subject", "preheader", "body"]

    def clean(self) -> None:
        super().clean()
        said = ("subject", "preheader", "body")
        if not self.errors and not any(self.cleaned_data[name] for name in said):
            self.add_error("subject", _("A variant differs in its subject, its preview line or its text."))


class AppealVariantFormSet(forms.BaseInlineFormSet):
    def clean(self) -> None:
        """Says at its field what the form as a whole has no place to say."""
        seen = set()
        for form in self.forms:
            wording = (form.cleaned_data.get("letter"), form.cleaned_data.get("language"))
            if None in wording or form.cleaned_data.get("DELETE"):
                continue
            if wording in seen:
                form.add_error("letter", _("This appeal has that variant in that language."))
            seen.add(wording)


class AppealTextForm(_WordingForm):
    up_to_date = forms.BooleanField(
        label=_("Follows the present main text"),
        required=False,
        widget=UnfoldBooleanWidget,
        help_text=_("The main text was changed after this translation. Tick this once you have compared them."),
    )

    class Meta:
        model = AppealText
        fields = ["language", "subject", "preheader", "body"]

    def __init__(self, *args: Any, outdated: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not outdated:
            self.fields["up_to_date"].widget = forms.HiddenInput()

    @property
    def has_new_content(self) -> bool:
        """Whether the reader would see a difference; line ends of the browser are none."""
        return any(
            self.cleaned_data.get(name) != _unix(self.initial.get(name) or "")
            for name in ("language", "subject", "preheader", "body")
        )


class AppealTextFormSet(forms.BaseInlineFormSet):
    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        kwargs = super().get_form_kwargs(index)
        texts = list(self.queryset)
        if index is not None and index < len(texts):
            kwargs["outdated"] = texts[index].pk in self._outdated(texts)
        return kwargs

    def _outdated(self, texts: list[AppealText]) -> set[int]:
        main = next((text for text in texts if text.language == self.instance.default_language), None)
        return {text.pk for text in texts if main and text.pk != main.pk and text.follows < main.revision}

    def changed_languages(self) -> set[str]:
        return {form.cleaned_data["language"] for form in self._kept() if form.has_new_content}

    def confirmed_languages(self) -> set[str]:
        return {form.cleaned_data["language"] for form in self._kept() if form.cleaned_data.get("up_to_date")}

    def _kept(self) -> Iterator[AppealTextForm]:
        return (
            form for form in self.forms if form.cleaned_data.get("language") and not form.cleaned_data.get("DELETE")
        )


class ScheduleForm(forms.Form):
    date = forms.DateField(label=_("Day"), widget=UnfoldAdminSingleDateWidget)
    time = forms.TimeField(label=_("Hour"), widget=UnfoldAdminSingleTimeWidget)
    time_zone = forms.CharField(label=_("Time zone"), widget=UnfoldAdminSelect2Widget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC")
        self.fields["time_zone"].widget.choices = [(zone, zone) for zone in zones]

    @property
    def local(self) -> datetime:
        return datetime.combine(self.cleaned_data["date"], self.cleaned_data["time"])


def _ascii(email: str) -> str:
    """The address with its domain as the wire wants it."""
    if not email:
        return ""
    try:
        return normalise_email(email)
    except AddressError as error:
        raise forms.ValidationError(str(error)) from None


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
