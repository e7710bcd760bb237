"""The log of what left the house, and the files that wait to be fetched."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from supporters.admin.base import ReadOnlyAdmin
from supporters.admin.exporting import export_page
from supporters.exporting import making
from supporters.exporting.answering import answer
from supporters.keys import key
from supporters.models import Export

State = Export.State


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    """Everybody sees their own; all of them whoever may."""

    list_display = ["what", "filters", "by_whom", "reason", "format", "rows", "status", "created_at"]
    list_filter = [("state", ChoicesDropdownFilter), ("format", ChoicesDropdownFilter), "people"]
    list_select_related = ["by"]
    search_fields = ["what", "reason", "by__username"]
    search_help_text = _("List, reason or user name.")
    ordering = ["-created_at", "-pk"]
    sortable_by = []

    def get_urls(self) -> list:
        view = self.admin_site.admin_view
        own = [
            path("new/<slug:name>/", view(export_page), name="supporters_export_new"),
            path("<int:pk>/file/", view(self.fetch), name="supporters_export_file"),
        ]
        return own + super().get_urls()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.is_staff

    def has_view_permission(self, request: HttpRequest, obj: Export | None = None) -> bool:
        if obj is None or obj.by_id == request.user.pk:
            return self.has_module_permission(request)
        return super().has_view_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Export]:
        rows = super().get_queryset(request)
        return rows if super().has_view_permission(request) else rows.filter(by=request.user)

    @display(description=_("by"))
    def by_whom(self, export: Export) -> str:
        return str(export.by or gettext("the command line"))

    @display(
        description=_("state"),
        label={
            "streamed": "success",
            "done": "success",
            "queued": "info",
            "making": "info",
            "failed": "danger",
            "withdrawn": "warning",
            "cancelled": "warning",
        },
    )
    def status(self, export: Export) -> tuple[str, str]:
        return export.state, export.get_state_display()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        export = get_object_or_404(self.get_queryset(request), pk=key(str(object_id)))
        if request.method == "POST":
            return self._cancel(request, export)
        inside = bool(request.GET.get("part"))
        context = {
            "export": export,
            "may_fetch": making.may_fetch(export, request.user),
            "may_cancel": export.by_id == request.user.pk or request.user.has_perm("supporters.fetch_export"),
            "live": export.state in {State.QUEUED, State.MAKING},
        }
        if not inside:
            context |= {**self.admin_site.each_context(request), "opts": self.opts, "title": export.what}
        name = "export_progress_inside" if inside else "export_progress"
        return TemplateResponse(request, f"supporters/admin/{name}.html", context)

    def _cancel(self, request: HttpRequest, export: Export) -> HttpResponse:
        if export.by_id != request.user.pk and not request.user.has_perm("supporters.fetch_export"):
            raise PermissionDenied
        if making.cancel(export):
            self.log_change(request, export, gettext("Cancelled, or its file deleted."))
            messages.success(request, gettext("There is no file of it any more."))
        return HttpResponseRedirect(reverse("admin:supporters_export_change", args=[export.pk]))

    def fetch(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        export = get_object_or_404(Export, pk=pk, state=State.DONE)
        if not making.may_fetch(export, request.user):
            raise PermissionDenied
        self.log_change(request, export, gettext("Fetched."))
        return answer(export, making.content(export), size=export.file_size)
