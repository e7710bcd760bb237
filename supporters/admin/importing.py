"""Imports on the staff site: upload, look at what will be read, correct it, start, watch."""

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from supporters.admin.base import RecordAdmin
from supporters.admin.doubts import DoubtfulRows
from supporters.admin.exporting import export_link, may_export
from supporters.admin.mapping import fields_for, set_columns
from supporters.admin.pages import StaffForm
from supporters.admin.previewing import Previewing
from supporters.admin.reading import CountryField, LanguageField
from supporters.admin.undoing import Undoing
from supporters.importing import mapping as mappings
from supporters.importing import readers, remembering, undoing, values
from supporters.importing import run as runs
from supporters.importing.known import KNOWN
from supporters.importing.problems import FileProblem, RowProblem
from supporters.keys import key
from supporters.models import ImportRun, Purpose, SavedMapping
from supporters.tasks import work_on_import

State = ImportRun.State


class UploadForm(StaffForm):
    kind = forms.ChoiceField(label=_("What is in the file"), choices=ImportRun.Kind.choices)
    file = forms.FileField(
        label=_("File"),
        widget=forms.ClearableFileInput(
            attrs={"accept": ".csv,.txt,.tsv,.xlsx,.xls,.ods", "data-limit": settings.UPLOAD_LIMIT}
        ),
        error_messages={"empty": _("The file is empty.")},
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        limit = settings.UPLOAD_LIMIT // 1024 // 1024
        self.fields["file"].help_text = gettext(
            "csv, xlsx, xls or ods, up to %(limit)s MB. Exports of Mailchimp, Stripe, PayPal, Donorbox, CiviCRM and Action Network are known as they are."
        ) % {"limit": limit}
        self.fields["file"].widget.attrs["data-message"] = gettext("This file is larger than %(limit)s MB.") % {
            "limit": limit
        }

    def clean_file(self) -> object:
        file = self.cleaned_data["file"]
        if file.size > settings.UPLOAD_LIMIT:
            raise forms.ValidationError(self.fields["file"].widget.attrs["data-message"])
        return file


class ReadingForm(StaffForm):
    """How the file is read."""

    encoding = forms.ChoiceField(label=_("Encoding"), choices=list(readers.ENCODINGS.items()), required=False)
    delimiter = forms.ChoiceField(label=_("Separator"), choices=list(readers.DELIMITERS.items()), required=False)
    sheet = forms.ChoiceField(label=_("Sheet"), required=False)

    def __init__(self, layout: readers.Layout, *args: object, **kwargs: object) -> None:
        super().__init__(*args, initial=layout.as_json(), **kwargs)
        unused = ["encoding", "delimiter"] if layout.format != "csv" else ["sheet"]
        for name in unused:
            del self.fields[name]
        if layout.format != "csv":
            self.fields["sheet"].choices = self.fields["sheet"].widget.choices = [
                (name, name) for name in layout.sheets
            ]


class OptionsForm(StaffForm):
    """What holds for every row, and what the file says of consent."""

    reference_system = forms.CharField(
        label=_("References belong to"),
        max_length=64,
        required=False,
        help_text=_("The system that numbers these people; “donor” unless you say another."),
    )
    source_code = forms.SlugField(label=_("Source code"), max_length=64, required=False)
    tags = forms.CharField(
        label=_("Tags for everybody"), max_length=250, required=False, help_text=_("Separated by commas.")
    )
    country = CountryField(label=_("Country, where a row has none"))
    language = LanguageField(label=_("Language, where a row has none"))
    create_organisations = forms.BooleanField(label=_("Make organisations that are not on file"), required=False)
    currency = forms.CharField(label=_("Currency, where a row has none"), max_length=3, required=False)
    designation = forms.CharField(label=_("Designation, where a row has none"), max_length=120, required=False)
    consent_purpose = forms.ChoiceField(
        label=_("Everybody in this file consented to"),
        choices=[
            ("", _("Nothing: the file grants no consent")),
            *[item for item in Purpose.choices if item[0] in {"email", "post", "phone"}],
        ],
        required=False,
        help_text=_("What you state here becomes each person's proof. Who has left before stays away all the same."),
    )
    consent_wording = forms.CharField(label=_("In these words"), widget=forms.Textarea, required=False)
    consent_language = LanguageField(label=_("Language of the words"))
    consent_on = forms.DateField(label=_("Given on"), required=False)
    consent_how = forms.CharField(label=_("How it was given"), max_length=200, required=False)

    _OF_DONATIONS = ("currency", "designation")
    _OF_BOTH = ("reference_system", "source_code")

    def __init__(self, run: ImportRun, *args: object, **kwargs: object) -> None:
        consent = {name: getattr(run, name) for name in self.base_fields if name.startswith("consent_")}
        super().__init__(*args, initial={**run.options, **consent}, **kwargs)
        of_donations = run.kind == ImportRun.Kind.DONATIONS
        for name in list(self.fields):
            if name not in self._OF_BOTH and (name in self._OF_DONATIONS) != of_donations:
                del self.fields[name]

    def clean(self) -> dict:
        data = super().clean()
        if data.get("currency"):
            try:
                data["currency"] = values.parse_currency(data["currency"])
            except RowProblem as problem:
                self.add_error("currency", str(problem))
        if data.get("consent_purpose"):
            for name in ("consent_wording", "consent_on", "consent_how"):
                if not data.get(name):
                    self.add_error(name, _("A consent needs its proof: the words, when and how."))
        return data

    def apply(self, run: ImportRun) -> None:
        data = self.cleaned_data
        said = {name: value for name, value in data.items() if value and not name.startswith("consent_")}
        run.options = {name: value for name, value in run.options.items() if name not in data} | said
        for name in data:
            if name.startswith("consent_"):
                setattr(
                    run,
                    name,
                    data[name] if data.get("consent_purpose") or name == "consent_purpose" else _nothing(name),
                )


def _nothing(name: str) -> str | None:
    return None if name == "consent_on" else ""


class MappingForm(StaffForm):
    """A select for each column, and the order of days and months where it matters."""

    def __init__(self, run: ImportRun, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        known = run.layout.get("known") in KNOWN
        self.fields |= {
            name: field
            for name, field in fields_for(run.kind, run.mapping["columns"]).items()
            if not (known and name.startswith("column_") and not field.initial)
        }

    def apply(self, run: ImportRun) -> None:
        set_columns(run.mapping["columns"], self.cleaned_data)


@admin.register(ImportRun)
class ImportRunAdmin(DoubtfulRows, Previewing, Undoing, RecordAdmin):
    list_display = [
        "file_name",
        "kind",
        "status",
        "rows",
        "created",
        "updated",
        "unchanged",
        "failed",
        "doubtful",
        "created_by",
        "created_at",
    ]
    list_filter = [("kind", ChoicesDropdownFilter), ("state", ChoicesDropdownFilter)]
    list_select_related = ["created_by"]
    search_fields = ["file_name"]
    ordering = ["-pk"]

    def has_delete_permission(self, request: HttpRequest, obj: ImportRun | None = None) -> bool:
        return False

    def get_urls(self) -> list:
        own = [
            path(
                "<int:pk>/doubtful/",
                self.admin_site.admin_view(self.doubtful_rows),
                name="supporters_importrun_doubtful",
            ),
            path(
                "<int:pk>/preview/",
                self.admin_site.admin_view(self.preview_page),
                name="supporters_importrun_preview",
            ),
            path("<int:pk>/undo/", self.admin_site.admin_view(self.undo_page), name="supporters_importrun_undo"),
        ]
        return own + super().get_urls()

    @display(
        description=_("State"),
        ordering="state",
        label={
            "done": "success",
            "running": "info",
            "queued": "info",
            "uploaded": "warning",
            "failed": "danger",
            "cancelled": "warning",
            "undoing": "info",
            "undone": "warning",
        },
    )
    def status(self, run: ImportRun) -> tuple[str, str]:
        return run.state, run.get_state_display()

    # Upload -------------------------------------------------------------------------------------

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict | None = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None, initial={"kind": request.GET.get("kind", "")})
        if request.method == "POST" and form.is_valid():
            file = form.cleaned_data["file"]
            try:
                run = runs.upload(form.cleaned_data["kind"], file.name, file.chunks(), created_by=request.user)
            except FileProblem as problem:
                form.add_error("file", problem.for_staff)
            else:
                return HttpResponseRedirect(reverse("admin:supporters_importrun_change", args=[run.pk]))
        return self._page(
            request,
            "upload",
            form=form,
            saved_mappings=SavedMapping.objects.exists(),
            title=gettext("Import a file"),
        )

    # Review, progress ---------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        run = get_object_or_404(ImportRun, pk=key(str(object_id)))
        if not self.has_view_permission(request, run):
            raise PermissionDenied
        if request.GET.get("part"):
            return TemplateResponse(
                request, "supporters/admin/import_progress_inside.html", self._progress(request, run)
            )
        if request.method == "POST":
            if not self.has_change_permission(request, run):
                raise PermissionDenied
            if "cancel" in request.POST:
                runs.cancel(run)
                return HttpResponseRedirect(request.path)
        if run.state == State.UPLOADED and self.has_change_permission(request, run):
            return self._review(request, run)
        return self._page(request, "progress", **self._progress(request, run), title=run.file_name)

    def _review(self, request: HttpRequest, run: ImportRun) -> HttpResponse:
        layout = readers.Layout.from_json(run.layout)
        reading, mapping, options = (
            ReadingForm(layout, request.POST or None),
            MappingForm(run, request.POST or None),
            OptionsForm(run, request.POST or None),
        )
        problem = ""
        if request.method == "POST":
            try:
                if "read" in request.POST and reading.is_valid():
                    for name, value in reading.cleaned_data.items():
                        setattr(layout, name, value)
                    runs.reread(run, layout)
                    return HttpResponseRedirect(request.path)
                if "guess" in request.POST:
                    runs.guess_anew(run)
                    return HttpResponseRedirect(request.path)
                if mapping.is_valid() and options.is_valid():
                    mapping.apply(run)
                    options.apply(run)
                    consent = [name for name in options.fields if name.startswith("consent_")]
                    runs.settle_on(run, ["mapping", "options", *consent])
                    mappings.check(run.kind, run.mapping, [column["name"] for column in run.mapping["columns"]])
                    if "start" in request.POST:
                        runs.start(run)
                        work_on_import.delay(run.pk)
                    if "preview" in request.POST:
                        self.ask_for_preview(run)
                        return HttpResponseRedirect(reverse("admin:supporters_importrun_preview", args=[run.pk]))
                    return HttpResponseRedirect(request.path)
            except FileProblem as trouble:
                problem = trouble.for_staff
        rows, unreadable = self._preview(run)
        return self._page(
            request,
            "review",
            run=run,
            reading=reading,
            mapping=mapping,
            pairs=self._pairs(run, mapping),
            options=options,
            problem=problem or unreadable,
            rows=rows,
            known=_known(run),
            saved=remembering.saved_for(run),
            title=gettext("Look before it goes in: %(name)s") % {"name": run.file_name},
        )

    def _preview(self, run: ImportRun) -> tuple[list[dict], str]:
        used = [column["field"] for column in run.mapping["columns"] if column["field"] in mappings.FIELDS]
        try:
            read = runs.first_rows(run)
        except FileProblem as problem:
            return [], problem.for_staff
        rows = []
        for number, found, reason in read:
            cells = [_shown(found.get(name)) for name in _staged_names(used)]
            rows.append({"number": number, "cells": cells, "reason": reason})
        head = [str(mappings.FIELDS[name].label) for name in _staged_names(used)]
        return [{"head": head, "rows": rows}], ""

    def _pairs(self, run: ImportRun, mapping: MappingForm) -> list[dict]:
        return [
            {
                "field": mapping[f"column_{index}"],
                "order": mapping[f"order_{index}"] if f"order_{index}" in mapping.fields else None,
            }
            for index in range(len(run.mapping["columns"]))
            if f"column_{index}" in mapping.fields
        ]

    def _progress(self, request: HttpRequest, run: ImportRun) -> dict:
        failures = list(run.failures.filter(verdict="")[:100])
        return {
            "run": run,
            "percent": round(100 * run.checkpoint / run.rows)
            if run.rows
            else (100 if run.state == State.DONE else 0),
            "failures": failures,
            "header": [column["name"] for column in run.mapping.get("columns", [])],
            "more_failures": max(run.failed + run.noted - len(failures), 0),
            "live": run.state in {State.QUEUED, State.RUNNING},
            "export": export_link("refused-rows", run=run.pk) if may_export(request, "refused-rows") else "",
            "undone": run.state in {State.UNDOING, State.UNDONE},
            "can_undo": self.has_change_permission(request, run) and undoing.possible(run),
        }

    def _page(self, request: HttpRequest, name: str, **context: object) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"supporters/admin/import_{name}.html", context)


def _staged_names(used: list[str]) -> list[str]:
    names = []
    for field in used:
        names += ["first_name", "last_name"] if field == "name" else [field]
    return [
        name for name in dict.fromkeys(names) if name not in {"opted_in_at", "confirmed_at", "left_at", "cleaned_at"}
    ]


def _shown(value: object) -> str:
    return ", ".join(value) if isinstance(value, list) else "" if value is None else str(value)


def _known(run: ImportRun) -> str:
    if known := KNOWN.get(run.layout.get("known", "")):
        return gettext("This is %(export)s: there is nothing to map. %(told)s") % {
            "export": known.label,
            "told": known.told,
        }
    standing = run.layout.get("standing")
    return {
        "granted": gettext(
            "A Mailchimp export of people who are subscribed: their consent comes along with its date."
        ),
        "left": gettext("A Mailchimp export of people who unsubscribed: none of them will be written to."),
        "cleaned": gettext("A Mailchimp export of addresses that bounced: none of them will be written to."),
    }.get(standing, "")
