"""Segments on the staff site: the builder, its live count, the members."""

import json

from babel import Locale
from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import OperationalError, connection, transaction
from django.db.models import ProtectedError, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextareaWidget

from campaigns.models import Segment
from campaigns.segments import describe, query
from campaigns.segments.fields import FIELDS
from campaigns.segments.refresh import request as request_refresh
from campaigns.segments.rules import problems_of
from campaigns.tasks import refresh_segment
from supporters.admin.base import RecordAdmin
from supporters.admin.exporting import export_link, may_export
from supporters.admin.pages import StaffForm, form_page
from supporters.exporting.listings import COUNT_LIMIT
from supporters.models import Supporter

SAMPLE = 10
PATIENCE = 5000
"""Milliseconds that a live count may take."""
CURRENCIES = ("SEK", "EUR", "USD", "GBP", "DKK", "NOK", "PLN", "CZK", "HUF", "RON", "BGN", "CHF")


class RulesWidget(UnfoldAdminTextareaWidget):
    """The builder; without JavaScript, the rules as text."""

    template_name = "campaigns/admin/rules_widget.html"

    class Media:
        js = ["campaigns/rules.js"]
        css = {"all": ["campaigns/rules.css"]}

    def format_value(self, value: object) -> str:
        return value if isinstance(value, str) else json.dumps(value or {})


class SegmentForm(forms.ModelForm):
    class Meta:
        model = Segment
        fields = ["name", "description", "rules"]
        widgets = {"rules": RulesWidget}

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        if "rules" in self.fields:
            self.fields["rules"].required = False

    def clean_rules(self) -> dict:
        rules = self.cleaned_data.get("rules") or {}
        if problems := problems_of(rules, self.instance):
            raise forms.ValidationError([message for _place, message in problems])
        return rules


@admin.register(Segment)
class SegmentAdmin(RecordAdmin):
    form = SegmentForm
    list_display = ["name", "people", "refreshed_at", "in_words", "status"]
    search_fields = ["name"]
    ordering = ["name"]
    readonly_fields = ["size", "refreshed_at", "trouble"]
    actions = ["refresh_now"]
    actions_detail = ["refresh_this", "show_members", "export_members"]
    fieldsets = [(None, {"fields": ["name", "description", "rules", ("size", "refreshed_at"), "trouble"]})]

    def get_urls(self) -> list:
        view = self.admin_site.admin_view
        own = [
            path("count/", view(self.count_view), name="campaigns_segment_count"),
            path("things/<slug:name>/", view(self.things_view), name="campaigns_segment_things"),
            path("<int:pk>/members/", view(self.members_view), name="campaigns_segment_members"),
        ]
        return own + super().get_urls()

    def save_model(self, request: HttpRequest, obj: Segment, form: forms.ModelForm, change: bool) -> None:
        if change:
            obj.save(update_fields=form.changed_data)
        else:
            obj.created_by = request.user
            obj.save()
        if not change or "rules" in form.changed_data:
            self._ask(Segment.objects.filter(pk=obj.pk))

    def delete_model(self, request: HttpRequest, obj: Segment) -> None:
        obj.delete()

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict | None = None) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except ProtectedError:
            self.message_user(
                request, _("An appeal or an audience uses this segment: it can't be deleted."), level="ERROR"
            )
            return HttpResponseRedirect(reverse("admin:campaigns_segment_change", args=[object_id]))

    # List ---------------------------------------------------------------------------------------

    @display(description=_("People"), ordering="size")
    def people(self, segment: Segment) -> str:
        return "–" if segment.size is None else f"{segment.size:,}".replace(",", "\u202f")

    @display(description=_("Who"))
    def in_words(self, segment: Segment) -> str:
        number = _count_rules(segment.rules)
        rules = ngettext("%(number)s rule", "%(number)s rules", number) if number else gettext("Everybody")
        return segment.description or rules % {"number": number}

    @display(description=_("State"), label={"ok": "success", "wait": "info", "error": "danger"})
    def status(self, segment: Segment) -> tuple[str, str]:
        if segment.error:
            return "error", gettext("Rules want a look")
        return ("wait", gettext("Refreshing")) if segment.refresh_requested_at else ("ok", gettext("Good"))

    @display(description=_("What is wrong"))
    def trouble(self, segment: Segment) -> str:
        return segment.error or "–"

    @action(description=_("Refresh the chosen segments"), permissions=["change"])
    def refresh_now(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._ask(queryset)
        self.message_user(request, _("They will be up to date in a moment."))

    @action(description=_("Refresh now"), url_path="refresh", icon="refresh", permissions=["change"])
    def refresh_this(self, request: HttpRequest, object_id: int) -> HttpResponse:
        back = reverse("admin:campaigns_segment_change", args=[object_id])
        if request.method == "POST":
            self._ask(Segment.objects.filter(pk=object_id))
            self.message_user(request, _("It will be up to date in a moment."))
            return HttpResponseRedirect(back)
        text = gettext("A worker brings the members up to date. It is done every half hour by itself.")
        return form_page(
            request, StaffForm(), title=gettext("Refresh now"), submit=gettext("Refresh now"), back=back, text=text
        )

    @action(description=_("Members"), url_path="people", icon="group", permissions=["see_members"])
    def show_members(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:campaigns_segment_members", args=[object_id]))

    def has_see_members_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("supporters.view_supporter")

    @action(description=_("Export…"), url_path="export-members", icon="download", permissions=["export_members"])
    def export_members(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return HttpResponseRedirect(export_link("segment", segment=object_id))

    def has_export_members_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return may_export(request, "segment", segment=object_id)

    def _ask(self, queryset: QuerySet[Segment]) -> None:
        keys = list(queryset.values_list("pk", flat=True))
        request_refresh(queryset)
        for key in keys:
            refresh_segment.delay_on_commit(key)

    # Builder ------------------------------------------------------------------------------------

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict | None = None,
    ) -> HttpResponse:
        vocabulary = {**_vocabulary(), "count": reverse("admin:campaigns_segment_count"), "segment": object_id or ""}
        return super().changeform_view(
            request, object_id, form_url, {**(extra_context or {}), "vocabulary": vocabulary}
        )

    def count_view(self, request: HttpRequest) -> JsonResponse:
        """How many people the rules find just now, with a few of them, and the rules in words."""
        if request.method != "POST" or not self.has_view_permission(request):
            raise PermissionDenied
        try:
            sent = json.loads(request.body or b"{}")
            rules, number = sent.get("rules"), sent.get("segment")
        except (ValueError, AttributeError, RecursionError):
            return JsonResponse({"problems": [["", gettext("These are no rules.")]]}, status=400)
        segment = Segment.objects.filter(pk=number).first() if str(number or "").isdigit() else None
        if problems := problems_of(rules, segment):
            return JsonResponse({"problems": problems, "words": ""})
        try:
            answer = self._count(request, rules)
        except OperationalError:
            answer = {"slow": gettext("Counting takes longer than usual. Save it, and a worker counts in peace.")}
        return JsonResponse({**answer, "problems": [], "words": describe(rules)})

    def _count(self, request: HttpRequest, rules: object) -> dict:
        people = query(rules)
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(PATIENCE)])
            answer: dict = {"count": people.count()}
            if request.user.has_perm("supporters.view_supporter"):
                answer["sample"] = [
                    {
                        "name": str(person),
                        "place": " ".join(filter(None, [person.country, person.language])),
                        "link": reverse("admin:supporters_supporter_change", args=[person.pk]),
                    }
                    for person in people.order_by("-pk")[:SAMPLE]
                ]
        return answer

    def things_view(self, request: HttpRequest, name: str) -> JsonResponse:
        """What a rule can name: tags, petitions, appeals and so on, by part of the name or by their keys."""
        field = FIELDS.get(name)
        if field is None or field.model is None:
            raise PermissionDenied
        model = field.model._meta
        if not request.user.has_perm(f"{model.app_label}.view_{model.model_name}"):
            raise PermissionDenied
        column = "title" if model.model_name == "petition" else "name"
        rows = field.model.objects.order_by(column)
        keys = [int(key) for key in request.GET.get("keys", "").split(",") if key.isascii() and key.isdigit()][:300]
        rows = (
            rows.filter(pk__in=keys)
            if keys
            else rows.filter(**{f"{column}__icontains": request.GET.get("q", "")[:100]})
        )
        return JsonResponse({"things": [{"value": row.pk, "label": str(row)} for row in rows[: len(keys) or 30]]})

    # Members ------------------------------------------------------------------------------------

    def members_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not (self.has_view_permission(request) and request.user.has_perm("supporters.view_supporter")):
            raise PermissionDenied
        segment = get_object_or_404(Segment, pk=pk)
        # Who left since the last refresh isn't shown: nobody will write to them.
        people = Supporter.objects.contactable().filter(pk__in=segment.members.values("supporter")).order_by("-pk")
        paginator = Paginator(people, 50)
        paginator.count = min(segment.size or 0, COUNT_LIMIT)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("In “%(segment)s”") % {"segment": segment},
            "segment": segment,
            "page": paginator.get_page(request.GET.get("page")),
            "export": export_link("segment", segment=pk) if may_export(request, "segment", segment=pk) else "",
        }
        return TemplateResponse(request, "campaigns/admin/segment_members.html", context)


def _count_rules(rules: object) -> int:
    members = rules.get("rules", []) if isinstance(rules, dict) else []
    if not isinstance(members, list):
        return 0
    return sum(_count_rules(member) if isinstance(member, dict) and "rules" in member else 1 for member in members)


def _vocabulary() -> dict:
    """All that the builder needs to draw itself, in the reader's language."""
    locale = Locale.parse(get_language() or "en", sep="-")
    countries = {
        code: name
        for code, name in locale.territories.items()
        if len(code) == 2 and code.isalpha() and code not in {"EU", "EZ", "UN", "QO", "ZZ", "XA", "XB"}
    }
    languages = {code: locale.languages.get(code, code).capitalize() for code, _name in settings.LANGUAGES}
    return {
        "fields": [
            {
                "name": field.name,
                "label": str(field.label),
                "group": str(field.group),
                "things": reverse("admin:campaigns_segment_things", args=[field.name]) if field.model else "",
                "ops": [{"name": op.name, "label": str(op.label), "takes": op.takes} for op in field.ops],
            }
            for field in FIELDS.values()
        ],
        "countries": sorted(countries.items(), key=lambda pair: pair[1]),
        "languages": sorted(languages.items(), key=lambda pair: pair[1]),
        "currencies": CURRENCIES,
        "words": {
            "all": gettext("All of these hold"),
            "any": gettext("Any of these holds"),
            "none": gettext("None of these holds"),
            "add_rule": gettext("Add a rule"),
            "add_group": gettext("Add a group"),
            "remove": gettext("Remove"),
            "search": gettext("Search…"),
            "people": gettext("people who may be written to"),
            "counting": gettext("Counting…"),
            "failed": gettext("The count did not work just now."),
            "any_of_them": gettext("any"),
            "and": gettext("and"),
            "this_year": gettext("this year"),
            "everybody": gettext("No rules yet: everybody who may be written to."),
        },
    }
