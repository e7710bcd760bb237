"""Exporting supporters with all their columns, against stock django-import-export's export of the same rows to the same cells."""

import tracemalloc

from django.db import connection
from django.db.models import QuerySet
from import_export import resources
from import_export.fields import Field
from import_export.formats.base_formats import CSV, XLSX

from supporters.exporting import making
from supporters.exporting.listings import Asked, get
from supporters.models import Export, Supporter
from tests.benchmarks.measuring import PEER_ROWS, ROWS, line, seconds

_COMPUTED = ("may_be_emailed", "email_consent", "post_consent", "phone_consent")


class StockResource(resources.ModelResource):
    """The same columns; what is worked out by the database is annotated, and what there may be several of is prefetched."""

    organisation = Field("organisation__name", column_name="organisation")
    reached_through = Field("shares_email_with__email", column_name="reached_through")
    tags = Field(column_name="tags")
    reference = Field(column_name="reference")
    other_references = Field(column_name="other_references")
    may_be_emailed = Field("may_be_emailed", column_name="may_be_emailed")
    email_consent = Field("email_consent", column_name="email_consent")
    post_consent = Field("post_consent", column_name="post_consent")
    phone_consent = Field("phone_consent", column_name="phone_consent")

    class Meta:
        model = Supporter
        fields = [
            *("first_name", "last_name", "email", "phone", "language", "country", "birth_date", "street", "postcode"),
            *("city", "region", "organisation", "tags", "reference", "other_references", "source_code"),
            *("reached_through", "created_at", *_COMPUTED),
        ]

    def get_queryset(self) -> QuerySet:
        computed = {column.name: column.source for column in get("supporters").columns if column.name in _COMPUTED}
        people = super().get_queryset().order_by("-created_at", "-pk")[:PEER_ROWS]
        return (
            people.model.objects.filter(pk__in=[person.pk for person in people])
            .annotate(**computed)
            .select_related("organisation", "shares_email_with")
            .prefetch_related("tags", "references")
        )

    def dehydrate_tags(self, person: Supporter) -> str:
        return ", ".join(tag.name for tag in person.tags.all())

    def dehydrate_reference(self, person: Supporter) -> str:
        return next((each.identifier for each in person.references.all() if each.system == "donor"), "")

    def dehydrate_other_references(self, person: Supporter) -> str:
        return ", ".join(str(each) for each in person.references.all() if each.system != "donor")


def run() -> None:
    _fill(ROWS)
    for format, stock_format in (("csv", CSV), ("xlsx", XLSX)):
        _export(ROWS, format)  # what is loaded at first use
        peer = PEER_ROWS / seconds(lambda stock=stock_format: stock().export_data(StockResource().export()))
        ours = ROWS / seconds(lambda kind=format: _export(ROWS, kind))
        line("export.supporters", ours, peer, f"django-import-export, {format}", "rows/s")
        if format == "csv":
            small, memory = ours, _peak(ROWS)
    _fill(5 * ROWS)
    line("export.supporters.growth", 5 * ROWS / seconds(lambda: _export(5 * ROWS)), small, f"{ROWS} rows", "rows/s")
    line("export.supporters.memory", _peak(5 * ROWS), memory, f"{ROWS} rows", "bytes", more_is_better=False)


def _export(rows: int, format: str = "csv") -> None:
    listing, asked = get("supporters"), Asked()
    extent = listing.extent(asked)
    columns = [column.name for column in listing.offered(asked)]
    export = making.ask(listing, asked, extent, columns=columns, format=format, reason="To measure")
    making.work(export.pk)
    export.refresh_from_db()
    if export.state != Export.State.DONE or export.rows != rows:
        raise SystemExit(f"The export did not go well: {export.error or export.rows}")
    making.cancel(export)


def _peak(rows: int) -> int:
    tracemalloc.start()
    _export(rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def _fill(rows: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE supporters_supporter, supporters_importrun, campaigns_segment CASCADE")
        cursor.execute(
            """
            INSERT INTO supporters_supporter (first_name, last_name, email, phone, language, country, street, postcode, city)
            SELECT 'First ' || n, 'Last ' || n, 'p' || n || '@mail.se', '+46 70 ' || n, 'sv', 'SE', 'Gatan ' || n, '222 22', 'Lund'
            FROM generate_series(1, %(rows)s) n;
            INSERT INTO supporters_consent (supporter_id, purpose, state, wording, method)
            SELECT id, 'email', CASE WHEN id %% 5 = 0 THEN 'withdrawn' ELSE 'granted' END, 'Yes', 'form'
            FROM supporters_supporter WHERE id %% 2 = 0;
            INSERT INTO supporters_reference (supporter_id, system, identifier)
            SELECT id, 'donor', id FROM supporters_supporter WHERE id %% 3 = 0;
            INSERT INTO supporters_tag (name) SELECT 'Tag ' || n FROM generate_series(1, 10) n ON CONFLICT DO NOTHING;
            INSERT INTO supporters_supporter_tags (supporter_id, tag_id)
            SELECT s.id, t.id FROM supporters_supporter s JOIN supporters_tag t ON t.id %% 10 = s.id %% 10;
            """,
            {"rows": rows},
        )
        cursor.execute("ANALYZE")
