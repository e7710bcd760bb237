"""What people allow stands beside everybody who is exported, so that nobody writes to those who left."""

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from supporters.exporting.listings import Column, Kind
from supporters.models import Consent, Purpose, Supporter


def columns(person: str, prefix: str = "") -> tuple[Column, ...]:
    """For the supporter at this path. An empty state: nothing was ever said."""

    def state(purpose: Purpose) -> object:
        return Consent.objects.latest_state(OuterRef(person), purpose)

    may = Exists(Supporter.objects.contactable().filter(pk=OuterRef(person)))
    return (
        Column(f"{prefix}may_be_emailed", _("May be emailed"), may, Kind.FLAG, fixed=True),
        Column(f"{prefix}email_consent", _("Consent: email"), state(Purpose.EMAIL), fixed=True),
        Column(f"{prefix}post_consent", _("Consent: letters"), state(Purpose.POST), fixed=True),
        Column(f"{prefix}phone_consent", _("Consent: phone"), state(Purpose.PHONE), fixed=True),
    )
