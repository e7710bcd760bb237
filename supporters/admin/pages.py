"""A form on a page of its own, within the staff site."""

from typing import Any

from django import forms
from django.contrib.admin import site
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

_WIDGETS: list[tuple[type[forms.Field], type[forms.Widget]]] = [
    (forms.BooleanField, UnfoldBooleanSwitchWidget),
    (forms.ChoiceField, UnfoldAdminSelectWidget),
    (forms.DateField, UnfoldAdminDateWidget),
    (forms.DecimalField, UnfoldAdminDecimalFieldWidget),
    (forms.IntegerField, UnfoldAdminIntegerFieldWidget),
    (forms.EmailField, UnfoldAdminEmailInputWidget),
    (forms.CharField, UnfoldAdminTextInputWidget),
]


class StaffForm(forms.Form):
    """A form that looks like the rest of the staff site."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.dress()

    def dress(self) -> None:
        """Give fields the staff site's widgets; call it again for those added later."""
        for field in self.fields.values():
            if isinstance(field.widget, forms.Textarea):
                field.widget = UnfoldAdminTextareaWidget(attrs={"rows": 3})
            elif not isinstance(field.widget, forms.FileInput | forms.HiddenInput):
                kind = next(widget for field_kind, widget in _WIDGETS if isinstance(field, field_kind))
                choices = getattr(field, "choices", None)
                field.widget = kind(choices=choices) if choices is not None else kind()
                field.widget.is_required = field.required


def form_page(
    request: HttpRequest,
    form: forms.Form,
    *,
    title: str,
    submit: str,
    back: str,
    action: str = "",
    text: str = "",
    points: list[str] | None = None,
    danger: bool = False,
) -> HttpResponse:
    """Show the form, with a button that says what will happen and a way back."""
    context = {
        **site.each_context(request),
        "title": title,
        "form": form,
        "submit": submit,
        "back": back,
        "form_action": action,
        "text": text,
        "points": points or [],
        "danger": danger,
    }
    return TemplateResponse(request, "supporters/admin/form_page.html", context)
