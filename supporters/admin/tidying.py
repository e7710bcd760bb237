from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from supporters import tidying
from supporters.admin.base import RecordAdmin
from supporters.models import Supporter, Tidying
from supporters.tasks import go_over_records

_MOST_SHOWN = 100


@admin.register(Tidying)
class TidyingAdmin(RecordAdmin):
    """Adding one asks for it; the rest is to read."""

    list_display = ["asked_at", "kind", "people", "found", "finished_at"]
    list_display_links = ["asked_at"]
    sortable_by = []
    readonly_fields = ["asked_at", "finished_at", "people", "found", "pairs"]
    fieldsets = [(None, {"fields": ["kind", "asked_at", "finished_at", "people", "found", "pairs"]})]

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> forms.Field:
        if db_field.name == "kind":
            kwargs["choices"] = [(kind.value, kind.label) for kind in (Tidying.Kind.LOOK, Tidying.Kind.WRITE)]
            kwargs["initial"] = Tidying.Kind.LOOK.value
        field = super().formfield_for_choice_field(db_field, request, **kwargs)
        field.help_text = _("Look first: it says what would change. Nobody is merged, and no value is lost.")
        return field

    def has_change_permission(self, request: HttpRequest, obj: Tidying | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Tidying | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Tidying, form: forms.ModelForm, change: bool) -> None:
        found = tidying.ask(obj.kind)
        obj.pk = found.pk
        go_over_records.delay_on_commit(found.pk)

    @display(description=_("found"))
    def found(self, run: Tidying) -> str:
        return ", ".join(f"{_label(name)}: {count}" for name, count in run.counts.items()) or "—"

    @display(description=_("addresses of two people"))
    def pairs(self, run: Tidying) -> str:
        """Who would get whose address, with links to both."""
        shown = run.conflicts[:_MOST_SHOWN]
        people = Supporter.objects.in_bulk({key for pair in shown for key in pair})
        both = [[people[key] for key in pair] for pair in shown if all(key in people for key in pair)]
        rows = [(_page(one), str(one), one.email, _page(other), str(other)) for one, other in both]
        line = '<a class="underline" href="{}">{}</a> ({}) – <a class="underline" href="{}">{}</a>'
        return format_html_join(mark_safe("<br>"), line, rows) or "—"


def _page(supporter: Supporter) -> str:
    return reverse("admin:supporters_supporter_change", args=[supporter.pk])


def _label(name: str) -> str:
    if name == "conflicts":
        return gettext("addresses of two people")
    if name == "marks":
        return gettext("marks")
    return str(Supporter._meta.get_field(name).verbose_name)
