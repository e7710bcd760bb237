import threading
import time
from decimal import Decimal

import pytest
from django.contrib.messages import get_messages
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from supporters import consent, merging
from supporters.models import Consent, Donation, Refund, Signature, Supporter, Suppression
from tests.factories import make_donation, make_signature, make_supporter

pytestmark = pytest.mark.django_db

EMPTY_INLINES = {
    f"{prefix}-{name}": value
    for prefix in ("references", "consents", "donations", "signatures", "deliveries")
    for name, value in (("TOTAL_FORMS", 0), ("INITIAL_FORMS", 0), ("MIN_NUM_FORMS", 0), ("MAX_NUM_FORMS", 0))
}


def save(client, person: Supporter | None, **fields):
    address = (
        reverse("admin:supporters_supporter_change", args=[person.pk])
        if person
        else reverse("admin:supporters_supporter_add")
    )
    return client.post(address, {**EMPTY_INLINES, **fields})


def test_an_address_is_stored_in_one_spelling_and_belongs_to_one_person(staff_client):
    assert (
        save(
            staff_client, None, first_name="Åsa", email=" Asa@MAIL.se", country="Schweden", language="SV"
        ).status_code
        == 302
    )
    asa = Supporter.objects.get()
    assert (asa.email, asa.country, asa.language) == ("asa@mail.se", "SE", "sv")
    answer = save(staff_client, None, first_name="Bo", email="ASA@mail.se")
    assert "Somebody on file has this address." in answer.content.decode()
    assert Supporter.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("email", "asa@@mail.se", "email address"),
        ("country", "Atlantis", "no country we know"),
        ("language", "Elvish", "no language"),
    ],
)
def test_what_can_not_be_read_is_said_at_the_field(staff_client, field, value, message):
    answer = save(staff_client, None, first_name="Åsa", **{field: value})
    assert any(message in error for error in answer.context["adminform"].form.errors[field])
    assert not Supporter.objects.exists()


def test_two_people_without_an_address_are_two_people(staff_client):
    save(staff_client, None, first_name="Åsa")
    save(staff_client, None, first_name="Bo")
    assert Supporter.objects.filter(email=None).count() == 2


def test_staff_record_a_consent_with_its_proof(staff_client, staff):
    who = make_supporter()
    address = reverse("admin:supporters_supporter_record_consent", args=[who.pk])
    assert "needs its proof" in staff_client.post(address, {"purpose": "email", "state": "granted"}).content.decode()
    assert not Consent.objects.exists()
    proof = {
        "purpose": "email",
        "state": "granted",
        "wording": "May we write?",
        "language": "en",
        "source": "Phone call",
    }
    assert staff_client.post(address, proof).status_code == 302
    line = Consent.objects.get()
    assert (line.wording, line.source, line.recorded_by, line.method) == (
        "May we write?",
        "Phone call",
        staff,
        "staff",
    )
    staff_client.post(address, {"purpose": "email", "state": "withdrawn", "source": "Letter"})
    assert consent.state_of(who) == Consent.State.WITHDRAWN
    assert consent.is_suppressed(who.email)


def test_a_refund_is_a_fact_of_its_own_and_never_more_than_came(staff_client):
    donation = make_donation(amount=Decimal("100.00"))
    address = reverse("admin:supporters_donation_give_back", args=[donation.pk])
    today = timezone.localdate().isoformat()
    assert staff_client.post(address, {"amount": "40", "refunded_on": today}).status_code == 302
    answer = staff_client.post(address, {"amount": "60.01", "refunded_on": today})
    assert "Between 0.01 and 60.00 SEK can be refunded." in answer.content.decode()
    donation.refresh_from_db()
    assert (donation.state, donation.amount, Refund.objects.count()) == (
        Donation.State.RECEIVED,
        Decimal("100.00"),
        1,
    )
    staff_client.post(address, {"amount": "60", "refunded_on": today})
    donation.refresh_from_db()
    assert (donation.state, donation.amount) == (Donation.State.REFUNDED, Decimal("100.00"))


def test_a_received_amount_is_not_edited(staff_client):
    donation = make_donation(amount=Decimal("100.00"))
    empty = {f"refunds-{name}": 0 for name in ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS")}
    fields = {"amount": "999", "currency": "EUR", "method": "card", "received_on": "2026-05-01", **empty}
    assert (
        staff_client.post(reverse("admin:supporters_donation_change", args=[donation.pk]), fields).status_code == 302
    )
    donation.refresh_from_db()
    assert (donation.amount, donation.currency, donation.method) == (Decimal("100.00"), "SEK", "card")


def test_an_address_is_suppressed_by_hand_and_only_such_is_lifted(staff_client):
    staff_client.post(reverse("admin:supporters_suppression_add"), {"address": "Asa@Mail.se"})
    assert consent.is_suppressed("asa@mail.se")
    by_hand = Suppression.objects.get()
    found = staff_client.get(reverse("admin:supporters_suppression_changelist"), {"q": "asa@mail.se"})
    assert [row.pk for row in found.context["cl"].result_list] == [by_hand.pk]
    consent.suppress("asa@mail.se", Suppression.Reason.COMPLAINT)
    complaint = Suppression.objects.get(reason="complaint")
    assert (
        staff_client.post(
            reverse("admin:supporters_suppression_delete", args=[complaint.pk]), {"post": "yes"}
        ).status_code
        == 403
    )
    assert (
        staff_client.post(
            reverse("admin:supporters_suppression_delete", args=[by_hand.pk]), {"post": "yes"}
        ).status_code
        == 302
    )
    assert list(Suppression.objects.all()) == [complaint]


def test_signatures_are_counted_and_taken_out_by_action(staff_client):
    pending = make_signature()
    address = reverse("admin:supporters_signature_changelist")
    staff_client.post(address, {"action": "validate", "_selected_action": [pending.pk]})
    pending.refresh_from_db()
    assert (pending.state, pending.validated_at is None) == (Signature.State.VALIDATED, False)
    staff_client.post(address, {"action": "invalidate", "_selected_action": [pending.pk]})
    assert not Signature.objects.validated().exists()


@pytest.mark.parametrize("name", ["supporter", "donation", "signature", "recurringdonation", "suppression"])
def test_a_form_for_a_new_record_shows_only_what_can_be_filled_in(staff_client, name):
    page = staff_client.get(reverse(f"admin:supporters_{name}_add")).content.decode()
    assert "DatabaseDefault" not in page
    assert "field-created_at" not in page


def test_what_a_payment_is_known_by_stands_once_the_money_came(staff_client):
    donation = make_donation(provider="stripe", provider_id="pi_1")
    empty = {f"refunds-{name}": 0 for name in ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS")}
    fields = {"method": "card", "received_on": "2026-05-01", "provider": "", "provider_id": "pi_2", **empty}
    address = reverse("admin:supporters_donation_change", args=[donation.pk])
    assert staff_client.post(address, fields).status_code == 302
    donation.refresh_from_db()
    assert (donation.method, donation.provider, donation.provider_id) == ("card", "stripe", "pi_1")


def test_what_is_written_in_a_record_that_was_merged_meanwhile_is_said_not_to_be_saved(staff_client):
    one, other = make_supporter(), make_supporter(first_name="Bo")
    merging.merge(one.pk, other.pk)
    answer = save(staff_client, other, first_name="Bosse")
    assert answer.url == reverse("admin:supporters_supporter_change", args=[one.pk])
    assert ["Nothing was saved" in str(message) for message in get_messages(answer.wsgi_request)] == [True]


@pytest.mark.django_db(transaction=True)
def test_a_record_that_is_merged_while_it_is_saved_is_no_error(staff_client):
    one, other = make_supporter(), make_supporter(first_name="Bo")
    answers = []

    def write() -> None:
        answers.append(save(staff_client, other, first_name="Bosse", last_name="Ek"))
        connection.close()

    writer = threading.Thread(target=write)
    with transaction.atomic():
        merging.merge(one.pk, other.pk)
        writer.start()
        with connection.cursor() as cursor:
            for _attempt in range(200):
                cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
                if cursor.fetchone()[0]:
                    break
                time.sleep(0.05)
            else:
                pytest.fail("Nobody waits for the merge.")
    writer.join(20)
    assert answers[0].url == reverse("admin:supporters_supporter_change", args=[one.pk])
    assert ["Nothing was saved" in str(message) for message in get_messages(answers[0].wsgi_request)] == [True]
