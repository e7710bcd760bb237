"""Signatures of the demo that were gathered on paper and by a partner's own tool; one batch waits to be checked."""

from datetime import timedelta

from django.utils import timezone


def fill(enterer: str, checker: str, partners: list) -> None:
    from django.contrib.auth.models import User

    from supporters import tallying
    from supporters.models import Petition, Tally
    from tests.demo.petition import SLUG

    petition = Petition.objects.get(slug=SLUG)
    enters, checks = (User.objects.get(username=name) for name in (enterer, checker))
    paper, partner = Tally.Way.PAPER, Tally.Way.PARTNER
    today = timezone.localdate()
    for days, way, organisation, source, country, place, number in (
        (120, paper, None, "Stall at the book fair, lists 1 to 6", "SE", "Göteborg", 171),
        (60, paper, partners[0], "Lists from three evenings, handed over in one envelope", "PL", "Kraków", 94),
        (21, partner, partners[1], "Their own form, export of the day", "DE", "", 233),
        (2, paper, None, "Stall at the central station, lists 1 to 2", "SE", "Stockholm", 58),
    ):
        batch = Tally(
            petition=petition,
            way=way,
            organisation=organisation,
            source=source,
            country=country,
            place=place,
            number=number,
            gathered_on=today - timedelta(days=days),
            no_scan="A made-up batch of the demo",
        )
        tallying.enter(batch, None, enters)
        if days > 2:
            tallying.check(batch.pk, number, checks)
