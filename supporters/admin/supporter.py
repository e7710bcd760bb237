from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import action, display

from supporters import consent, finding
from supporters.addresses import AddressError, normalise_email
from supporters.admin import receipts
from supporters.admin.base import RecordAdmin, search
from supporters.admin.erasure import erase_many, erase_one, erased_page
from supporters.admin.exporting import ExportedList
from supporters.admin.hinting import hint, hint_of_merged
from supporters.admin.merging import merge_chosen, merge_page, merges_of
from supporters.admin.pages import StaffForm, form_page
from supporters.admin.reading import LanguageField
from supporters.admin.supporter_filters import ContactFilter, CountryFilter, GivingFilter, LanguageFilter, MarkFilter
from supporters.admin.supporter_form import SupporterForm
from supporters.hygiene.marks import Mark
from supporters.keys import key
from supporters.models import Consent, Donation, Merge, Purpose, Reference, Signature, Supporter, Suppression, Tag
from supporters.models.supporter import words_in


class ReferenceInline(TabularInline):
    model = Reference
    extra = 0
    tab = True


class LedgerInline(TabularInline):
    """Rows to read beneath a person; they change through their own doors."""

    extra = 0
    tab = True
    can_delete = False
    show_change_link = True
    max_num = 0
    per_page = 20

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class ConsentInline(LedgerInline):
    model = Consent
    fields = ["purpose", "organisation", "state", "wording", "language", "method", "source", "happened_at"]
    ordering = ["-happened_at", "-pk"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("organisation")


class DonationInline(LedgerInline):
    model = Donation
    fields = ["received_on", "amount", "currency", "method", "state", "source_code", "designation"]
    ordering = ["-received_on", "-pk"]


class SignatureInline(LedgerInline):
    model = Signature
    fields = ["petition", "state", "country", "source_code", "created_at"]
    ordering = ["-created_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("petition")


class ConsentForm(StaffForm):
    """A grant with its proof, or a withdrawal."""

    purpose = forms.ChoiceField(
        label=_("Purpose"), choices=[item for item in Purpose.choices if item[0] != Purpose.PARTNER]
    )
    state = forms.ChoiceField(
        label=_("What the person said"),
        choices=[(Consent.State.GRANTED, _("Yes: granted")), (Consent.State.WITHDRAWN, _("No: withdrawn"))],
    )
    wording = forms.CharField(
        label=_("In which words they were asked"),
        widget=forms.Textarea,
        required=False,
        help_text=_("Needed for a yes."),
    )
    language = LanguageField(label=_("Language of the words"))
    source = forms.CharField(
        label=_("Where"),
        max_length=250,
        required=False,
        help_text=_("A call, a letter, a list at a stall: what can be shown as proof."),
    )

    def clean(self) -> dict:
        data = super().clean()
        if data.get("state") == Consent.State.GRANTED:
            for name in ("wording", "source"):
                if not data.get(name):
                    self.add_error(name, _("A yes needs its proof."))
        return data


def _as_kept(email: str | None) -> str | None:
    try:
        return normalise_email(email or "")
    except AddressError:
        return email


@admin.register(Supporter)
class SupporterAdmin(ExportedList, RecordAdmin):
    listing = "supporters"
    form = SupporterForm
    list_display = ["person", "email", "country", "language", "contact", "marked", "organisation", "created_at"]
    list_filter = [
        CountryFilter,
        LanguageFilter,
        ContactFilter,
        GivingFilter,
        MarkFilter,
        ("tags", AutocompleteSelectFilter),
        ("organisation", AutocompleteSelectFilter),
    ]
    list_select_related = []
    list_prefetch = ["organisation"]
    sortable_by = ["email", "created_at"]
    search_fields = ["search"]
    search_help_text = _("Name, email, phone or city, in any spelling of accents; or a reference.")
    ordering = ["-created_at", "-pk"]
    autocomplete_fields = ["organisation", "tags"]
    readonly_fields = ["uuid", "created_at", "updated_at", "sharing", "odd", "merged"]
    inlines = [ReferenceInline, ConsentInline, DonationInline, SignatureInline]
    actions = ["merge_chosen", "erase_chosen"]
    actions_detail = [
        "timeline",
        "record_consent",
        {"title": _("Privacy"), "icon": "shield_person", "items": ["never", "receipts", "disclose", "erase"]},
    ]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("first_name", "last_name"),
                    ("email", "phone"),
                    "sharing",
                    "merged",
                    "odd",
                    ("language", "country"),
                    ("how_often", "discreet"),
                    "birth_date",
                ]
            },
        ),
        (_("Postal address"), {"fields": ["street", ("postcode", "city"), "region"], "classes": ["tab"]}),
        (_("Belongs to"), {"fields": ["organisation", "tags", "source_code"], "classes": ["tab"]}),
        (_("Record"), {"fields": ["uuid", ("created_at", "updated_at")], "classes": ["tab"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return (
            super()
            .get_queryset(request)
            .annotate(email_consent=Consent.objects.latest_state(OuterRef("pk"), Purpose.EMAIL))
        )

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        term = search_term.strip()[:100]
        if not term:
            return queryset, False
        exact = Reference.objects.filter(identifier=term).values_list("supporter")
        exact = exact.union(
            Merge.objects.standing().filter(other_email=term.lower()).values_list("survivor"), all=True
        )
        fuzzy = Supporter.objects.matching(term).values_list("pk")
        return search(queryset, exact, fuzzy, words_in("search", term)), False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False  # people leave through erasure, which keeps the books and the suppression

    @display(description=_("Name"), ordering="last_name")
    def person(self, supporter: Supporter) -> str:
        return str(supporter)

    @display(
        description=_("Email consent"),
        label={_("granted"): "success", _("requested"): "info", _("withdrawn"): "danger", _("none"): "warning"},
    )
    def contact(self, supporter: Supporter) -> str:
        return gettext(supporter.email_consent or "none")

    @display(description=_("Shares an address"))
    def sharing(self, supporter: Supporter) -> str:
        """Who else is behind one email address, with links to their pages."""
        first = supporter.shares_email_with
        others = list(supporter.sharing_email.order_by("pk")[:20])
        lines = []
        if first:
            lines.append((gettext("Reached through"), first))
        lines += [(gettext("Reaches also"), other) for other in others]
        links = [
            (label, reverse("admin:supporters_supporter_change", args=[one.pk]), str(one)) for label, one in lines
        ]
        return format_html_join(mark_safe("<br>"), '{} <a class="underline" href="{}">{}</a>', links) or "—"

    @display(description=_("Marks"))
    def marked(self, supporter: Supporter) -> str:
        return ", ".join(str(Mark(mark).label) for mark in supporter.marks) or "—"

    @display(description=_("Marks"))
    def odd(self, supporter: Supporter) -> str:
        """The marks, with who else has the address."""
        lines = [(Mark(mark).label, "", "") for mark in supporter.marks if mark != Mark.TAKEN]
        if Mark.TAKEN in supporter.marks:
            others = Supporter.objects.filter(email=_as_kept(supporter.email)).exclude(pk=supporter.pk)
            lines += [
                (Mark.TAKEN.label, reverse("admin:supporters_supporter_change", args=[other.pk]), str(other))
                for other in others
            ]
        return format_html_join(mark_safe("<br>"), '{} <a class="underline" href="{}">{}</a>', lines) or "—"

    def save_model(self, request: HttpRequest, obj: Supporter, form: forms.ModelForm, change: bool) -> None:
        before, obj.marks = set(obj.marks), form.cleaned_data["marks"]
        if not change:
            obj.save()
        elif changed := {name for name in form.changed_data if name != "tags"}:
            obj.updated_at = timezone.now()
            obj.save(update_fields=[*changed | {"phone", "postcode", "marks"}, "updated_at"])
        if "email" in form.changed_data:
            hint_of_merged(request, obj)
        if new := [str(Mark(mark).label) for mark in obj.marks if mark not in before]:
            self.message_user(request, _("Marked: %(marks)s.") % {"marks": ", ".join(new)}, messages.WARNING)

    def save_related(self, request: HttpRequest, form: forms.ModelForm, formsets: list, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        told_of = {"first_name", "last_name", "email", "birth_date", "phone", "street", "postcode", "city"}
        references = any(formset.model is Reference and formset.has_changed() for formset in formsets)
        if not change or references or told_of & set(form.changed_data):
            hint(request, form.instance)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        pk = key(str(object_id))
        if pk and self.has_view_permission(request) and self.get_object(request, object_id) is None:
            if survivor := finding.by_pk(pk):
                return self._to_survivor(request, survivor)
            if gone := erased_page(request, pk):
                return gone
        return super().change_view(request, object_id, form_url, extra_context)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Supporter | None:
        """Nobody merges or erases them while they are saved."""
        found = super().get_object(request, object_id, from_field)
        if found and request.method == "POST" and connection.in_atomic_block:
            there = Supporter.objects.select_for_update(no_key=True).filter(pk=found.pk).values_list("pk")
            return found if there.first() else None
        return found

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: object, object_id: str) -> HttpResponse:
        """Merged away since change_view looked."""
        if (pk := key(str(object_id))) and (survivor := finding.by_pk(pk)):
            return self._to_survivor(request, survivor)
        return super()._get_obj_does_not_exist_redirect(request, opts, object_id)

    def _to_survivor(self, request: HttpRequest, survivor: Supporter) -> HttpResponse:
        if request.method == "POST":
            text = _("The record that you wrote in was merged into this one meanwhile. Nothing was saved.")
            self.message_user(request, text, messages.WARNING)
        return redirect("admin:supporters_supporter_change", survivor.pk)

    def get_urls(self) -> list:
        many = self.admin_site.admin_view(self._erase_many)
        two = self.admin_site.admin_view(self._merge)
        return [
            path("erase/", many, name="supporters_supporter_erase_many"),
            path("<int:one>/merge/<int:other>/", two, name="supporters_supporter_merge"),
            *super().get_urls(),
        ]

    def _merge(self, request: HttpRequest, one: int, other: int) -> HttpResponse:
        if not self.has_merge_permission(request):
            raise PermissionDenied
        return merge_page(request, one, other)

    @action(description=_("Merge two records…"), permissions=["merge"])
    def merge_chosen(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return merge_chosen(request, queryset)

    def has_merge_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("supporters.merge_supporter")

    @display(description=_("Merged into it"))
    def merged(self, supporter: Supporter) -> str:
        return merges_of(supporter)

    def _erase_many(self, request: HttpRequest) -> HttpResponse:
        if not self.has_erase_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return redirect("admin:supporters_supporter_changelist")
        return erase_many(request)

    @action(description=_("Erase…"), permissions=["erase"])
    def erase_chosen(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        return erase_many(request, queryset)

    @action(description=_("Timeline"), url_path="timeline", icon="history")
    def timeline(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return redirect("crm:timeline", object_id)

    @action(description=_("Record consent"), url_path="consent", icon="verified_user", permissions=["record_consent"])
    def record_consent(self, request: HttpRequest, object_id: int) -> HttpResponse:
        supporter = get_object_or_404(Supporter, pk=object_id)
        back = reverse("admin:supporters_supporter_change", args=[supporter.pk])
        form = ConsentForm(request.POST or None, initial={"language": supporter.language})
        if request.method == "POST" and form.is_valid():
            data = dict(form.cleaned_data)
            state, purpose = data.pop("state"), data.pop("purpose")
            proof = {"method": Consent.Method.STAFF, "source": data["source"], "recorded_by": request.user}
            if state == Consent.State.GRANTED:
                consent.grant(supporter, purpose, wording=data["wording"], language=data["language"], **proof)
            elif purpose == Purpose.EMAIL:
                consent.leave(supporter, **proof)
            else:
                consent.withdraw(supporter, purpose, **proof)
            self.log_change(request, supporter, [{"added": {"name": gettext("consent"), "object": state}}])
            self.message_user(request, _("It is recorded."))
            return HttpResponseRedirect(back)
        return form_page(
            request,
            form,
            title=gettext("Record consent: %(name)s") % {"name": supporter},
            submit=gettext("Record"),
            back=back,
        )

    def has_record_consent_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("supporters.add_consent")

    @action(description=_("Never write to…"), url_path="never", icon="block", permissions=["never"])
    def never(self, request: HttpRequest, object_id: int) -> HttpResponse:
        supporter = get_object_or_404(Supporter, pk=object_id)
        back = reverse("admin:supporters_supporter_change", args=[supporter.pk])
        if not supporter.email:
            self.message_user(request, _("There is no email address on this record."))
            return HttpResponseRedirect(back)
        if request.method == "POST":
            consent.leave(
                supporter, method=Consent.Method.STAFF, reason=Suppression.Reason.BY_HAND, recorded_by=request.user
            )
            self.log_change(request, supporter, gettext("Never to be written to."))
            self.message_user(request, _("This address is never written to again."))
            return HttpResponseRedirect(back)
        return form_page(
            request,
            StaffForm(),
            title=gettext("Never write to %(name)s?") % {"name": supporter},
            submit=gettext("Never write to this address"),
            back=back,
            danger=True,
            text=gettext("It holds for good, for the address itself: kept as a hash, it outlives the record."),
            points=[
                gettext("No appeal, no letter to confirm a signature, no receipt, and no Mailchimp."),
                gettext("No file brings them back, nor do they by signing or giving."),
                gettext("It is lifted by deleting the entry under Suppressions."),
            ],
        )

    def has_never_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("supporters.add_suppression")

    @action(description=_("Receipts of consent"), url_path="receipts", icon="receipt_long", permissions=["receipts"])
    def receipts(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return receipts.of_person(request, get_object_or_404(Supporter, pk=object_id))

    def has_receipts_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("supporters.view_consent")

    @action(description=_("All we hold…"), url_path="disclose", icon="contact_page", permissions=["disclose"])
    def disclose(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return redirect("crm:disclose", object_id)

    def has_disclose_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("supporters.disclose_supporter")

    @action(description=_("Erase…"), url_path="erase", icon="person_remove", permissions=["erase"])
    def erase(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return erase_one(request, object_id)

    def has_erase_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("supporters.erase_supporter")


@admin.register(Tag)
class TagAdmin(RecordAdmin):
    list_display = ["name"]
    search_fields = ["name"]
