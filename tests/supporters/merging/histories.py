"""Random histories of two people and of others, and what must be so whatever is merged."""

import random
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

from django.apps import apps
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from campaigns.models import (
    Appeal,
    Audience,
    AudienceMember,
    Delivery,
    Segment,
    SegmentMember,
)
from supporters import consent
from supporters.declared import pointing_at
from supporters.models import (
    Consent,
    Donation,
    Organisation,
    OrganisationContact,
    Purpose,
    RecurringDonation,
    Reference,
    Signature,
    Supporter,
    Suppression,
    Tag,
)
from tests.factories import (
    make_donation,
    make_organisation,
    make_petition,
    make_pledge,
    make_signature,
    make_supporter,
)

WORDS = ["", "Anna", "Ek", "Storgatan 1", "Malmö"]


class World:
    """Petitions, partners, tags, appeals and audiences that people can have to do with."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.petitions = [make_petition() for _ in range(3)]
        self.partners: list[Organisation] = [make_organisation() for _ in range(2)]
        self.tags = [Tag.objects.create(name=f"tag {number}") for number in range(3)]
        self.segments = [Segment.objects.create(name=f"segment {number}") for number in range(2)]
        self.appeals = [
            Appeal.objects.create(
                name=f"A{number}",
                segment=self.segments[0],
                source_code=f"a{number}",
                sender_name="R",
                sender_email="r@r.se",
                state=state,
                launched_at=timezone.now(),
            )
            for number, state in enumerate(["sent", "sending", "paused"])
        ]
        self.audiences = [Audience.objects.create(name=f"L{number}", list_id=f"l{number}") for number in range(2)]

    def person(self) -> Supporter:
        chance = self.chance
        number = chance.randrange(10**9)
        who = make_supporter(
            email=chance.choice([None, f"p{number}@mail.se", f"p{number}@mail.se"]),
            first_name=chance.choice(WORDS),
            last_name=chance.choice(WORDS),
            street=chance.choice(WORDS),
            city=chance.choice(WORDS),
            phone=chance.choice(["", "070 1"]),
            country=chance.choice(["", "SE", "NO"]),
            language=chance.choice(["", "sv", "en"]),
            birth_date=chance.choice([None, date(1970, 1, 1)]),
            source_code=chance.choice(["", "stall", "web"]),
            organisation=chance.choice([None, *self.partners]),
        )
        self.live(who)
        return who

    def live(self, who: Supporter) -> None:
        chance = self.chance
        for _ in range(chance.randrange(4)):
            make_donation(
                who,
                amount=Decimal(chance.randrange(1, 10**6)) / 100,
                currency=chance.choice(["SEK", "EUR"]),
                state=chance.choice(["received", "failed", "refunded"]),
            )
        if chance.random() < 0.4:
            agreement = RecurringDonation.objects.create(supporter=who, amount=10, currency="SEK", state="active")
            make_donation(who, recurring=agreement, amount=10)
            make_pledge(supporter=who, recurring=agreement)
        for petition in self.petitions:
            if chance.random() < 0.6:
                state = chance.choice(["validated", "validated", "pending", "invalidated"])
                at = timezone.now() - timedelta(days=chance.randrange(100))
                make_signature(petition, who, state=state, validated_at=None if state == "pending" else at)
        for _ in range(chance.randrange(4)):
            purpose = chance.choice([Purpose.EMAIL, Purpose.EMAIL, Purpose.POST, Purpose.PARTNER])
            Consent.objects.create(
                supporter=who,
                purpose=purpose,
                organisation=chance.choice(self.partners) if purpose == Purpose.PARTNER else None,
                state=chance.choice(["requested", "granted", "granted", "withdrawn"]),
                wording="Yes.",
                method="form",
                happened_at=timezone.now() - timedelta(days=chance.randrange(1, 1000)),
            )
        if who.email and chance.random() < 0.2:
            consent.suppress(who.email, chance.choice(["left", "hard_bounce", "complaint"]))
        for tag in self.tags:
            if chance.random() < 0.5:
                who.tags.add(tag)
        for partner in self.partners:
            if chance.random() < 0.3:
                OrganisationContact.objects.create(organisation=partner, supporter=who)
        Reference.objects.create(supporter=who, system="donor", identifier=f"D-{who.pk}")
        for appeal in self.appeals:
            if chance.random() < 0.7:
                owed = ["queued", "held"] if appeal.state != "sent" else []
                state = chance.choice(["sent", "sent", "failed", "skipped", "bounced", "unknown", *owed])
                Delivery.objects.create(
                    appeal=appeal, supporter=who, state=state, sent_at=timezone.now() if state == "sent" else None
                )
        for segment in self.segments:
            if chance.random() < 0.6:
                SegmentMember.objects.create(segment=segment, supporter=who)
        for audience in self.audiences:
            if who.email and chance.random() < 0.6:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT md5(%s)", [who.email])
                    (key,) = cursor.fetchone()
                AudienceMember.objects.create(
                    audience=audience, supporter=who, subscriber_hash=key, status="subscribed"
                )


def everything() -> dict[str, list[str]]:
    """Every row of every table that points at supporters, as text: what undoing must bring back."""
    found = {}
    places = [place.split(":") for place in pointing_at(Supporter)] + [["supporters.Supporter", "id"]]
    for label, field in places:
        if label == "supporters.Merge":
            continue
        table = apps.get_model(label)._meta.db_table
        with connection.cursor() as cursor:
            # When a row was touched last, and that it was looked at, is not what it is.
            cursor.execute(f"SELECT (to_jsonb(t) - 'updated_at')::text FROM {table} t ORDER BY 1")
            found[f"{label}.{field}"] = [row for (row,) in cursor.fetchall()]
    with connection.cursor() as cursor:
        cursor.execute("SELECT encode(email_hash, 'hex') || reason FROM supporters_suppression ORDER BY 1")
        found["suppressions"] = [row for (row,) in cursor.fetchall()]
    return found


def money(*people: int) -> Counter:
    rows = Donation.objects.filter(supporter__in=people).values_list("currency", "state")
    return Counter({(currency, state): total for currency, state, total in rows.annotate(total=Sum("amount"))})


def noes(who: int) -> set[tuple[str, int | None]]:
    """What somebody does not want, by the latest line of each purpose."""
    latest = Consent.objects.filter(supporter=who).order_by(
        "purpose", "organisation_id", "-happened_at", "-state", "-pk"
    )
    return {
        (line.purpose, line.organisation_id)
        for line in latest.distinct("purpose", "organisation_id")
        if line.state == "withdrawn"
    }


def signed(*people: int) -> set[int]:
    """Petitions that one of them counts for."""
    counting = Signature.objects.filter(supporter__in=people, state="validated")
    return set(counting.values_list("petition", flat=True))


def suppressed() -> set[tuple[bytes, str]]:
    return {(bytes(key), reason) for key, reason in Suppression.objects.values_list("email_hash", "reason")}
