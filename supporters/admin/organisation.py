from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from supporters.admin.base import RecordAdmin
from supporters.admin.exporting import ExportedList
from supporters.admin.reading import CountryField, LineField
from supporters.models import Organisation, OrganisationContact


class ContactInline(TabularInline):
    model = OrganisationContact
    extra = 0
    hide_title = True
    autocomplete_fields = ["supporter"]


class OrganisationForm(forms.ModelForm):
    name = LineField(label=_("Name"), max_length=250)
    country = CountryField(label=_("Country"))

    class Meta:
        model = Organisation
        fields = "__all__"  # noqa: DJ007 - the admin's fieldsets say which


@admin.register(Organisation)
class OrganisationAdmin(ExportedList, RecordAdmin):
    listing = "organisations"
    form = OrganisationForm
    list_display = ["name", "country", "role", "source_code", "website"]
    list_filter = [("role", ChoicesDropdownFilter)]
    search_fields = ["name", "source_code"]
    prepopulated_fields = {"source_code": ["name"]}
    inlines = [ContactInline]
    fieldsets = [(None, {"fields": ["name", ("country", "role"), "website", "source_code"]})]
    search_help_text = _("Name or source code.")

    def formfield_for_dbfield(
        self, db_field: models.Field, request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        if isinstance(db_field, models.URLField):
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)
