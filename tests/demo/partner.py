"""A partner in the demo: its own site with our form, a login for one of its people, and those who allowed it to write."""

import random
from datetime import timedelta
from functools import cache

from tests.demo.petition import SLUG

CODE = "la-strada"
LOGIN = "kasia@lastrada.example.org"


def fill(password: str) -> None:
    """The login, and people who signed through the partner's links and ticked its box."""
    from django.conf import settings
    from django.utils.translation import override

    from supporters.models import Consent, Organisation, Purpose, Signature
    from supporters.partners import members
    from supporters.signing import wordings

    partner = Organisation.objects.get(source_code=CODE)
    member = members.invite(partner, LOGIN, None)
    members.set_password(member, password)
    member.letters.all().delete()
    chance = random.Random(5)

    @cache
    def words(language: str) -> dict[str, object]:
        with override(language):
            return wordings.proof(wordings.for_partner(partner).as_json())

    signed = Signature.objects.validated().filter(organisation=partner, supporter__email__isnull=False)
    signed = signed.order_by("validated_at")
    Consent.objects.bulk_create(
        Consent(
            supporter_id=supporter,
            purpose=Purpose.PARTNER,
            organisation=partner,
            state=Consent.State.GRANTED,
            method=Consent.Method.CONFIRMED,
            source=f"petition {SLUG}",
            happened_at=at + timedelta(minutes=2),
            **words(language or settings.LANGUAGE_CODE),
        )
        for supporter, at, language in signed.values_list("supporter", "validated_at", "language")
        if chance.random() < 0.7
    )


def open_site(origin: str) -> None:
    """Let the partner's site show the form: in a new run of the demo it is at another port."""
    from supporters.models import Organisation, OrganisationSite

    partner = Organisation.objects.get(source_code=CODE)
    OrganisationSite.objects.filter(organisation=partner, origin__startswith="http:").exclude(origin=origin).delete()
    OrganisationSite.objects.get_or_create(organisation=partner, origin=origin)
