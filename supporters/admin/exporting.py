"""One way out for every list and report of the staff site: choose columns and format, say why, and get the file."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from import_export.admin import ExportMixin
from unfold.decorators import action

from supporters.admin.pages import StaffForm
from supporters.exporting import listings, making
from supporters.exporting.answering import answer, hand_over
from supporters.exporting.change_list import CHOSEN
from supporters.exporting.formats import FORMATS
from supporters.exporting.listings import COUNT_LIMIT, Asked, Listing, NothingThere
from supporters.models import Export


class ExportedList(ExportMixin):
    """For an admin class whose list can be exported: put it before RecordAdmin, and name its listing.

    The button and its address are django-import-export's; what is behind them is ours.
    """

    listing: str

    def has_export_permission(self, request: HttpRequest) -> bool:
        return listings.get(self.listing).may(Asked("", request.user))

    def export_action(self, request: HttpRequest) -> HttpResponse:
        return export_page(request, self.listing)

    def get_actions(self, request: HttpRequest) -> dict[str, tuple]:
        found = super().get_actions(request)
        if "export_chosen" not in found and self.has_export_permission(request):
            found["export_chosen"] = self.get_action("export_chosen")
        return found

    @action(description=_("Export the chosen…"))
    def export_chosen(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        """To the same page, for the ticked rows or for all that the list shows."""
        query = request.GET.copy()
        if request.POST.get("select_across") != "1":
            query[CHOSEN] = ",".join(str(key) for key in queryset.values_list("pk", flat=True))
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_export"
        return HttpResponseRedirect(f"{reverse(name)}?{query.urlencode()}")


class ExportForm(StaffForm):
    format = forms.ChoiceField(label=_("Format"), choices=[(each.name, each.label) for each in FORMATS.values()])
    reason = forms.CharField(
        label=_("Why"),
        max_length=500,
        required=False,
        help_text=_("Who gets the file and what for. It is kept in the log with your name."),
    )
    columns = forms.MultipleChoiceField(
        widget=forms.MultipleHiddenInput, error_messages={"required": _("Choose at least one column.")}
    )

    def __init__(self, listing: Listing, asked: Asked, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.listing, self.asked = listing, asked
        self.offered = listing.offered(asked)
        self.fields["columns"].choices = [(column.name, column.label) for column in self.offered]
        self.fields["columns"].required = not any(column.fixed for column in self.offered)
        self.fields["reason"].required = self.fields["reason"].widget.is_required = listing.people

    def clean(self) -> dict:
        data = super().clean()
        names = data.get("columns") or []
        if making.names_people(self.listing, self.asked, names) and not (data.get("reason") or "").strip():
            self.errors.pop("reason", None)
            self.add_error("reason", _("There are people in this file: say why it leaves the house."))
        return data

    def boxes(self) -> list[dict[str, object]]:
        """The columns, each with whether it is ticked."""
        ticked = set(self.data.getlist("columns")) if self.is_bound else {column.name for column in self.offered}
        return [{"column": column, "ticked": column.fixed or column.name in ticked} for column in self.offered]


def export_page(request: HttpRequest, name: str) -> HttpResponse:
    """The page on which an export is asked for, and what comes of it: a file, or the page of one that is being made."""
    try:
        listing = listings.get(name)
        asked = Asked(_without_paging(request), request.user)
        if not listing.may(asked):
            raise PermissionDenied
        extent = listing.extent(asked)
    except NothingThere:
        raise Http404 from None
    form = ExportForm(listing, asked, request.POST or None, initial={"format": "xlsx", "reason": extent.reason})
    large = making.large(extent)
    if request.method == "POST" and form.is_valid():
        told = {name: form.cleaned_data[name] for name in ("columns", "format", "reason")}
        if not large:
            export = making.ask(listing, asked, extent, **told, state=Export.State.STREAMED)
            return answer(export, making.at_once(listing, asked, extent, export))
        export = making.ask(listing, asked, extent, **told)
        _hand_over(request, export)
        return HttpResponseRedirect(reverse("admin:supporters_export_change", args=[export.pk]))
    context = {
        **admin.site.each_context(request),
        "title": gettext("Export: %(list)s") % {"list": extent.what},
        "form": form,
        "listing": listing,
        "extent": extent,
        "most": COUNT_LIMIT,
        "large": large,
        "back": listing.back(asked),
    }
    return TemplateResponse(request, "supporters/admin/export_page.html", context)


def _hand_over(request: HttpRequest, export: Export) -> None:
    if not hand_over(export):
        messages.info(request, _("The message broker doesn't answer. The file is made once it is back."))


def _without_paging(request: HttpRequest) -> str:
    query = request.GET.copy()
    for name in ("p", "all", "e"):
        query.pop(name, None)
    return query.urlencode()


def export_link(name: str, **query: object) -> str:
    """Where a report is exported."""
    return reverse("admin:supporters_export_new", args=[name], query=query or None)


def may_export(request: HttpRequest, name: str, **query: object) -> bool:
    return listings.get(name).may(Asked(urlencode(query), request.user))
