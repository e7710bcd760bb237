from babel import Locale
from django.conf import settings
from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from supporters.hygiene.marks import Mark
from supporters.models import Consent, Donation, Purpose


class CountryFilter(DropdownFilter):
    title = _("country")
    parameter_name = "country"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        names = Locale.parse(get_language() or "en", sep="-").territories
        return sorted(((code, name) for code, name in names.items() if len(code) == 2), key=lambda pair: pair[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(country=self.value()) if self.value() else queryset


class LanguageFilter(DropdownFilter):
    title = _("language")
    parameter_name = "language"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return settings.LANGUAGES

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(language=self.value()) if self.value() else queryset


class ContactFilter(DropdownFilter):
    title = _("email consent")
    parameter_name = "contact"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("yes", _("May be written to")), ("left", _("Has left")), ("no_email", _("No email address"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "yes":
            return queryset.contactable()
        if self.value() == "left":
            said_no = Consent.objects.filter(purpose=Purpose.EMAIL, state=Consent.State.WITHDRAWN)
            return queryset.filter(email_consent=Consent.State.WITHDRAWN, pk__in=said_no.values("supporter"))
        return queryset.filter(email=None) if self.value() == "no_email" else queryset


class GivingFilter(DropdownFilter):
    title = _("giving")
    parameter_name = "giving"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("donor", _("Has given")), ("never", _("Has never given")), ("monthly", _("Gives monthly"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        gifts = Exists(Donation.objects.received().filter(supporter=OuterRef("pk")))
        if self.value() == "donor":
            return queryset.filter(gifts)
        if self.value() == "never":
            return queryset.filter(~gifts)
        if self.value() == "monthly":
            return queryset.filter(
                recurring_donations__state="active", recurring_donations__interval="month"
            ).distinct()
        return queryset


class MarkFilter(DropdownFilter):
    title = _("marks")
    parameter_name = "mark"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return Mark.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.marked(self.value()) if self.value() else queryset
