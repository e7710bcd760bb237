"""What an export of each record holds. The formats are django-import-export's; the loading of files is not: see
supporters.importing."""

from django.db.models import OuterRef, QuerySet
from import_export import resources
from import_export.fields import Field

from supporters.exporting import guarded
from supporters.models import Consent, Donation, Purpose, Signature, Supporter


class GuardedResource(resources.ModelResource):
    """No cell of an export is a formula to a spreadsheet program."""

    def export_field(self, field: Field, instance: object, **kwargs: object) -> object:
        value = super().export_field(field, instance, **kwargs)
        return guarded(value) if isinstance(value, str) else value


class SupporterResource(GuardedResource):
    organisation = Field("organisation__name", column_name="organisation")
    tags = Field(column_name="tags")
    references = Field(column_name="references")
    email_consent = Field(column_name="email_consent")
    reached_through = Field("shares_email_with__email", column_name="reached_through")

    class Meta:
        model = Supporter
        fields = [
            *("first_name", "last_name", "email", "language", "country", "birth_date", "phone", "street", "postcode"),
            *("city", "region", "organisation", "tags", "references", "source_code", "email_consent"),
            *("reached_through", "created_at"),
        ]
        export_order = fields

    def get_queryset(self) -> QuerySet:
        return super().get_queryset().order_by("pk")

    def filter_export(self, queryset: QuerySet, **kwargs: object) -> QuerySet:
        state = Consent.objects.latest_state(OuterRef("pk"), Purpose.EMAIL)
        queryset = queryset.select_related("organisation", "shares_email_with").prefetch_related("tags", "references")
        return queryset.annotate(exported_consent=state)

    def dehydrate_tags(self, supporter: Supporter) -> str:
        return guarded(", ".join(tag.name for tag in supporter.tags.all()))

    def dehydrate_references(self, supporter: Supporter) -> str:
        return guarded(", ".join(str(reference) for reference in supporter.references.all()))

    def dehydrate_email_consent(self, supporter: Supporter) -> str:
        return supporter.exported_consent or ""


class DonationResource(GuardedResource):
    supporter = Field("supporter__name", column_name="supporter")
    email = Field("supporter__email", column_name="email")

    class Meta:
        model = Donation
        fields = [
            *("supporter", "email", "amount", "currency", "method", "state", "received_on", "source_code"),
            *("designation", "provider", "provider_id"),
        ]
        export_order = fields

    def filter_export(self, queryset: QuerySet, **kwargs: object) -> QuerySet:
        return queryset.select_related("supporter")


class SignatureResource(GuardedResource):
    petition = Field("petition__slug", column_name="petition")
    supporter = Field("supporter__name", column_name="supporter")
    email = Field("supporter__email", column_name="email")
    organisation = Field("organisation__name", column_name="organisation")

    class Meta:
        model = Signature
        fields = [
            *("petition", "supporter", "email", "country", "language", "state", "organisation", "source_code"),
            *("created_at", "validated_at", "comment"),
        ]
        export_order = fields

    def filter_export(self, queryset: QuerySet, **kwargs: object) -> QuerySet:
        return queryset.select_related("petition", "supporter", "organisation")
