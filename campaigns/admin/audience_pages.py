"""What stands above an audience's form, and the page that says what a sync would do."""

import hashlib
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from kombu.exceptions import OperationalError

from campaigns.mailchimp import circuit, plan
from campaigns.mailchimp.client import MailchimpError, connect
from campaigns.mailchimp.push import approve
from campaigns.mailchimp.standing import COUNTED, Standing, standing
from campaigns.mailchimp.sync import AGAIN, EVERY
from campaigns.models import Audience, SyncRun
from campaigns.tasks import preview_audience, push_audience
from supporters.models import Supporter

if TYPE_CHECKING:
    from campaigns.admin.audience import AudienceAdmin

STATES = {
    "good": gettext_lazy("In step"),
    "running": gettext_lazy("At work"),
    "held": gettext_lazy("Asks first"),
    "paused": gettext_lazy("Paused"),
    "failed": gettext_lazy("Failed"),
    "new": gettext_lazy("Not yet synced"),
}
_WHAT = {
    "add": gettext_lazy("Added"),
    "wait": gettext_lazy("Added, once their address is free there"),
    "change": gettext_lazy("Changed"),
    "move": gettext_lazy("Moved to a new address"),
    "return": gettext_lazy("Asked by Mailchimp to confirm"),
    "leave": gettext_lazy("Unsubscribed: they left"),
    "lapse": gettext_lazy("Unsubscribed: no consent"),
    "archive": gettext_lazy("Archived"),
    "tags": gettext_lazy("Tags changed"),
    "look": gettext_lazy("Looked up"),
}


def panel(request: HttpRequest, audience: Audience) -> dict[str, Any]:
    """What stands above an audience's form."""
    found = standing(audience)
    return {
        "audience": audience,
        "standing": found,
        "state": STATES[found.state],
        "account": _account(),
        "facts": _facts(found),
        "circuit": circuit.seconds_left(),
        "may_change": request.user.has_perm("campaigns.change_audience"),
    }


def _facts(found: Standing) -> list[tuple[str, str, str]]:
    """Name, value and where it leads."""
    runs = reverse("admin:campaigns_syncrun_changelist") + f"?audience={found.audience.pk}"
    members = reverse("admin:campaigns_audiencemember_changelist") + f"?audience={found.audience.pk}"
    refused = str(found.refused) if found.refused <= COUNTED else _("more than %(number)d") % {"number": COUNTED}
    drift = "–" if found.drift is None else str(found.drift)
    return [
        (_("Last sync"), _told(found.newest.get(SyncRun.Kind.PUSH)), runs),
        (_("Next sync"), _next(found), ""),
        (_("Last read of what changed there"), _told(found.newest.get(SyncRun.Kind.PULL)), runs),
        (_("Last full comparison"), _told(found.newest.get(SyncRun.Kind.COMPARE)), runs),
        (_("Differed in it (0 is normal)"), drift, f"{members}&differs=yes"),
        (_("Refused by Mailchimp"), refused, f"{members}&refused=yes"),
        *([(_("Handed to Mailchimp, not answered yet"), str(found.under_way), "")] if found.under_way else []),
    ]


def _told(run: SyncRun | None) -> str:
    from campaigns.admin.audience import in_words

    if run is None:
        return "–"
    done = run.state == SyncRun.State.DONE
    what = in_words(run.counts) if done else run.get_state_display()
    if run.state == SyncRun.State.FAILED and run.error:
        what = run.error
    return f"{date_format(timezone.localtime(run.started_at), 'j M, H:i')}: {what}"


def _next(found: Standing) -> str:
    run = found.newest.get(SyncRun.Kind.PUSH)
    if found.audience.paused:
        return _("none: it is paused")
    if found.held:
        return _("once you have looked")
    if run is None or found.audience.sync_requested_at:
        return _("within a minute")
    if run.state == SyncRun.State.RUNNING:
        return _("going on")
    wait = AGAIN if run.state == SyncRun.State.FAILED else EVERY
    return date_format(timezone.localtime(max(run.worked_at + wait, timezone.now())), "j M, H:i")


def _account() -> str:
    """As whom we are connected, or why not; remembered for a minute, for the page must not wait each time."""
    secret = f"{settings.MAILCHIMP_API_KEY} {settings.MAILCHIMP_API_URL}"
    key = f"mailchimp-account:{hashlib.sha256(secret.encode()).hexdigest()[:16]}"
    if name := cache.get(key):
        return name
    try:
        name = str(connect(quick=True).account().get("account_name", "")) or "–"
    except MailchimpError as error:
        return error.for_staff
    cache.set(key, name, 60)
    return name


def dry_run(request: HttpRequest, model_admin: "AudienceAdmin", pk: int) -> HttpResponse:
    """What a sync would do to whom and why; where one waits for a person, the button that lets it."""
    audience = get_object_or_404(Audience, pk=pk)
    if not model_admin.has_view_permission(request, audience):
        raise PermissionDenied
    held = standing(audience).held
    back = reverse("admin:campaigns_audience_change", args=[pk])
    if "again" in request.POST:
        _ask_for(audience)
        return HttpResponseRedirect(request.path)
    if request.method == "POST":
        _let_it(request, model_admin, audience, held)
        return HttpResponseRedirect(back)
    quick = plan.is_quick(audience)
    found = plan.preview(audience) if quick else plan.kept(audience)
    people = found.people if found else []
    may_see = request.user.has_perm("supporters.view_supporter")
    names = Supporter.objects.in_bulk([person.supporter for person in people]) if may_see else {}
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": _("%(audience)s: what a sync would do") % {"audience": audience},
        "audience": audience,
        "found": found,
        "quick": quick,
        "awaited": not quick and audience.preview_requested_at is not None,
        "counts": [(_WHAT.get(what, what), number) for what, number in found.counts.items()] if found else [],
        "people": [(names.get(person.supporter), _WHAT.get(person.what, person.what), person) for person in people],
        "more": sum(found.counts.values()) - len(people) if found else 0,
        "may_see": may_see,
        "held": held,
        "may_change": model_admin.has_change_permission(request, audience),
        "back": back,
        "media": model_admin.media,
    }
    return TemplateResponse(request, "admin/campaigns/audience/dry_run.html", context)


def _ask_for(audience: Audience) -> None:
    plan.request(audience)
    try:
        preview_audience.apply_async(args=[audience.pk], retry=False)
    except OperationalError:
        pass  # the minute's job finds it


def _let_it(request: HttpRequest, model_admin: "AudienceAdmin", audience: Audience, held: SyncRun | None) -> None:
    if not model_admin.has_change_permission(request, audience):
        raise PermissionDenied
    # What was looked at is what is let: a run that was held anew meanwhile asks again.
    if held is None or request.POST.get("takes") != str(held.takes) or not approve(held):
        model_admin.message_user(request, _("It does not ask for that any more. Look again."), messages.WARNING)
        return
    said = ngettext("Let: %(number)d is taken away.", "Let: %(number)d are taken away.", held.takes)
    model_admin.message_user(request, said % {"number": held.takes}, messages.SUCCESS)
    model_admin.log_change(request, audience, said % {"number": held.takes})
    try:
        push_audience.apply_async(args=[audience.pk], retry=False)
    except OperationalError:
        pass  # the run is open, and the minute's job finds it
