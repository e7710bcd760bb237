"""What still knows a record that was merged away leads to the survivor."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from supporters import consent, finding, links, merging, signing
from supporters.links import Link
from supporters.models import Consent, Donation, ImportRow, Pledge, Purpose, Signature, Supporter
from supporters.payments.donors import donor_of
from tests.factories import ask_to_sign, make_consent, make_pledge, make_supporter
from tests.supporters.importing.test_run import MAILCHIMP, counts, load, reasons

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
THEIRS = MAILCHIMP.replace("asa@mail.se", "annika@old.se").replace("Åsa", "Annika")


@pytest.fixture
def anna():
    return make_supporter(first_name="Anna", last_name="Ek", email="anna@mail.se")


@pytest.fixture
def old():
    return make_supporter(first_name="Annika", last_name="Ek", email="annika@old.se")


@pytest.fixture
def merge(anna, old):
    return merging.merge(anna.pk, old.pk)


def test_numbers_links_and_addresses_of_the_old_record_find_the_survivor(anna, old, merge):
    for lock in (False, True):
        assert finding.by_pk(old.pk, lock=lock) == anna
        assert finding.by_uuid(old.uuid, lock=lock) == anna
        assert finding.by_email("annika@old.se", lock=lock) == anna
    assert finding.by_email("nobody@old.se") is None


def test_a_record_on_file_comes_before_one_that_was(anna, merge):
    new = make_supporter(email="annika@old.se")
    assert finding.by_email("annika@old.se") == new


def test_after_undoing_each_is_found_by_their_own(anna, old, merge):
    merging.undo(merge.pk)
    assert finding.by_email("annika@old.se") == old
    assert finding.by_pk(old.pk) == old


def test_a_chain_of_merges_leads_to_its_end(anna, old, merge):
    third = make_supporter()
    merging.merge(third.pk, anna.pk)
    assert finding.by_pk(old.pk) == third
    assert finding.by_email("annika@old.se") == finding.by_email("anna@mail.se") == third


def test_who_signs_with_the_old_address_signs_as_the_survivor(anna, merge, broker):
    signature = ask_to_sign(email="annika@old.se")
    assert signing.confirm(signature.uuid)
    assert Signature.objects.get().supporter == anna
    assert Supporter.objects.get().email == "anna@mail.se"


def test_who_gives_with_the_old_address_gives_as_the_survivor(anna, merge):
    pledge = make_pledge(email="annika@old.se")
    assert donor_of(pledge) == donor_of(None, "Annika@old.se") == anna


def test_a_pledge_of_the_old_record_is_the_survivors(anna, old):
    pledge = make_pledge(supporter=old, email="annika@old.se")
    merging.merge(anna.pk, old.pk)
    assert Pledge.objects.get(pk=pledge.pk).supporter == anna


def test_the_link_that_confirms_news_holds(client, anna, old):
    make_consent(old, Consent.State.REQUESTED)
    token = links.token(Link.NEWS, old.uuid)
    merging.merge(anna.pk, old.pk)
    assert client.post(f"/en/give/news/{token}/").status_code in {200, 302}
    assert consent.state_of(anna) == Consent.State.GRANTED


def test_a_row_of_a_file_with_the_old_address_is_about_the_survivor(anna, merge):
    run = load("email,first name,last name,city\nannika@old.se,Annika,Ek,Lund\n")
    assert (counts(run), reasons(run)) == ((1, 0, 1, 0, 0), [])
    anna.refresh_from_db()
    assert (anna.email, anna.city) == ("anna@mail.se", "Lund")


def test_a_row_with_the_old_address_and_another_name_waits(anna, merge):
    run = load("email,first name,last name\nannika@old.se,Bertil,Ek\n")
    row = run.failures.get()
    assert (row.verdict, row.supporter) == (ImportRow.Verdict.WAITING, anna)


def test_who_left_under_the_old_address_elsewhere_has_left(anna, merge):
    make_consent(anna, happened_at=LONG_AGO)
    load(THEIRS.format(extra=",UNSUB_TIME", value=",2026-01-01 10:00:00"), name="unsubscribed.csv")
    assert consent.state_of(anna) == Consent.State.WITHDRAWN


def test_that_the_old_address_is_dead_keeps_nobody_from_the_other(anna, merge):
    make_consent(anna, happened_at=LONG_AGO)
    load(THEIRS.format(extra=",CLEAN_TIME", value=",2026-01-01 10:00:00"), name="cleaned.csv")
    assert Supporter.objects.contactable(Purpose.EMAIL).get() == anna


def test_a_gift_of_a_file_with_the_old_address_is_the_survivors(anna, merge):
    load("email,amount,currency,date\nannika@old.se,100,SEK,2026-01-01\n", kind="donations")
    assert Donation.objects.get().supporter == anna
    assert Supporter.objects.count() == 1


def test_a_gift_by_the_old_reference_is_the_survivors(anna, old):
    old.references.create(system="donor", identifier="D-1")
    merging.merge(anna.pk, old.pk)
    load("reference,amount,currency,date\nD-1,100,SEK,2026-01-01\n", kind="donations")
    assert Donation.objects.get().supporter == anna


def test_bookmarks_of_staff_lead_on(staff_client, anna, old, merge):
    timeline = staff_client.get(reverse("crm:timeline", args=[old.pk]))
    assert timeline.url == reverse("crm:timeline", args=[anna.pk])
    page = staff_client.get(reverse("admin:supporters_supporter_change", args=[old.pk]))
    assert page.url == reverse("admin:supporters_supporter_change", args=[anna.pk])
    assert staff_client.get(reverse("crm:timeline", args=[0])).status_code == 404
    told = staff_client.get(reverse("crm:disclose", args=[old.pk]))
    assert told.url == reverse("crm:disclose", args=[anna.pk])


def test_staff_find_the_person_by_the_old_address(staff_client, anna, old, merge):
    answer = staff_client.get(reverse("admin:supporters_supporter_changelist"), {"q": "Annika@old.se"})
    assert [one.pk for one in answer.context["cl"].result_list] == [anna.pk]
