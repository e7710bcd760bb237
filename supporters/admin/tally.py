"""Batches of signatures that were gathered elsewhere, on the staff site: entered, checked by somebody else, withdrawn."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldBooleanSwitchWidget

from supporters import tallying
from supporters.admin.base import RecordAdmin
from supporters.admin.pages import StaffForm, form_page
from supporters.admin.reading import CountryField
from supporters.models import Tally, TallyScan
from supporters.models.tally import FIRST_DAY
from supporters.tallying import scans

State = Tally.State


class TallyForm(forms.ModelForm):
    country = CountryField(
        label=gettext_lazy("Country"), required=True, help_text=gettext_lazy("One batch for each country.")
    )
    upload = forms.FileField(
        label=gettext_lazy("Scan"),
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text=gettext_lazy("PDF, JPEG or PNG. It holds people's names: only who may see scans can open it."),
    )
    again = forms.BooleanField(
        label=gettext_lazy("It is another batch than one that looks the same"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
    )

    class Meta:
        model = Tally
        fields = ["petition", "way", "organisation", "source", "number", "country", "place", "gathered_on", "no_scan"]

    def clean_gathered_on(self) -> Any:
        day = self.cleaned_data["gathered_on"]
        if day > timezone.localdate():
            raise forms.ValidationError(_("This day has not come yet."))
        if day < FIRST_DAY:
            raise forms.ValidationError(_("This is too long ago to be true."))
        return day

    def clean_upload(self) -> scans.Scan | None:
        file = self.cleaned_data["upload"]
        if not file:
            return None
        try:
            return scans.read(file)
        except scans.BadScan as trouble:
            raise forms.ValidationError(str(trouble)) from None

    def clean(self) -> dict:
        said = super().clean()
        scan = said.get("upload")
        if scan and said.get("no_scan"):
            self.add_error("no_scan", _("Leave this empty: there is a scan."))
        elif not scan and not said.get("no_scan") and "upload" not in self.errors:
            self.add_error("upload", _("Upload a scan, or say below why there is none."))
        if scan:
            self.instance.scan_type, self.instance.scan_size = scan.type, len(scan.content)
            self.instance.scan_hash = scan.hash
        return said

    def _post_clean(self) -> None:
        super()._post_clean()
        if self.errors:
            return
        tallying.take_turns(self.instance.petition)
        if found := tallying.with_this_scan(self.instance):
            text = _("This scan was entered for this country before, as batch %(number)s.")
            self.add_error("upload", text % {"number": found.pk})
        elif not self.cleaned_data["again"] and (found := tallying.like(self.instance)):
            text = _(
                "Batch %(number)s has the same petition, country, day and number. Tick this if it is another one."
            )
            self.add_error("again", text % {"number": found.pk})


class CheckForm(StaffForm):
    number = forms.IntegerField(
        label=gettext_lazy("How many signatures you count"),
        min_value=1,
        help_text=gettext_lazy("Count them yourself, from the scan or the source, before you write it."),
    )


class WithdrawForm(StaffForm):
    because = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=250,
        help_text=gettext_lazy("It is kept with your name. Nobody else's name."),
    )


@admin.register(Tally)
class TallyAdmin(RecordAdmin):
    form = TallyForm
    list_display = [
        "__str__",
        "petition",
        "way",
        "organisation",
        "country",
        "number",
        "gathered_on",
        "status",
        "entered_by",
    ]
    list_filter = [
        ("state", ChoicesDropdownFilter),
        ("way", ChoicesDropdownFilter),
        ("petition", AutocompleteSelectFilter),
        ("organisation", AutocompleteSelectFilter),
    ]
    list_select_related = ["petition", "organisation", "entered_by"]
    sortable_by = []
    ordering = ["-pk"]
    search_fields = ["source", "place"]
    search_help_text = gettext_lazy("Words of the source or the place.")
    autocomplete_fields = ["petition", "organisation"]
    actions_detail = ["check_batch", "withdraw"]
    readonly_fields = ["state", "file", "entered", "checked", "withdrawn"]

    def get_fieldsets(self, request: HttpRequest, obj: Tally | None = None) -> list:
        what = ["petition", ("way", "organisation"), "source", ("number", "gathered_on"), ("country", "place")]
        if obj is None:
            return [(None, {"fields": [*what, "upload", "no_scan", "again"]})]
        proof = ["file" if obj.scan_hash else "no_scan"]
        return [(None, {"fields": ["state", *what, *proof, "entered", "checked", "withdrawn"]})]

    def has_change_permission(self, request: HttpRequest, obj: Tally | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Tally | None = None) -> bool:
        return False

    def has_check_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("supporters.check_tally")

    def has_withdraw_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("supporters.add_tally") or self.has_check_permission(request)

    def get_urls(self) -> list:
        own = path(
            "<int:pk>/scan/", self.admin_site.admin_view(self.scan, cacheable=False), name="supporters_tally_scan"
        )
        return [own, *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: Tally, form: TallyForm, change: bool) -> None:
        tallying.enter(obj, form.cleaned_data["upload"], request.user)

    @display(
        description=gettext_lazy("State"),
        label={State.ENTERED: "info", State.CHECKED: "success", State.WITHDRAWN: "default"},
    )
    def status(self, tally: Tally) -> tuple[str, str]:
        return tally.state, tally.get_state_display()

    @display(description=gettext_lazy("Entered"))
    def entered(self, tally: Tally) -> str:
        return _who(tally.entered_by, tally.entered_at)

    @display(description=gettext_lazy("Checked"))
    def checked(self, tally: Tally) -> str:
        return _who(tally.checked_by, tally.checked_at)

    @display(description=gettext_lazy("Withdrawn"))
    def withdrawn(self, tally: Tally) -> str:
        who = _who(tally.withdrawn_by, tally.withdrawn_at)
        return f"{who}: {tally.withdrawn_because}" if tally.withdrawn_because else who

    @display(description=gettext_lazy("Scan"))
    def file(self, tally: Tally) -> SafeString | str:
        kept = f"{tally.get_scan_type_display()}, {tally.scan_size // 1024 + 1} kB"
        if not TallyScan.objects.filter(pk=tally.pk).exists():
            return _("%(kind)s; it was forgotten by the rules of retention.") % {"kind": kept}
        link = reverse("admin:supporters_tally_scan", args=[tally.pk])
        return format_html('<a class="font-medium underline" href="{}">{}</a> ({})', link, _("Save the scan"), kept)

    def scan(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The scan as a file to save, never shown in the browser; that it was handed out is kept with the batch."""
        if not request.user.has_perm("supporters.see_tally_scan"):
            raise Http404
        tally = get_object_or_404(Tally.objects.select_related("scan"), pk=pk, scan__isnull=False)
        _note(request, tally, _("The scan was handed out."))
        ending = scans.ENDINGS[tally.scan_type]
        return HttpResponse(
            bytes(tally.scan.content),
            content_type=tally.scan_type,
            headers={
                "Content-Disposition": f'attachment; filename="batch-{tally.pk}.{ending}"',
                "Content-Security-Policy": "default-src 'none'; sandbox",
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "no-store",
            },
        )

    @action(description=gettext_lazy("Check…"), url_path="check", icon="fact_check", permissions=["check"])
    def check_batch(self, request: HttpRequest, object_id: int) -> HttpResponse:
        tally = get_object_or_404(Tally.objects.select_related("petition"), pk=object_id)
        back = _page(tally)
        if tally.state != State.ENTERED or tally.entered_by_id == request.user.pk:
            mine = tally.entered_by_id == request.user.pk
            text = _("You entered it: somebody else checks it.") if mine else _("It was checked or withdrawn before.")
            self.message_user(request, text, messages.WARNING)
            return HttpResponseRedirect(back)
        form = CheckForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            if tallying.check(tally.pk, form.cleaned_data["number"], request.user):
                _note(request, tally, _("Checked."))
                self.message_user(request, _("It counts from now on."), messages.SUCCESS)
                return HttpResponseRedirect(back)
            form.add_error(
                "number",
                _(
                    "Another number was entered. Count once more; if yours is right, withdraw the batch and have it entered anew."
                ),
            )
        return form_page(
            request,
            form,
            title=_("Check batch %(number)s") % {"number": tally.pk},
            submit=_("Count it"),
            back=back,
            text=_("%(petition)s, %(country)s, gathered %(day)s. Source: %(source)s")
            % {
                "petition": tally.petition,
                "country": tally.country,
                "day": tally.gathered_on,
                "source": tally.source,
            },
        )

    @action(description=gettext_lazy("Withdraw…"), url_path="withdraw", icon="undo", permissions=["withdraw"])
    def withdraw(self, request: HttpRequest, object_id: int) -> HttpResponse:
        tally = get_object_or_404(Tally, pk=object_id)
        form = WithdrawForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            if tallying.withdraw(tally.pk, form.cleaned_data["because"], request.user):
                _note(request, tally, _("Withdrawn."))
                self.message_user(request, _("It was withdrawn. If it was wrong, enter it anew."), messages.SUCCESS)
            else:
                self.message_user(request, _("It was withdrawn before."), messages.WARNING)
            return HttpResponseRedirect(_page(tally))
        return form_page(
            request,
            form,
            title=_("Withdraw batch %(number)s") % {"number": tally.pk},
            submit=_("Withdraw it"),
            back=_page(tally),
            text=_("It leaves the total at once, and stays on this list with your reason."),
            danger=True,
        )


def _page(tally: Tally) -> str:
    return reverse("admin:supporters_tally_change", args=[tally.pk])


def _who(user: Any, at: Any) -> str:
    return f"{user}, {timezone.localtime(at):%Y-%m-%d %H:%M}" if user else "—"


def _note(request: HttpRequest, tally: Tally, text: str) -> None:
    LogEntry.objects.create(
        user=request.user,
        content_type=ContentType.objects.get_for_model(Tally),
        object_id=str(tally.pk),
        object_repr=str(tally),
        action_flag=CHANGE,
        change_message=text,
    )
