"""Fills the demo: files through the import, segments refreshed, an appeal set to go out within a minute.

Run as `python -m tests.demo.fill PASSWORD` in the demo's environment. A second time it only sets another appeal.
"""

import csv
import os
import random
import sys
import tempfile
from datetime import date, timedelta
from io import StringIO
from pathlib import Path

import django
from django.utils import timezone

PEOPLE, GIFTS = 1500, 2600
SOON = timedelta(seconds=40)
"""Until the appeal is due; the beat looks each minute."""
STAFF = {"frida": "Fundraiser", "carlo": "Campaigner", "dorota": "Data manager", "viktor": "Viewer"}
PARTNERS = [
    ("AT", "Herzwerk Wien"), ("BE", "isala asbl"), ("BG", "Фондация А21"), ("CZ", "Magdala"), ("DE", "Solwodi"),
    ("DK", "Reden International"), ("ES", "Médicos del Mundo"), ("FI", "Exit – pois prostituutiosta"),
    ("FR", "Mouvement du Nid"), ("GR", "A21 Ελλάδα"), ("HU", "MONA Alapítvány"), ("IE", "Ruhama"), ("IT", "Iroko Onlus"),
    ("LT", "Klaipėdos moterų centras"), ("LV", "Marta centrs"), ("NL", "Stichting Bijnaam"), ("PL", "La Strada"),
    ("PT", "Plataforma pelos Direitos"), ("RO", "eLiberare"), ("SE", "Talita"), ("SI", "Društvo Ključ"), ("SK", "Dotyk"),
]  # fmt: skip


def main(password: str) -> None:
    from django.contrib.auth import get_user_model

    from tests.demo import batches, partner

    first_time = not get_user_model().objects.exists()
    if first_time:
        _staff(password)
        partners = _partners()
        with tempfile.TemporaryDirectory() as folder:
            _people(Path(folder), partners)
            _gifts(Path(folder))
        _petition(partners)
        batches.fill("carlo", "dorota", [each for each in partners if each.country in {"PL", "DE"}][::-1])
        partner.fill(password)
        _recurring()
        _segments()
        _audience()
    partner.open_site(os.environ["PARTNER_SITE"])
    _appeals(first_time)


def _staff(password: str) -> None:
    from django.contrib.auth.models import Group, User

    User.objects.create_superuser("astrid", "astrid@realstars.example.org", password, first_name="Astrid")
    for name, role in STAFF.items():
        user = User.objects.create_user(name, f"{name}@realstars.example.org", password, is_staff=True)
        user.first_name = name.capitalize()
        user.save(update_fields=["first_name"])
        user.groups.add(Group.objects.get(name=role))


def _partners() -> list:
    from django.utils.text import slugify

    from supporters.models import Organisation

    return Organisation.objects.bulk_create(
        Organisation(
            name=name,
            country=country,
            source_code=slugify(name) if name.isascii() else f"partner-{country.lower()}",
            website="https://example.org/",
        )
        for country, name in PARTNERS
    )


def _people(folder: Path, partners: list) -> None:
    """Two lists, as an organisation has them: one whose people said yes, an older one that grants nothing."""
    from django.core.management import call_command

    from tests.demo.people import people

    chance = random.Random(3)
    header = [
        "Reference",
        "First name",
        "Last name",
        "Email",
        "Language",
        "Country",
        "Postcode",
        "City",
        "Tags",
        "Source",
    ]
    rows = [
        [
            *(
                f"D{person.number:05}",
                person.first_name,
                person.last_name,
                person.email,
                person.language,
                person.country,
            ),
            *(person.postcode, person.city, chance.choice(["", "", "volunteer", "press", "local group"])),
            chance.choice(partners).source_code,
        ]
        for person in people(PEOPLE)
    ]
    rows += [
        ["D90001", "Ulla", "Utan", "ulla(at)example.org", "sv", "SE", "", "", "", ""],
        ["D90002", "Nils", "Nowhere", "nils.nowhere@example.org", "sv", "Atlantis", "", "", "", ""],
    ]
    signed_up, older = folder / "newsletter sign-ups.csv", folder / "list from 2015.csv"
    _write(signed_up, header, [row for index, row in enumerate(rows) if index % 8])
    _write(older, header, [row for index, row in enumerate(rows) if not index % 8])
    consent = {
        "consent": "email",
        "consent_wording": "Yes, write to me about the petition and how I can help.",
        "consent_language": "en",
        "consent_on": date(2025, 3, 8),
        "consent_how": "Double opt-in on realstars.eu",
    }
    call_command("import_supporters", older, **_quiet())
    call_command("import_supporters", signed_up, **consent, **_quiet())


def _gifts(folder: Path) -> None:
    from django.core.management import call_command

    from tests.demo.people import gifts

    rows = [
        [f"D{donor:05}", day.isoformat(), amount, currency, ["swish", "card", "bank transfer"][donor % 3]]
        for donor, day, amount, currency in gifts(GIFTS, PEOPLE, date.today())
    ]
    path = folder / "gifts.csv"
    _write(path, ["Donor reference", "Date", "Amount", "Currency", "Payment method"], rows)
    call_command("import_donations", path, **_quiet())


def _quiet() -> dict:
    return {"stdout": StringIO(), "stderr": StringIO()}


def _write(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(header)
        writer.writerows(rows)


def _petition(partners: list) -> None:
    from supporters.models import Petition, PetitionText, Signature, Supporter
    from tests.demo.petition import SLUG, TEXTS

    now = timezone.now()
    title, target, _body = TEXTS["en"]
    petition = Petition.objects.create(
        slug=SLUG,
        title=title,
        target=target,
        goal=2_000,
        state=Petition.State.OPEN,
        opens_at=now - timedelta(days=400),
    )
    PetitionText.objects.bulk_create(
        PetitionText(petition=petition, language=language, title=title, target=target, body=body)
        for language, (title, target, body) in TEXTS.items()
    )
    chance = random.Random(4)
    by_code = {partner.source_code: partner for partner in partners}
    by_country = {partner.country: partner for partner in partners}
    signed = []
    for person in Supporter.objects.exclude(email=None).iterator():
        if chance.random() > 0.7:
            continue
        # Few at first, more of late, as word gets round.
        at = now - timedelta(days=400 * chance.random() ** 2, minutes=3)
        pending = chance.random() < 0.06
        # A partner mostly reaches people of its own country.
        reached = by_country.get(person.country) if chance.random() < 0.6 else by_code.get(person.source_code)
        came_by = reached if chance.random() < 0.6 else None
        signed.append(
            Signature(
                petition=petition,
                supporter=person,
                state=Signature.State.PENDING if pending else Signature.State.VALIDATED,
                country=person.country,
                language=person.language,
                source_code=came_by.source_code if came_by else chance.choice(["", "", "share-whatsapp", "poster"]),
                organisation=came_by,
                shown=chance.random() < 0.5,
                created_at=at,
                validated_at=None if pending else at,
            )
        )
    Signature.objects.bulk_create(signed, batch_size=1000)


def _recurring() -> None:
    from supporters.models import RecurringDonation, Supporter

    RecurringDonation.objects.bulk_create(
        RecurringDonation(
            supporter=person,
            amount=100 + 50 * (person.pk % 3),
            currency="SEK",
            state=RecurringDonation.State.ACTIVE,
            started_on=date(2025, 1 + person.pk % 12, 1),
            next_due_on=date.today().replace(day=1) + timedelta(days=32),
        )
        for person in Supporter.objects.filter(country="SE").donors()[:60]
    )


def _segments() -> None:
    from campaigns.models import Campaign, Segment
    from campaigns.segments import refresh
    from supporters.models import Petition

    Campaign.objects.create(
        name="One law for the Union",
        source_code="one-law",
        goal_amount=500_000,
        goal_currency="SEK",
        starts_on=date(2026, 1, 1),
    )
    law = Petition.objects.get().pk
    signed = {"field": "signed", "op": "has", "value": [law]}
    never = {"field": "ever_gave", "op": "no", "value": None}
    for name, rules in {
        "Signed, never gave": {"match": "all", "rules": [signed, never]},
        "Gave last year, not this": {"match": "all", "rules": [{"field": "lybunt", "op": "year", "value": None}]},
        "Monthly donors": {"match": "all", "rules": [{"field": "monthly", "op": "yes", "value": None}]},
        "The North, in their languages": {
            "match": "all",
            "rules": [
                {"field": "country", "op": "in", "value": ["SE", "FI", "DK"]},
                {"field": "language", "op": "in", "value": ["sv", "fi", "da"]},
            ],
        },
        "Everybody who may be written to": {},
    }.items():
        refresh(Segment.objects.create(name=name, rules=rules))


def _audience() -> None:
    from django.conf import settings

    from campaigns.mailchimp.client import connect
    from campaigns.models import Audience, AudienceSegment, Segment

    there = connect().audiences()[0]
    audience = Audience.objects.create(name=f"{there['name']} in Mailchimp", list_id=there["id"])
    for segment in Segment.objects.exclude(name="Everybody who may be written to"):
        AudienceSegment.objects.create(audience=audience, segment=segment)
    assert settings.MAILCHIMP_API_URL.startswith("http://127.0.0.1"), "The demo must never reach Mailchimp itself."


def _appeals(first_time: bool) -> None:
    from campaigns.appeals import schedule
    from campaigns.models import Appeal, AppealVariant, Campaign, Segment

    number = Appeal.objects.count() + 1
    soon = _appeal("Help the law across the border", number, Segment.objects.get(name="Signed, never gave"))
    at = timezone.localtime(timezone.now() + SOON)
    schedule.schedule(soon, at.replace(tzinfo=None), "Europe/Stockholm", send_anyway=True)
    if first_time:
        _sent_before(
            _appeal("A hundred organisations, one law", number + 3, Segment.objects.get(name="Signed, never gave"))
        )
        thanks = _appeal("Thank you, monthly donors", number + 1, Segment.objects.get(name="Monthly donors"))
        tomorrow = (timezone.localtime() + timedelta(days=1)).replace(
            hour=9, minute=30, second=0, microsecond=0, tzinfo=None
        )
        schedule.schedule(thanks, tomorrow, "Europe/Stockholm", send_anyway=True)
        draft = _appeal(
            "To those who gave last year", number + 2, Segment.objects.get(name="Gave last year, not this")
        )
        AppealVariant.objects.create(
            appeal=draft, letter="B", language="sv", subject="24 språk. En lag. Din gåva översätter nästa brev."
        )
    Appeal.objects.filter(campaign=None).update(campaign=Campaign.objects.first())


def _appeal(name: str, number: int, segment: object):
    from campaigns.models import Appeal, AppealText
    from tests.demo.letters import LETTERS

    appeal = Appeal.objects.create(
        name=name if number < 5 else f"{name} ({number})",
        segment=segment,
        source_code=f"one-law-{number}",
        default_language="en",
        sender_name="Malin at RealStars",
        sender_email="hej@realstars.example.org",
    )
    AppealText.objects.bulk_create(
        AppealText(appeal=appeal, language=language, subject=subject, preheader=preheader, body=body)
        for language, (subject, preheader, body) in LETTERS.items()
    )
    return appeal


def _sent_before(appeal: object) -> None:
    """An appeal that went out two days ago, and what came of it. Its mails are not in the catcher: nobody sent them."""
    from campaigns.appeals import launching, results, schedule
    from campaigns.mail import tracking
    from campaigns.models import Appeal, AppealLink, Click
    from supporters.models import Donation

    schedule.send_now(appeal, send_anyway=True)
    launching.launch(appeal.pk)
    then = timezone.now() - timedelta(hours=50)
    appeal.deliveries.update(state="sent", sent_at=then)
    for state, reason in (("bounced", "550 5.1.1 no such user"), ("complained", ""), ("skipped", "")):
        few = list(appeal.deliveries.filter(state="sent").order_by("uuid").values_list("pk", flat=True)[:3])
        appeal.deliveries.filter(pk__in=few).update(state=state, reason=reason)
    Appeal.objects.filter(pk=appeal.pk).update(
        state=Appeal.State.SENT, launched_at=then, scheduled_at=then, finished_at=then + timedelta(minutes=2)
    )
    for text in appeal.texts.all():
        tracking.counting(appeal, text)
    link = AppealLink.objects.exclude(target="").get(appeal=appeal)
    chance = random.Random(5)
    clicks, gifts = [], []
    for delivery in appeal.deliveries.filter(state="sent"):
        if chance.random() > 0.12:
            continue
        at = then + timedelta(minutes=2 + min(chance.expovariate(1 / 400), 2800))
        clicks.append(Click(link=link, delivery=delivery, first_at=at, last_at=at))
        if chance.random() < 0.3:
            currency, amounts = ("SEK", (100, 250, 500)) if delivery.language == "sv" else ("EUR", (10, 25, 50))
            gifts.append(
                Donation(
                    supporter_id=delivery.supporter_id,
                    amount=chance.choice(amounts),
                    currency=currency,
                    method=Donation.Method.CARD,
                    received_on=at.date(),
                    source_code=appeal.source_code,
                    created_at=at + timedelta(minutes=4),
                )
            )
    Click.objects.bulk_create(clicks)
    Donation.objects.bulk_create(gifts)
    results.refresh(appeal.pk)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    main(sys.argv[1])
