"""What every list of records on the staff site has in common: it stays quick at a million rows."""

from collections.abc import Sequence
from functools import cached_property

from django.core.paginator import Paginator
from django.db import connection
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from supporters.exporting.listings import COUNT_LIMIT
from supporters.models import Supporter
from supporters.models.supporter import words_in

FEW = 1_000
"""What a search finds up to here is looked up by its keys."""


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


class RecordList(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.query and not self.get_filters_params():
            self.full_result_count = self.result_count  # else the page offers to “show all” of what it shows


class RecordAdmin(ModelAdmin):
    """The base of our admin classes. Set autocomplete_fields in each, and how its list gets what rows point at.

    Where rows are many, name that in list_prefetch with an empty list_select_related, so that rows are ordered alone,
    not all of them joined; and in sortable_by the columns that an index orders.
    """

    list_prefetch: Sequence[str] = ()

    paginator = EstimatingPaginator
    show_full_result_count = False
    list_per_page = 50
    list_filter_submit = True
    warn_unsaved_form = True
    compressed_fields = True

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related(*self.list_prefetch)

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[ChangeList]:
        return RecordList

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> list:
        """For a new record only what can be filled in: the rest has no value to show yet."""
        sets = super().get_fieldsets(request, obj)
        if obj is not None:
            return sets
        unknown = set(self.get_readonly_fields(request))
        shown = [(title, {**options, "fields": _without(options["fields"], unknown)}) for title, options in sets]
        return [(title, options) for title, options in shown if options["fields"]]


def _without(fields: Sequence, names: set[str]) -> list:
    kept = [tuple(_without(field, names)) if isinstance(field, tuple | list) else field for field in fields]
    return [field for field in kept if field and field not in names]


class ReadOnlyAdmin(RecordAdmin):
    """Records that programs write and people read."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False


class SearchedByPerson:
    """For lists of what belongs to people: it is found by their name, address, phone, city or reference."""

    search_fields = ["pk"]
    search_help_text = _("The person's name, email, phone or city, in any spelling of accents; or a reference.")
    person_path = "supporter"

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        term = search_term.strip()[:100]
        if not term:
            return queryset, False
        mine = self.model.objects.values_list("pk")
        exact = mine.filter(**{f"{self.person_path}__references__identifier": term})
        fuzzy = mine.filter(**{f"{self.person_path}__in": Supporter.objects.matching(term).values("pk")})
        return search(queryset, exact, fuzzy, words_in(f"{self.person_path}__search", term)), False


def search(rows: QuerySet, exact: QuerySet, fuzzy: QuerySet, condition: Q) -> QuerySet:
    """Of the rows, those that an exact or a fuzzy search finds; both select keys.

    Few are looked up by their keys, so that an index finds them. For many, the database had better walk down the
    list and check the condition until a page is full. What is found exactly must not drown among those, and is
    shown alone.
    """
    found = list(exact.union(fuzzy, all=True)[: FEW + 1])
    if len(found) > FEW:
        found = list(exact[:FEW])
        if not found:
            return rows.filter(condition)
    return rows.filter(pk__in={key for (key,) in found})
