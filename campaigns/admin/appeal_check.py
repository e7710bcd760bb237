"""The page that looks at an appeal as the mail servers that will receive it do."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from campaigns.admin.appeal_preview import label
from campaigns.appeals import texts, variants
from campaigns.mail import preflight
from campaigns.mail.preflight import Finding, Grade
from campaigns.models import Appeal

if TYPE_CHECKING:
    from campaigns.admin.appeal import AppealAdmin


def check(request: HttpRequest, pk: int, model_admin: "AppealAdmin") -> HttpResponse:
    from campaigns.admin.appeal_pages import page

    appeal = get_object_or_404(Appeal.objects.select_related("segment"), pk=pk)
    if not model_admin.has_view_permission(request, appeal):
        raise PermissionDenied
    found = _findings(appeal)
    context = {
        "findings": found,
        "refused": sum(each.grade is Grade.REFUSED for each in found),
        "warnings": sum(each.grade is Grade.WARNING for each in found),
        "holds": settings.PRODUCTION,
    }
    return page(request, model_admin, appeal, "check", _("Check before sending"), context)


def _findings(appeal: Appeal) -> list[Finding]:
    written = {label(*wording): text for wording, text in variants.wordings(appeal).items()}
    broken = {name: problems for name, text in written.items() if (problems := texts.broken(text))}
    found = preflight.check(appeal, {name: text for name, text in written.items() if name not in broken})
    if not any(text.language == appeal.default_language for text in written.values()):
        found.append(Finding(_("Text"), Grade.REFUSED, _("The main text is missing."), _("Write it.")))
    for name, problems in broken.items():
        found.extend(Finding(name, Grade.REFUSED, problem, _("Mend the text.")) for problem in problems)
    worst_first = list(Grade)[::-1]
    return sorted(found, key=lambda each: worst_first.index(each.grade))
