import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Appeal, Audience, AudienceMember, Delivery, Segment, SegmentMember
from supporters import consent
from supporters.models import (
    Consent,
    Donation,
    ImportRow,
    ImportRun,
    Reference,
    Signature,
    Supporter,
    Suppression,
    Tag,
)
from tests.factories import make_donation, make_organisation, make_signature, make_supporter

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
    Delivery.objects.create(appeal=appeal, supporter=who, state="sent", sent_at=timezone.now())
    audience = Audience.objects.create(name="List", list_id="abc")
    AudienceMember.objects.create(audience=audience, supporter=who, subscriber_hash="0" * 32, status="subscribed")
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
    page = staff_client.get(reverse("crm:erase", args=[person.pk]))
    assert "Donations stay in the books" in page.content.decode()
    assert Supporter.objects.count() == 1
    staff_client.post(reverse("crm:erase", args=[person.pk]))
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


def test_who_was_erased_stays_unwritten_to_when_a_file_brings_the_address_back(staff, person):
    from crm.erasure import erase

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
