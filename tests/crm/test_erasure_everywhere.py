# ruff: noqa: F401, F811 - fixtures of other folders
"""A person whose every trace bears one word, through every door, erased: the word stands nowhere any more."""

import io
import json
import tempfile

import openpyxl
import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from campaigns.mail.returns import applying as returns
from campaigns.mail.returns.storing import store_events, store_message
from campaigns.models import AppealLink, Click, Delivery, SegmentMember
from crm.erasure.carrying import carry_out
from supporters import consent, erasing, links
from supporters.exporting import making
from supporters.exporting.listings import Asked, get
from supporters.importing import run as runs
from supporters.links import Link
from supporters.models import (
    Donation,
    Double,
    ErasureRequest,
    Export,
    Handover,
    ImportRun,
    Organisation,
    PaymentEvent,
    Pledge,
    RecurringDonation,
    Refund,
    Signature,
    Supporter,
    Tag,
)
from supporters.partners import members
from supporters.payments import applying, bankfile, storing
from tests.campaigns.conftest import make_appeal
from tests.campaigns.mailchimp.conftest import audience, deliver, mailchimp, pull, push, swedes
from tests.crm.everywhere import in_files, in_redis, in_tables
from tests.factories import make_organisation, make_petition
from tests.supporters.admin.test_exporting import content, export
from tests.supporters.payments.conftest import hear, post, stripe
from tests.supporters.payments.test_bankfile import HEAD, TAIL, entry

pytestmark = pytest.mark.django_db
GONE, STAYS = "zzquorx", "yyblint"
COLUMNS = ["Donor number", "First name", "Last name", "Email", "Phone", "Street", "Postcode", "City", "Country"]


def address(word: str) -> str:
    return f"{word}.mail@example.se"


def row(word: str, email: str = "") -> list[str]:
    number = {GONE: "1", STAYS: "2"}[word]
    return [
        *(f"{word}-ref", f"{word}first", f"{word}last", email or address(word), f"+46 70 123 45 6{number}"),
        *(f"{word}street 1", f"111 2{number}", f"{word}city", "SE"),
    ]


def as_csv(*rows: list[str]) -> bytes:
    return "\n".join(";".join(each) for each in (COLUMNS, *rows)).encode()


def as_xlsx(rows: list[list[str]], more: list[list[str]]) -> bytes:
    book = openpyxl.Workbook()
    for each in (COLUMNS, *rows):
        book.active.append(each)
    other = book.create_sheet("Notes")
    for each in more:
        other.append(each)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def import_files(staff_client) -> None:
    name = f"{GONE}first {GONE}last and friends.csv"
    for told, file_name in (
        (as_csv(row(GONE), row(STAYS), row(GONE, "no address"), row(STAYS, "none")), name),
        (as_csv([f"{STAYS}-ref", *row(STAYS)[1:]]), f"{STAYS}.csv"),
    ):
        upload = io.BytesIO(told)
        upload.name = file_name
        staff_client.post(reverse("admin:supporters_importrun_add"), {"kind": "supporters", "file": upload})
        run = ImportRun.objects.latest("pk")
        assert run.file_name == file_name
        assert runs.start(run)
        while runs.work(run.pk):
            pass
        run.refresh_from_db()
        assert run.state == "done", run.error
    runs.upload("supporters", "waits.xlsx", [as_xlsx([row(GONE), row(STAYS)], [["x"]])])
    runs.upload("supporters", "other sheet.xlsx", [as_xlsx([row(STAYS)], [[address(GONE)]])])
    headless = [row(GONE), row(STAYS)]
    runs.upload("supporters", "headless.csv", ["\n".join(";".join(each) for each in headless).encode()])


def sign(client, word: str) -> None:
    petition = make_petition(slug=f"law-of-{len(Signature.objects.all())}")
    said = {"first_name": f"{word}first", "last_name": f"{word}last", "email": address(word), "country": "SE"}
    said |= {"agree": "on", "news": "on", "shown": "on"}
    assert client.post(f"/en/p/{petition.slug}/", said).status_code == 303
    pending = Signature.objects.get(email=address(word))
    assert client.post(f"/en/s/{links.token(Link.CONFIRM, pending.uuid)}/").status_code == 303
    Signature.objects.filter(pk=pending.pk).update(comment=f"I, {word}, agree.")
    again = make_petition(slug=f"law-of-{len(Signature.objects.all())}")
    assert client.post(f"/en/p/{again.slug}/", said).status_code == 303  # and never confirms


def give(client, stripe, hear, word: str) -> None:
    said = {"currency": "SEK", "amount": "250", "method": "card", "email": address(word), "news": "on"}
    said |= {"first_name": f"{word}first", "last_name": f"{word}last"}
    for interval in ("once", "month"):
        assert client.post("/en/give/", {**said, "interval": interval}).status_code == 303
        assert stripe.pay(Pledge.objects.latest("pk").session_id, name=f"{word}first {word}last") == "paid"
    hear()
    assert client.post("/en/give/", {**said, "interval": "once", "method": "bank"}).status_code in (200, 303)
    pledge = Pledge.objects.latest("pk")
    lines = bankfile.read(
        (
            HEAD
            + entry(said=f"<Ustrd>{pledge.reference}</Ustrd>", name=f"T-{pledge.pk}").replace(
                "Eva Ek", f"{word}first {word}last"
            )
            + entry(said="<Ustrd>no reference</Ustrd>", name=f"U-{pledge.pk}").replace(
                "Eva Ek", f"{word}last, {word}first"
            )
            + TAIL
        ).encode()
    )
    storing.keep(PaymentEvent.Provider.BANK, [line.told() for line in lines])
    applying.apply_owed()
    assert PaymentEvent.objects.filter(state="review", payload__contains=word).count() == 1
    gift = Donation.objects.filter(supporter__email=address(word)).latest("pk")
    Donation.objects.filter(pk=gift.pk).update(designation=f"In memory of {word}last")
    Refund.objects.create(donation=gift, amount=1, refunded_on=timezone.localdate(), reason=f"{address(word)} asked")


def be_written_to(word: str, who: Supporter) -> None:
    appeal = make_appeal(name=f"Spring {len(Delivery.objects.all())}", source_code=f"s{len(Delivery.objects.all())}")
    SegmentMember.objects.get_or_create(segment=appeal.segment, supporter=who)
    delivery = Delivery.objects.create(
        appeal=appeal, supporter=who, state="sent", sent_at=timezone.now(), reason=f"250 for <{address(word)}>"
    )
    Click.objects.create(link=AppealLink.objects.create(appeal=appeal, target="https://x.test/"), delivery=delivery)
    store_message(
        f"From: MAILER-DAEMON@x.se\nTo: r@r.se\nSubject: Undelivered\n\n<{address(word)}>: mailbox full\n".encode(),
        "pipe",
    )
    store_events("postmark", [{"event": "bounced", "recipient": address(word).upper(), "description": word}])
    returns.apply_owed()


def be_worked_on(staff_client, staff, settings, word: str, who: Supporter, other: Supporter) -> None:
    staff_client.post(
        reverse("admin:supporters_supporter_record_consent", args=[who.pk]),
        {"purpose": "phone", "state": "granted", "wording": "May we call?", "source": f"{word} rang"},
    )
    staff_client.post(reverse("crm:disclose", args=[who.pk]), {"form": "html", "reason": f"{word} asked"})
    settings.EXPORT_AT_ONCE = 1_000
    taken = export(staff_client, "supporter", q=f"{word}last", reason=f"{word}last asked for it")
    assert word.encode() in content(taken)
    staff_client.get(reverse("admin:supporters_supporter_changelist"), {"q": word})
    partner = make_organisation()
    partner.contacts.add(who)
    LogEntry.objects.create(
        user=staff,
        content_type=ContentType.objects.get_for_model(Organisation),
        object_id=str(partner.pk),
        object_repr=str(partner),
        action_flag=CHANGE,
        change_message=json.dumps([{"added": {"name": "contact", "object": f"{word}first {word}last"}}]),
    )
    who.tags.add(Tag.objects.get_or_create(name="vip")[0])
    first, second = sorted((who, other), key=lambda one: one.pk)
    Double.objects.get_or_create(first=first, second=second, defaults={"probability": 0.5, "cluster": first.pk})
    settings.EXPORT_AT_ONCE = 0
    export(staff_client, "supporter", q=f"{word}last")
    making.work(Export.objects.latest("pk").pk)
    assert Export.objects.latest("pk").state == "done"
    erasing.refuse(erasing.ask(who, "letter", note=f"{word} wrote"), "claims", f"{word} sues us.", staff)


def be_handed_to_a_partner(word: str, who: Supporter) -> None:
    partner = make_organisation()
    member = members.invite(partner, f"staff{partner.pk}@partner.example", None)
    consent.grant(who, "partner", organisation=partner, wording=f"Yes, {partner}.", method="confirmed")
    listing, asked = get("partner-people"), Asked("", member.user)
    told = making.ask(listing, asked, listing.extent(asked), columns=[], format="csv", reason="A letter")
    making.work(told.pk)
    assert Handover.objects.filter(email=address(word)).count() == 1


@pytest.fixture
def both(
    client, staff_client, staff, settings, tmp_path, monkeypatch, stripe, hear, push, deliver, mailchimp, audience
):
    """Two people who went through every door, side by side."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    cache.clear()
    settings.BANKGIRO = "9001223"
    import_files(staff_client)
    for word in (GONE, STAYS):
        sign(client, word)
        give(client, stripe, hear, word)
    gone, stays = (Supporter.objects.get(email=address(word)) for word in (GONE, STAYS))
    for word, who, other in ((GONE, gone, stays), (STAYS, stays, gone)):
        consent.grant(who, "email", wording="Yes.", method="confirmed")
        be_written_to(word, who)
        be_worked_on(staff_client, staff, settings, word, who, other)
        be_handed_to_a_partner(word, who)
    push()
    assert set(mailchimp.members()) == {address(GONE), address(STAYS)}
    deliver()
    for word in (GONE, STAYS):
        mailchimp.member_unsubscribes(audience.list_id, address(word))
    deliver()
    return gone, stays


def test_nothing_of_an_erased_person_is_left_anywhere_but_the_hash_and_the_books(
    both,
    staff,
    broker,
    push,
    mailchimp,
    stripe,
    hear,
    tmp_path,
    caplog,
):
    gone, stays = both
    tables = {table for table, _column, _row in in_tables(GONE)}
    assert len(tables) >= 14, tables  # the doors were gone through
    beside = {(table, column) for table, column, _row in in_tables(STAYS)}
    number_beside = len(in_tables(STAYS))
    gifts = list(Donation.objects.order_by("pk").values_list("pk", "amount", "received_on", "method", "provider_id"))
    request = erasing.ask(gone, "email", identified="inbox", note=f"{GONE} wrote")
    erasing.approve(request, staff)
    carry_out()
    request.refresh_from_db()
    assert (request.state, request.trouble) == ("elsewhere", "RealStars: Mailchimp has yet to confirm")
    push()
    carry_out()
    assert set(mailchimp.members()) == {address(STAYS)}
    assert ErasureRequest.objects.get(pk=request.pk).state == "done"

    assert in_tables(GONE) == set()
    assert in_redis(GONE, broker) == []
    assert in_files(GONE, tmp_path) == []
    assert GONE not in caplog.text.lower()

    assert consent.is_erased(address(GONE))
    assert (
        list(Donation.objects.order_by("pk").values_list("pk", "amount", "received_on", "method", "provider_id"))
        == gifts
    )
    assert Donation.objects.filter(supporter=None).count() == len(gifts) // 2
    assert RecurringDonation.objects.get(supporter=None).state == "ended"
    assert stripe.objects[RecurringDonation.objects.get(supporter=None).provider_id]["status"] == "canceled"

    assert {(table, column) for table, column, _row in in_tables(STAYS)} == beside
    assert len(in_tables(STAYS)) == number_beside
    stays.refresh_from_db()
    assert stays.email == address(STAYS)
    assert RecurringDonation.objects.get(supporter=stays).state == "active"

    hear(stripe.events)  # all of it again, and Stripe's word that the agreement ended
    assert in_tables(GONE) == set()
    assert Supporter.objects.get() == stays


def test_money_that_was_on_its_way_is_booked_without_the_person(client, staff, settings, stripe, hear):
    cache.clear()
    settings.BANKGIRO = "9001223"
    give(client, stripe, hear, GONE)
    said = {"currency": "SEK", "amount": "100", "method": "card", "email": address(GONE), "interval": "once"}
    client.post("/en/give/", {**said, "first_name": f"{GONE}first", "last_name": f"{GONE}last"})
    stripe.pay(Pledge.objects.latest("pk").session_id, name=f"{GONE}first {GONE}last")
    heard = len(stripe.events)
    gone = Supporter.objects.get()
    erasing.approve(erasing.ask(gone, "email", identified="inbox"), staff)
    carry_out()
    gifts = Donation.objects.count()
    hear(stripe.events[: heard + 1])
    assert Donation.objects.count() == gifts + 1
    assert not Supporter.objects.exists()
    assert in_tables(GONE) == set()
