"""Exports on the staff site: to those who may, guarded against formulas, and on record."""

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from import_export.admin import ExportMixin
from import_export.formats.base_formats import CSV, JSON, ODS, XLSX
from unfold.contrib.import_export.forms import ExportForm


class GuardedExport(ExportMixin):
    """Put it before RecordAdmin and set resource_classes."""

    export_form_class = ExportForm
    formats = [CSV, XLSX, ODS, JSON]
    skip_export_form_from_action = True

    def get_export_formats(self) -> list[type]:
        return self.formats

    def get_export_data(
        self, file_format: object, request: HttpRequest, queryset: QuerySet, **kwargs: object
    ) -> object:
        data = super().get_export_data(file_format, request, queryset, **kwargs)
        LogEntry.objects.create(
            user=request.user,
            content_type=ContentType.objects.get_for_model(self.model),
            object_id=None,
            object_repr=gettext("Export as %(format)s") % {"format": file_format.get_extension()},
            action_flag=CHANGE,
            change_message=gettext("%(number)s rows") % {"number": queryset.count()},
        )
        return data
