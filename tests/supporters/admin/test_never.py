"""Never to be written to: said by staff, and held at every door."""

from dataclasses import replace

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from campaigns.letters import sending
from campaigns.letters.note import Note
from crm.erasure import erase
from supporters import consent
from supporters.importing import run as runs
from supporters.models import Consent, ImportRun, Supporter, Suppression
from tests.factories import make_supporter

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(staff_client):
    who = make_supporter(email="ann@mail.se", consent=True)
    page = reverse("admin:supporters_supporter_never", args=[who.pk])
    assert "holds for good" in staff_client.get(page).content.decode()
    assert not Suppression.objects.exists()
    staff_client.post(page)
    return who


def contactable() -> bool:
    return Supporter.objects.contactable().exists()


def test_it_is_in_force_at_once_with_its_proof(ann, staff):
    assert not contactable()
    assert Suppression.objects.get().reason == "by_hand"
    line = ann.consents.latest("pk")
    assert (line.state, line.method, line.recorded_by) == ("withdrawn", "staff", staff)


def test_no_file_brings_them_back(ann):
    run = runs.upload("supporters", "a.csv", [b"Email,First name\nAnn@mail.se,Ann\n"])
    ImportRun.objects.filter(pk=run.pk).update(
        consent_purpose="email", consent_wording="Yes.", consent_on="2026-01-01", consent_how="A list"
    )
    runs.start(run)
    runs.work(run.pk)
    run.refresh_from_db()
    assert (run.state, run.held_back) == ("done", 1)
    assert not contactable()


def test_nor_does_signing_or_giving(ann):
    consent.grant(ann, "email", wording="Yes, again.", method=Consent.Method.CONFIRMED)
    assert not contactable()
    assert Suppression.objects.get().reason == "by_hand"


def test_no_receipt_and_no_letter_goes_there(ann):
    note = Note(to="ann@mail.se", language="sv", subject="Your receipt", blocks=("Thank you.",), reason="You gave.")
    assert sending._barred(note)
    assert not sending._barred(replace(note, to="bo@mail.se"))


def test_it_outlives_the_record(ann, staff):
    erase(ann, staff)
    make_supporter(email="ann@mail.se", consent=True)
    assert not contactable()
    assert set(Suppression.objects.values_list("reason", flat=True)) == {"by_hand", "erased"}


def test_somebody_without_an_address_has_none_to_bar(staff_client):
    who = make_supporter(email=None)
    answer = staff_client.get(reverse("admin:supporters_supporter_never", args=[who.pk]))
    assert answer.status_code == 302


def test_only_who_may_suppress_can(client, django_user_model):
    who = make_supporter(consent=True)
    user = django_user_model.objects.create_user("f", password="x", is_staff=True)
    user.groups.add(Group.objects.get(name="Fundraiser"))
    client.force_login(user)
    assert client.post(reverse("admin:supporters_supporter_never", args=[who.pk])).status_code == 403
    assert contactable()
