"""What is kept for how long, and what would go tonight."""

from django.contrib import admin
from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from crm import retention
from crm.models import RetentionRun

NEWEST = 30


@staff_member_required
@permission_required("crm.run_job", raise_exception=True)
@require_GET
def rules(request: HttpRequest) -> HttpResponse:
    titles = {rule.name: rule.title for rule in retention.RULES}
    runs = RetentionRun.objects.order_by("-ran_at")[:NEWEST]
    context = {
        **admin.site.each_context(request),
        "title": _("Retention"),
        "due": list(retention.due()),
        "runs": [(titles.get(run.rule, run.rule), run) for run in runs],
    }
    return render(request, "crm/retention.html", context)
