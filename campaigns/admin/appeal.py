from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import StackedInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from campaigns.admin import appeal_pages as pages
from campaigns.admin import appeal_results as results
from campaigns.admin.appeal_forms import (
    AppealForm,
    AppealTextForm,
    AppealTextFormSet,
    AppealVariantForm,
    AppealVariantFormSet,
)
from campaigns.appeals import schedule, texts
from campaigns.appeals.schedule import Refusal
from campaigns.mail import fields
from campaigns.models import Appeal, AppealText, AppealVariant, Audience
from supporters.admin.base import RecordAdmin

TEST = _("Test of variants")
STATE_LABELS = {
    "draft": "",
    "scheduled": "info",
    "sending": "warning",
    "paused": "danger",
    "sent": "success",
    "cancelled": "",
}


class AppealTextInline(StackedInline):
    model = AppealText
    form = AppealTextForm
    formset = AppealTextFormSet
    fields = ["language", "subject", "preheader", "body", "up_to_date"]
    extra = 0
    ordering = ["pk"]

    def get_min_num(self, request: HttpRequest, obj: Appeal | None = None, **kwargs: Any) -> int:
        return 1 if obj is None else 0

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "body" and field is not None:
            field.widget.attrs.update(rows=18, dir="auto", spellcheck="true")
            field.help_text = render_to_string(
                "admin/campaigns/appeal/writing_help.html", {"fields": fields.available()}
            )
        return field

    def has_change_permission(self, request: HttpRequest, obj: Appeal | None = None) -> bool:
        return super().has_change_permission(request, obj) and _editable(obj)

    def has_add_permission(self, request: HttpRequest, obj: Appeal | None = None) -> bool:
        return super().has_add_permission(request, obj) and _editable(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Appeal | None = None) -> bool:
        # Once launched, each person's language is settled: its text has to stay.
        return super().has_delete_permission(request, obj) and (obj is None or obj.launched_at is None)


class AppealVariantInline(StackedInline):
    model = AppealVariant
    form = AppealVariantForm
    formset = AppealVariantFormSet
    fields = [("letter", "language"), "subject", "preheader", "body"]
    extra = 0
    verbose_name_plural = _("Variants to test: up to three beside the text itself, which is A")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "body" and field is not None:
            field.widget.attrs.update(rows=10, dir="auto", spellcheck="true")
        return field

    def has_change_permission(self, request: HttpRequest, obj: Appeal | None = None) -> bool:
        return super().has_change_permission(request, obj) and _editable(obj)

    def has_add_permission(self, request: HttpRequest, obj: Appeal | None = None) -> bool:
        # Once launched, it is settled who gets which.
        return super().has_add_permission(request, obj) and (obj is None or _not_launched(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Appeal | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or _not_launched(obj))


@admin.register(Appeal)
class AppealAdmin(RecordAdmin):
    form = AppealForm
    list_display = ["name", "state_label", "when", "segment", "sent", "clicked", "gifts", "campaign"]
    list_filter = [
        ("state", ChoicesDropdownFilter),
        ("campaign", RelatedDropdownFilter),
        ("segment", RelatedDropdownFilter),
    ]
    list_filter_submit = True
    list_select_related = ["segment", "campaign"]
    search_fields = ["name", "source_code"]
    actions = None
    change_form_outer_before_template = "admin/campaigns/appeal/panel.html"
    fieldsets = [
        (None, {"fields": [("name", "source_code"), ("segment", "campaign"), "default_language"]}),
        (_("Sender"), {"fields": [("sender_name", "sender_email"), "reply_to"]}),
        (_("Hours"), {"fields": [("hours_from", "hours_until")]}),
        (_("What came of it"), {"fields": ["count_clicks"]}),
        (TEST, {"fields": [("test_share", "test_hours"), "test_by"]}),
    ]

    class Media:
        css = {"all": ["campaigns/appeal.css"]}
        js = ["campaigns/appeal.js"]

    @display(description=_("state"), ordering="state", label=STATE_LABELS)
    def state_label(self, appeal: Appeal) -> tuple[str, str]:
        return appeal.state, appeal.get_state_display()

    @admin.display(description=_("goes out"), ordering="scheduled_at")
    def when(self, appeal: Appeal) -> SafeString | str:
        return pages.when(appeal)

    @admin.display(description=_("sent"), ordering="recipients")
    def sent(self, appeal: Appeal) -> str:
        return results.grouped(appeal.figures.sent) if appeal.launched_at else "–"

    @admin.display(description=_("clicked"))
    def clicked(self, appeal: Appeal) -> str:
        return results.per_cent(appeal.figures.rate(appeal.figures.clicked))

    @admin.display(description=_("gifts"))
    def gifts(self, appeal: Appeal) -> str:
        return f"{appeal.figures.gifts}: {appeal.income_in_words}" if appeal.income_in_words else "–"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return results.AppealList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Appeal]:
        return super().get_queryset(request).select_related("segment", "campaign")

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path(f"<int:pk>/{name}/", wrap(view), {"model_admin": self}, f"campaigns_appeal_{name}")
            for name, view in pages.PAGES.items()
        ]
        act = path("<int:pk>/do/<str:name>/", wrap(pages.act), {"model_admin": self}, "campaigns_appeal_act")
        return [*own, act, *super().get_urls()]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, str]:
        name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
        initial = {"sender_name": name or settings.ORGANISATION_NAME, "sender_email": address}
        return {**initial, **super().get_changeform_initial_data(request)}

    def get_readonly_fields(self, request: HttpRequest, obj: Appeal | None = None) -> list[str]:
        if obj is not None and obj.launched_at:
            fixed = ["segment", "campaign", "source_code", "default_language", "channel", "audience"]
            return [*fixed, "hours_from", "hours_until", "test_share", "test_hours", "test_by"]
        return []

    def get_inlines(self, request: HttpRequest, obj: Appeal | None) -> list[type[StackedInline]]:
        return [AppealTextInline, AppealVariantInline] if _may_be_tested(obj) else [AppealTextInline]

    def get_fieldsets(self, request: HttpRequest, obj: Appeal | None = None) -> list:
        first, *others = super().get_fieldsets(request, obj)
        if not _may_be_tested(obj):
            others = [each for each in others if each[0] != TEST]
        if Audience.objects.exists():
            others = [(_("How it goes out"), {"fields": [("channel", "audience")]}), *others]
        return [first, *others]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Appeal | None = None) -> dict:
        return {"source_code": ["name"]} if obj is None else {}

    def has_change_permission(self, request: HttpRequest, obj: Appeal | None = None) -> bool:
        return super().has_change_permission(request, obj) and _editable(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Appeal | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (
            obj is None or (obj.state == Appeal.State.DRAFT and obj.launched_at is None)
        )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict | None = None,
    ) -> HttpResponse:
        context = extra_context or {}
        appeal = self.get_object(request, object_id) if object_id else None
        if appeal is not None and self.has_view_permission(request, appeal):
            context["panel"] = pages.panel(request, appeal)
        try:
            return super().changeform_view(request, object_id, form_url, context)
        except Refusal as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return HttpResponseRedirect(request.path)

    def save_model(self, request: HttpRequest, obj: Appeal, form: ModelForm, change: bool) -> None:
        if not change:
            obj.created_by = request.user
            super().save_model(request, obj, form, change)
            return
        # The form may have been open while somebody else scheduled the appeal: the state decides, not the form.
        current = Appeal.objects.select_for_update().get(pk=obj.pk)
        if not _editable(current):
            raise Refusal(
                _("Nothing was saved: the appeal is “%(state)s” by now.")
                % {"state": current.get_state_display().lower()}
            )
        changed = [name for name in form.changed_data if name in form.cleaned_data]
        if changed:
            obj.save(update_fields=changed)

    def save_related(self, request: HttpRequest, form: ModelForm, formsets: list, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        for formset in formsets:
            if isinstance(formset, AppealTextFormSet):
                texts.note_changes(
                    form.instance,
                    formset.changed_languages(),
                    formset.confirmed_languages(),
                    new_main=change and "default_language" in form.changed_data,
                )
            elif formset.has_changed():
                texts.ask_again(form.instance)


def _may_be_tested(appeal: Appeal | None) -> bool:
    return appeal is None or appeal.launched_at is None or appeal.variants.exists()


def _not_launched(appeal: Appeal) -> bool:
    return _editable(appeal) and appeal.launched_at is None


def _editable(appeal: Appeal | None) -> bool:
    return appeal is None or appeal.state in schedule.EDITABLE
