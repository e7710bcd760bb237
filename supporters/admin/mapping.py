"""Saying what columns are: on the page of an import, and in a mapping that was saved."""

from collections.abc import Mapping, Sequence

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from supporters.admin.base import RecordAdmin
from supporters.importing import mapping as mappings
from supporters.importing import policy, values
from supporters.importing.problems import FileProblem
from supporters.models import SavedMapping


def fields_for(kind: str, columns: Sequence[Mapping]) -> dict[str, forms.ChoiceField]:
    """A choice for each column that a file's own module does not read, and one for the order of its dates."""
    choices = [("", gettext("(left out)")), *mappings.choices(kind)]
    orders = list(values.DATE_FORMATS.items())
    found = {}
    for index, column in enumerate(columns):
        if mappings.is_own(column["field"]):
            continue
        found[f"column_{index}"] = _choice(column["name"], choices, column["field"])
        if "order" in column:
            label = gettext("Dates in “%(column)s” are") % {"column": column["name"]}
            if column.get("ambiguous"):
                found[f"order_{index}"] = _choice(label, [("", gettext("(please choose)")), *orders], "")
                found[f"order_{index}"].help_text = gettext("Both readings are possible: please look.")
            else:
                found[f"order_{index}"] = _choice(label, orders, column["order"])
    return found


def _choice(label: str, choices: list[tuple[str, str | Promise]], initial: str) -> forms.ChoiceField:
    widget = UnfoldAdminSelectWidget(choices=choices)
    return forms.ChoiceField(label=label, choices=choices, required=False, initial=initial, widget=widget)


def set_columns(columns: Sequence[dict], data: Mapping[str, str]) -> None:
    """Take over what such fields say."""
    for index, column in enumerate(columns):
        column["field"] = data.get(f"column_{index}", column["field"])
        if order := data.get(f"order_{index}"):
            column["order"] = order
            column.pop("ambiguous", None)
        elif column["field"] in mappings.FIELDS and mappings.FIELDS[column["field"]].is_date:
            column["order"] = column.get("order") or "dmy"


class SavedMappingForm(forms.ModelForm):
    def clean(self) -> dict:
        data = super().clean()
        columns = [dict(column) for column in self.instance.columns]
        set_columns(columns, data)
        try:
            mappings.check(self.instance.kind, {"columns": columns}, [column["name"] for column in columns])
        except FileProblem as problem:
            raise forms.ValidationError(problem.for_staff) from None
        self.instance.columns = columns
        return data


@admin.register(SavedMapping)
class SavedMappingAdmin(RecordAdmin):
    list_display = ["name", "kind", "number_of_columns", "created_by", "created_at", "used_at"]
    list_filter = [("kind", ChoicesDropdownFilter)]
    list_select_related = ["created_by"]
    search_fields = ["name"]
    ordering = ["-used_at", "-pk"]
    readonly_fields = ["kind", "for_every_row", "created_by", "created_at", "used_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """It comes of an import."""
        return False

    def get_form(
        self, request: HttpRequest, obj: SavedMapping | None = None, **kwargs: object
    ) -> type[forms.ModelForm]:
        kwargs["form"] = type("Form", (SavedMappingForm,), fields_for(obj.kind, obj.columns) if obj else {})
        return super().get_form(request, obj, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: SavedMapping | None = None) -> list:
        columns = list(fields_for(obj.kind, obj.columns)) if obj else []
        return [
            (None, {"fields": ["name", "kind", "for_every_row", ("created_by", "created_at", "used_at")]}),
            (_("Which column is what"), {"fields": columns}),
        ]

    @display(description=_("columns"))
    def number_of_columns(self, saved: SavedMapping) -> int:
        return len(saved.columns)

    @display(description=_("for every row"))
    def for_every_row(self, saved: SavedMapping) -> str:
        said = [f"{_NAMES[name]}: {value}" for name, value in saved.options.items() if name in _NAMES]
        if saved.options.get("create_organisations"):
            said.append(gettext("organisations that are not on file are made"))
        winners = saved.options.get("policy") or {}
        said += [f"{mappings.label_of(field)}: {policy.Winner(winner).label}" for field, winner in winners.items()]
        return "; ".join(said) or "–"


_NAMES = {
    "reference_system": _("references belong to"),
    "country": _("country"),
    "language": _("language"),
    "currency": _("currency"),
    "designation": _("designation"),
}
