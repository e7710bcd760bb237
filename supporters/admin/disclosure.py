"""Files of all that is held of a person, on the staff site: whether they are ready, and until when they are kept."""

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from supporters.admin.base import ReadOnlyAdmin, SearchedByPerson
from supporters.models import Disclosure


@admin.register(Disclosure)
class DisclosureAdmin(SearchedByPerson, ReadOnlyAdmin):
    list_display = ["supporter", "form", "status", "by", "asked_at", "expires_at"]
    list_select_related = []
    list_prefetch = ["supporter", "by"]
    sortable_by = []
    ordering = ["-pk"]
    fields = ["supporter", "form", "file", "reason", "by", "asked_at", "made_at", "expires_at"]
    readonly_fields = ["file"]

    def has_view_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return request.user.has_perm("supporters.disclose_supporter")

    @display(
        description=gettext_lazy("State"),
        label={"done": "success", "queued": "info", "failed": "danger", "expired": "default"},
    )
    def status(self, disclosure: Disclosure) -> tuple[str, str]:
        return disclosure.state, disclosure.get_state_display()

    @display(description=gettext_lazy("File"))
    def file(self, disclosure: Disclosure) -> SafeString | str:
        if disclosure.state == Disclosure.State.QUEUED:
            return _("A worker makes it. Come back in a minute or two.")
        if disclosure.state != Disclosure.State.DONE:
            return disclosure.get_state_display()
        link = reverse("crm:disclosure_file", args=[disclosure.pk])
        return format_html('<a class="font-medium underline" href="{}">{}</a>', link, _("Save the file"))
