"""Who may do what. The roles are groups that come with the migrations; staff are put into them."""

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q

VIEW, EDIT, ALL = ("view",), ("view", "change"), ("view", "add", "change", "delete")
_KEEP = ("view", "add", "change")

_EVERYTHING_TO_SEE = {
    f"{app}.{model}": VIEW
    for app, models in {
        "supporters": (
            "supporter tag reference consent suppression organisation petition petitiontext signature "
            "tally donation recurringdonation refund dispute pledge paymentevent importrun importrow savedmapping organisationcontact organisationsite partneruser letter double merge mergebatch tidying"
        ),
        "campaigns": (
            "campaign segment appeal appealtext appealvariant delivery audience audiencemember audiencesegment syncrun webhookevent "
            "return returnedmessage "
            "sendingcontrol receiver receiverdomain warmup"
        ),
        "crm": "job",
    }.items()
    for model in models.split()
}

ROLES: dict[str, dict[str, tuple[str, ...]]] = {
    "Viewer": _EVERYTHING_TO_SEE,
    "Fundraiser": {
        **_EVERYTHING_TO_SEE,
        **dict.fromkeys(("supporters.supporter", "supporters.donation", "supporters.recurringdonation"), _KEEP),
        "supporters.reference": ALL,
        "supporters.refund": ("view", "add"),
        "supporters.settle_paymentevent": (),
        "supporters.consent": ("view", "add"),
        "supporters.tag": _KEEP,
        "supporters.export_supporter": (),
        "supporters.export_donation": (),
    },
    "Campaigner": {
        **_EVERYTHING_TO_SEE,
        **dict.fromkeys(
            (
                *("campaigns.campaign", "campaigns.segment"),
                *("campaigns.appeal", "campaigns.appealtext", "campaigns.appealvariant"),
            ),
            ALL,
        ),
        **dict.fromkeys(("campaigns.audience", "campaigns.audiencesegment"), ALL),
        **dict.fromkeys(("supporters.petition", "supporters.petitiontext"), ALL),
        **dict.fromkeys(
            ("supporters.organisation", "supporters.organisationcontact", "supporters.organisationsite"), ALL
        ),
        **dict.fromkeys(("campaigns.receiver", "campaigns.receiverdomain", "campaigns.warmup"), ALL),
        "supporters.tally": ("view", "add"),
        "supporters.check_tally": (),
        "supporters.see_tally_scan": (),
        "campaigns.sendingcontrol": EDIT,
        "campaigns.schedule_appeal": (),
        "campaigns.settle_return": (),
    },
    "Data manager": {
        **_EVERYTHING_TO_SEE,
        **dict.fromkeys(("supporters.importrun", "supporters.importrow"), _KEEP),
        "supporters.savedmapping": ("view", "change", "delete"),
        **dict.fromkeys(("supporters.supporter", "supporters.donation", "supporters.signature"), _KEEP),
        **dict.fromkeys(("supporters.tag", "supporters.reference", "supporters.organisation"), ALL),
        **dict.fromkeys(("supporters.organisationcontact", "supporters.organisationsite"), ALL),
        "supporters.partneruser": _KEEP,
        "supporters.consent": ("view", "add"),
        "supporters.suppression": ("view", "add", "delete"),
        "supporters.disclose_supporter": (),
        "supporters.erase_supporter": (),
        "supporters.erasurerequest": VIEW,
        "supporters.disclosure": VIEW,
        "campaigns.settle_return": (),
        "supporters.export_supporter": (),
        "supporters.export_donation": (),
        "supporters.tally": ("view", "add"),
        "supporters.check_tally": (),
        "supporters.see_tally_scan": (),
        "supporters.export_signature": (),
        "supporters.export": VIEW,
        "supporters.decide_double": (),
        "supporters.merge_supporter": (),
        "supporters.merge_supporter_batch": (),
        "supporters.tidying": ("view", "add"),
        "crm.run_job": (),
    },
}
"""Role to what it may do: `app.model` with verbs, or a permission of its own with none."""


def ensure() -> None:
    """Make the roles what they are declared to be; what staff added to them by hand stays."""
    if not ContentType.objects.filter(app_label="crm").exists():
        return
    for name, grants in ROLES.items():
        group, _made = Group.objects.get_or_create(name=name)
        wanted = Q(pk__in=[])
        for target, verbs in grants.items():
            app, _dot, model = target.partition(".")
            names = [f"{verb}_{model}" for verb in verbs] or [model]
            wanted |= Q(content_type__app_label=app, codename__in=names)
        group.permissions.add(*Permission.objects.filter(wanted))
