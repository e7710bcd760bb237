"""The staff site's side bar."""

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# Title, Material symbol, model; or the name of a page and the permission it needs.
_SIDEBAR: list[tuple[str | Promise, list[tuple[str | Promise, str, str, str]]]] = [
    (
        "",
        [
            (_("Overview"), "home", "admin:index", ""),
            (_("Background work"), "autorenew", "crm:background", "crm.view_job"),
        ],
    ),
    (
        _("People"),
        [
            (_("Supporters"), "group", "supporters.supporter", ""),
            (_("Organisations"), "handshake", "supporters.organisation", ""),
            (_("Tags"), "sell", "supporters.tag", ""),
            (_("Imports"), "upload_file", "supporters.importrun", ""),
            (_("Exports"), "download", "admin:supporters_export_changelist", ""),
            (_("Possible doubles"), "people", "supporters.double", ""),
            (_("Merges"), "merge", "supporters.merge", ""),
            (_("Batches of merges"), "call_merge", "supporters.mergebatch", ""),
            (_("Records in order"), "checklist", "supporters.tidying", ""),
            (_("Consents"), "verified_user", "supporters.consent", ""),
            (_("Suppressions"), "block", "supporters.suppression", ""),
            (_("Retention"), "auto_delete", "crm:retention", "crm.run_job"),
            (_("Erasure requests"), "person_remove", "supporters.erasurerequest", ""),
        ],
    ),
    (
        _("Giving"),
        [
            (_("Donations"), "volunteer_activism", "supporters.donation", ""),
            (_("Recurring donations"), "event_repeat", "supporters.recurringdonation", ""),
            (_("Refunds"), "undo", "supporters.refund", ""),
            (_("Payments"), "payments", "supporters.paymentevent", ""),
            (_("Pledges"), "handshake", "supporters.pledge", ""),
            (_("Disputes"), "gavel", "supporters.dispute", ""),
        ],
    ),
    (
        _("Petitions"),
        [
            (_("Petitions"), "campaign", "supporters.petition", ""),
            (_("Signatures"), "draw", "supporters.signature", ""),
            (_("Batches on paper"), "inventory", "supporters.tally", ""),
            (_("Letters"), "outgoing_mail", "supporters.letter", ""),
        ],
    ),
    (
        _("Campaigns"),
        [
            (_("Campaigns"), "flag", "campaigns.campaign", ""),
            (_("Segments"), "filter_alt", "campaigns.segment", ""),
            (_("Appeals"), "mail", "campaigns.appeal", ""),
            (_("Deliveries"), "outgoing_mail", "campaigns.delivery", ""),
            (_("Returned mail"), "undo", "campaigns.return", ""),
            (_("Sending"), "speed", "campaigns.sendingcontrol", ""),
        ],
    ),
    (
        _("Mailchimp"),
        [
            (_("Audiences"), "sync", "campaigns.audience", ""),
            (_("Members"), "contacts", "campaigns.audiencemember", ""),
            (_("Syncs"), "published_with_changes", "campaigns.syncrun", ""),
        ],
    ),
    (_("Staff"), [(_("Users"), "badge", "auth.user", ""), (_("Roles"), "key", "auth.group", "")]),
]


def navigation(request: HttpRequest) -> list[dict]:
    """The side bar: only what this person may open."""
    groups = []
    for title, entries in _SIDEBAR:
        items = [item for entry in entries if (item := _item(request, *entry))]
        if items:
            groups.append({"title": title, "separator": bool(title), "items": items})
    return groups


def _item(request: HttpRequest, title: str, icon: str, target: str, permission: str) -> dict | None:
    if ":" in target:
        allowed, link = not permission or request.user.has_perm(permission), reverse(target)
    else:
        app, _dot, model = target.partition(".")
        registered = {(kind._meta.app_label, kind._meta.model_name) for kind in admin.site._registry}
        if (app, model) not in registered:
            return None
        allowed = request.user.has_perm(f"{app}.view_{model}")
        link = reverse(f"admin:{app}_{model}_changelist")
    return {"title": title, "icon": icon, "link": link} if allowed else None
