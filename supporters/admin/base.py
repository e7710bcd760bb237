"""What every list of records on the staff site has in common: it stays quick at a million rows."""

from functools import cached_property

from django.core.paginator import Paginator
from django.db import connection
from django.http import HttpRequest
from unfold.admin import ModelAdmin

COUNT_LIMIT = 10_000
"""Rows counted exactly; beyond, an estimate has to do."""


class EstimatingPaginator(Paginator):
    """Counts up to COUNT_LIMIT rows; of a whole table beyond that it takes the planner's estimate."""

    @cached_property
    def count(self) -> int:
        counted = self.object_list.order_by()[: COUNT_LIMIT + 1].count()
        if counted <= COUNT_LIMIT:
            return counted
        if self.object_list.query.where:
            return COUNT_LIMIT
        with connection.cursor() as cursor:
            table = self.object_list.model._meta.db_table
            cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [table])
            return max(cursor.fetchone()[0], COUNT_LIMIT)


class RecordAdmin(ModelAdmin):
    """The base of our admin classes. Set list_select_related and autocomplete_fields in each."""

    paginator = EstimatingPaginator
    show_full_result_count = False
    list_per_page = 50
    list_filter_submit = True
    warn_unsaved_form = True
    compressed_fields = True


class ReadOnlyAdmin(RecordAdmin):
    """Records that programs write and people read."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False
