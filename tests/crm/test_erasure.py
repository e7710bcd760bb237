import threading
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Appeal, Audience, AudienceMember, Delivery, Segment, SegmentMember, WebhookEvent
from crm import retention
from crm.erasure import erase
from crm.erasure.carrying import carry_out
from supporters import consent
from supporters.models import (
    Consent,
    Donation,
    ErasureRequest,
    ImportRow,
    ImportRun,
    Letter,
    Reference,
    Signature,
    Supporter,
    Suppression,
    Tag,
)
from tests.factories import (
    ask_to_sign,
    make_donation,
    make_organisation,
    make_signature,
    make_supporter,
)
from tests.processes import wait_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def person():
    who = make_supporter(
        first_name="Zebulon", last_name="Quist", email="zebulon@mail.se", phone="070 999", consent=True
    )
    Reference.objects.create(supporter=who, system="donor", identifier="D-9")
    who.tags.add(Tag.objects.create(name="vip"))
    make_organisation().contacts.add(who)
    make_donation(who)
    make_signature(supporter=who, comment="I am Zebulon.", state="validated", validated_at=timezone.now())
    run = ImportRun.objects.create(kind="supporters", file_name="a.csv")
    ImportRow.objects.create(run=run, number=2, values=["zebulon@mail.se", "x"], reason="no")
    segment = Segment.objects.create(name="All")
    SegmentMember.objects.create(segment=segment, supporter=who)
    appeal = Appeal.objects.create(name="A", segment=segment, source_code="a", sender_name="R", sender_email="r@r.se")
    Delivery.objects.create(
        appeal=appeal,
        supporter=who,
        state="failed",
        reason="550 <zebulon@mail.se>: no such user",
        sent_at=timezone.now(),
    )
    audience = Audience.objects.create(name="List", list_id="abc")
    AudienceMember.objects.create(
        audience=audience,
        supporter=who,
        subscriber_hash="0" * 32,
        status="subscribed",
        refusal="Zebulon@mail.se was permanently deleted.",
    )
    WebhookEvent.objects.create(audience=audience, kind="unsubscribe", data={"email": "Zebulon@mail.se"})
    WebhookEvent.objects.create(audience=audience, kind="upemail", data={"old_email": "zebulon@mail.se"})
    return who


def everything() -> str:
    """All rows of all tables as text."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'django_session'"
        )
        tables = [name for (name,) in cursor.fetchall()]
        texts = []
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            texts += [f"{table}: {row}" for (row,) in cursor.fetchall()]
    return "\n".join(texts)


def test_erasure_leaves_the_books_the_hash_and_nothing_else(staff_client, staff, person):
    staff_client.post(
        reverse("admin:supporters_supporter_record_consent", args=[person.pk]),
        {"purpose": "post", "state": "withdrawn"},
    )
    assert LogEntry.objects.filter(object_repr__contains="Zebulon").exists()
    page = staff_client.get(erase_page(person))
    assert "Donations stay in the books" in page.content.decode()
    assert not ErasureRequest.objects.exists()
    staff_client.post(
        erase_page(person),
        {"door": "letter", "received_on": "2026-01-02", "identified": "known", "note": "Zebulon wrote.", "now": "on"},
    )
    assert Supporter.objects.count() == 1
    carry_out()
    left = everything().lower()
    for trace in ("zebulon", "quist", "070 999", "d-9"):
        assert trace not in left, [line for line in left.splitlines() if trace in line]
    assert Donation.objects.get().supporter is None
    signature = Signature.objects.get()
    assert (signature.supporter, signature.comment, signature.state) == (None, "", "validated")
    assert not Consent.objects.exists()
    assert Delivery.objects.get().supporter is None
    member = AudienceMember.objects.get()
    assert (member.supporter, member.to_delete) == (None, True)
    assert Suppression.objects.get().reason == Suppression.Reason.ERASED
    assert consent.is_suppressed("zebulon@mail.se")
    assert LogEntry.objects.latest("pk").user == staff


def erase_page(person) -> str:
    return reverse("admin:supporters_supporter_erase", args=[person.pk])


def test_who_was_erased_stays_unwritten_to_when_a_file_brings_the_address_back(staff, person):
    erase(person, by=staff)
    make_supporter(email="zebulon@mail.se", consent=True)
    assert not Supporter.objects.contactable().exists()


def test_an_erasure_that_fails_changes_nothing(staff, person, monkeypatch):
    from crm import erasure

    before = everything()
    monkeypatch.setattr(erasure, "LogEntry", None)
    with pytest.raises(AttributeError):
        erasure.erase(person, by=staff)
    assert everything() == before


def make_failed_rows(*rows: list[str]) -> None:
    mapping = {"columns": [{"name": "No", "field": "reference"}, {"name": "Mail", "field": "email"}, {"name": "Sum"}]}
    run = ImportRun.objects.create(kind="donations", file_name="a.csv", mapping=mapping)
    for number, values in enumerate(rows, start=2):
        ImportRow.objects.create(run=run, number=number, values=values, reason="no")


def test_failed_rows_about_the_person_go_and_those_of_others_stay(staff, person):
    others = [
        ["D-99", "x", "1"],
        ["", "x", "D-9"],
        ["", "my.zebulon@mail.se", "1"],
        ["", "zebulon@mail.se.eu", "1"],
        ["", "zebulonAmail.se", "1"],
    ]
    make_failed_rows(
        [" D-9 ", "x", "1"],
        ["", " Zebulon@MAIL.se", "1"],
        ["", "Zeb <zebulon@mail.se>", "1"],
        ["mail zebulon@mail.se."],
    )
    make_failed_rows(*others)
    erase(person, by=staff)
    assert [row.values for row in ImportRow.objects.order_by("run", "number")] == others


def test_failed_rows_stay_when_somebody_without_address_and_reference_is_erased(staff):
    make_failed_rows(["D-9", "", "1"])
    erase(make_supporter(email=None), by=staff)
    assert ImportRow.objects.count() == 1


def test_what_was_still_to_be_sent_to_the_person_is_skipped_and_says_why(staff, person):
    Delivery.objects.update(state="queued", reason="")
    erase(person, by=staff)
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.reason) == ("skipped", "The person was erased.")


def test_erasing_somebody_twice_says_that_there_is_nobody(staff_client, staff, person):
    erase(person, by=staff)
    request = ErasureRequest.objects.get()
    assert staff_client.post(erase_page(person)).url == reverse(
        "admin:supporters_erasurerequest_change", args=[request.pk]
    )
    assert staff_client.get(reverse("admin:supporters_supporter_erase", args=[0])).status_code == 404
    with pytest.raises(Supporter.DoesNotExist):
        erase(person, by=staff)
    assert LogEntry.objects.filter(object_id=str(person.pk), user=staff).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_gift_that_comes_during_an_erasure_stays_in_the_books(staff, person):
    def erase_and_close():
        erase(person, by=staff)
        connection.close()

    def waiting() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            return cursor.fetchone()[0] == 1

    erasing = threading.Thread(target=erase_and_close)
    with transaction.atomic():
        make_donation(person)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # holds on to the person, as the commit would
        erasing.start()
        wait_for(waiting, "the erasure to wait for the gift", seconds=10)
    erasing.join(10)
    assert not Supporter.objects.exists()
    assert list(Donation.objects.values_list("supporter", flat=True)) == [None, None]


def test_old_messages_from_mailchimp_are_forgotten_once_applied(person):
    applied, owed = WebhookEvent.objects.order_by("pk")
    WebhookEvent.objects.filter(pk=applied.pk).update(applied_at=timezone.now() - timedelta(days=31))
    assert retention.apply() == {"mailchimp": 1}
    assert WebhookEvent.objects.get() == owed


def test_what_waits_to_be_confirmed_with_this_address_goes_too(person, staff, broker):
    for email in ("zebulon@mail.se", "other@mail.se"):
        ask_to_sign(email=email, first_name="Z", last_name="Q", postcode="1")
    erase(person, staff)
    assert list(Signature.objects.filter(email__isnull=False).values_list("email", flat=True)) == ["other@mail.se"]
    assert Letter.objects.count() == 1
