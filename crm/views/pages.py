from django.contrib import admin, messages
from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from kombu.exceptions import OperationalError

from crm import background as background_work
from crm import health, timeline
from crm.jobs import JOBS
from crm.tasks import run_job
from supporters import finding


@never_cache
@require_GET
def healthz(request: HttpRequest) -> JsonResponse:
    """200 only when database, broker, a worker and the beat are all alive."""
    parts = health.check()
    alive = all(parts.values())
    return JsonResponse({"alive": alive, **parts}, status=200 if alive else 503)


@staff_member_required
@permission_required("crm.view_job", raise_exception=True)
@require_GET
def background(request: HttpRequest) -> HttpResponse:
    """All background work; with ?part=1 only its inside, for the page to refresh itself."""
    template = "crm/background_inside.html" if request.GET.get("part") else "crm/background.html"
    context = {**admin.site.each_context(request), "title": _("Background work"), **background_work.context()}
    return render(request, template, context)


@staff_member_required
@permission_required("crm.run_job", raise_exception=True)
@require_POST
def run_now(request: HttpRequest, name: str) -> HttpResponse:
    """Hand a job to a worker now. It is safe at any time: a job that is running already is left alone."""
    if name not in JOBS:
        raise Http404
    try:
        run_job.apply_async(**JOBS[name].message, retry=False)
    except OperationalError:
        messages.error(request, _("The message broker doesn't answer. The job runs by itself once it is back."))
    else:
        messages.success(request, _("“%(job)s” was handed to a worker.") % {"job": JOBS[name].label})
    return redirect("crm:background")


@staff_member_required
@permission_required("supporters.view_supporter", raise_exception=True)
@require_GET
def supporter_timeline(request: HttpRequest, pk: int) -> HttpResponse:
    supporter = finding.by_pk(pk)
    if supporter is None:
        raise Http404
    if supporter.pk != pk:
        return redirect("crm:timeline", supporter.pk)
    number = request.GET.get("page", "1")
    page = int(number) if number.isascii() and number.isdigit() and 0 < int(number) < 10_000 else 1
    events, more = timeline.events(supporter, page)
    context = {
        **admin.site.each_context(request),
        "title": _("Timeline: %(name)s") % {"name": supporter},
        "supporter": supporter,
        "events": events,
        "newer": page - 1,
        "older": page + 1 if more else 0,
    }
    return render(request, "crm/timeline.html", context)
