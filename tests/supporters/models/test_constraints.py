"""What the map forbids can't be stored, by whatever code: every statement here goes past the models."""

import pytest
from django.db import IntegrityError, connection, transaction

from supporters.models import Consent, Donation, Organisation, Refund, Signature, Supporter
from supporters.privacy import ledger_open_for
from tests.factories import (
    make_consent,
    make_donation,
    make_organisation,
    make_petition,
    make_signature,
    make_supporter,
)

pytestmark = pytest.mark.django_db


def write(statement: str, **values: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def refused(constraint: str):
    return pytest.raises(IntegrityError, match=constraint)


@pytest.mark.parametrize(
    ("email", "constraint"),
    [
        ("Ann@mail.se", "supporter_email_normalised"),
        (" ann@mail.se", "supporter_email_normalised"),
        ("ann@mail.se\n", "supporter_email_normalised"),
        ("ann@mail.se\u00a0", "supporter_email_normalised"),
        ("ÅSA@mail.se", "supporter_email_normalised"),
        ("ann@bücher.se", "supporter_email_normalised"),
        ("", "supporter_email_normalised"),
        ("ann", "supporter_email_normalised"),
        ("ann@bo@mail.se", "supporter_email_normalised"),
        ("taken@mail.se", "supporter_email_unique"),
    ],
)
def test_supporter_address_has_one_spelling_and_one_owner(email, constraint):
    make_supporter(email="taken@mail.se")
    with refused(constraint):
        write("INSERT INTO supporters_supporter (email) VALUES (%(email)s)", email=email)
    assert Supporter.objects.count() == 1


@pytest.mark.parametrize(
    ("column", "value"), [("country", "se"), ("country", "S1"), ("language", "SV"), ("language", "?")]
)
def test_supporter_place_and_language_are_codes(column, value):
    with refused(f"supporter_{column}"):
        write(f"INSERT INTO supporters_supporter ({column}) VALUES (%(value)s)", value=value)


@pytest.mark.parametrize(
    ("system", "identifier", "constraint"),
    [
        ("donor", "D-1", "reference_unique"),
        ("donor", " D-1", "reference_trimmed"),
        ("donor", "D-1\u00a0", "reference_trimmed"),
        ("donor", "", "reference_trimmed"),
        ("", "D-2", "reference_trimmed"),
    ],
)
def test_reference_belongs_to_one_person(system, identifier, constraint):
    make_supporter().references.create(system="donor", identifier="D-1")
    bo = make_supporter()
    with refused(constraint):
        write(
            "INSERT INTO supporters_reference (supporter_id, system, identifier) VALUES (%(bo)s, %(system)s, %(identifier)s)",
            **{"bo": bo.pk, "system": system, "identifier": identifier},
        )
    assert not bo.references.exists()


CONSENT = (
    "INSERT INTO supporters_consent (supporter_id, purpose, state, method, wording, organisation_id)"
    " VALUES (%(supporter)s, %(purpose)s, %(state)s, %(method)s, %(wording)s, %(organisation)s)"
)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"state": "perhaps"}, "consent_state"),
        ({"purpose": "anything"}, "consent_purpose"),
        ({"method": "hearsay"}, "consent_method"),
        ({"wording": ""}, "consent_grant_shows_wording"),
        ({"wording": " \n\u00a0"}, "consent_grant_shows_wording"),
        ({"purpose": "partner"}, "consent_partner_named"),
    ],
)
def test_consent_is_granted_only_with_its_proof(change, constraint):
    good = {"purpose": "email", "state": "granted", "method": "form", "wording": "Yes.", "organisation": None}
    with refused(constraint):
        write(CONSENT, **{"supporter": make_supporter().pk, **good, **change})
    assert not Consent.objects.exists()


def test_consent_for_ourselves_names_no_partner():
    with refused("consent_partner_named"):
        make_consent(make_supporter(), organisation=make_organisation())


def test_consent_moves_to_another_person_in_a_merge_and_changes_nothing_else():
    line = make_consent(make_supporter(), "withdrawn")
    bo = make_supporter()
    for change in (
        "state = 'granted'",
        "wording = 'Other words'",
        f"supporter_id = {bo.pk}, happened_at = '2020-01-01'",
    ):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), ledger_open_for("merge"):
            write(f"UPDATE supporters_consent SET {change}")
    with transaction.atomic(), ledger_open_for("merge"):
        write("UPDATE supporters_consent SET supporter_id = %(bo)s", bo=bo.pk)
    line.refresh_from_db()
    assert (line.supporter_id, line.state) == (bo.pk, "withdrawn")


def test_suppression_stands_once_for_each_reason():
    say = "INSERT INTO supporters_suppression (email_hash, reason) VALUES ('\\x01', %(reason)s)"
    write(say, reason="left")
    with refused("suppression_unique"):
        write(say, reason="left")
    with refused("suppression_reason"):
        write(say, reason="mood")


DONATION = (
    "INSERT INTO supporters_donation (amount, currency, method, state, received_on, provider, provider_id)"
    " VALUES (%(amount)s, %(currency)s, %(method)s, %(state)s, %(day)s, %(provider)s, %(id)s)"
)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"amount": "0"}, "donation_amount_positive"),
        ({"amount": "-5"}, "donation_amount_positive"),
        ({"amount": "NaN"}, "donation_amount_positive"),
        ({"currency": "kr"}, "donation_currency_iso"),
        ({"currency": "JPY", "amount": "10.50"}, "donation_whole_units"),
        ({"method": "magic"}, "donation_method"),
        ({"state": "lost"}, "donation_state"),
        ({"day": None}, "donation_received_when"),
        ({"day": None, "state": "refunded"}, "donation_received_when"),
        ({"provider": "stripe", "id": "pi_1"}, "donation_provider_unique"),
        ({"id": "pi_2"}, "donation_provider_named"),
    ],
)
def test_donation_is_exact_and_comes_once(change, constraint):
    make_donation(provider="stripe", provider_id="pi_1")
    good = {"amount": "10", "currency": "SEK", "method": "card", "state": "received", "day": "2026-05-01"}
    with refused(constraint):
        write(DONATION, **{**good, "provider": "", "id": "", **change})
    assert Donation.objects.count() == 1


def test_refund_gives_back_no_more_than_came():
    donation = make_donation(amount=100)
    give = "INSERT INTO supporters_refund (donation_id, amount, refunded_on) VALUES (%(donation)s, %(amount)s, now())"
    for amount in ("100.01", "NaN", "0", "-1"):
        with pytest.raises(IntegrityError, match=r"More would go back|refund_amount_positive"):
            write(give, donation=donation.pk, amount=amount)
    write(give, donation=donation.pk, amount=60)
    with refused("More would go back"):
        write(give, donation=donation.pk, amount="40.01")
    with refused("More would go back"):
        write("UPDATE supporters_refund SET amount = 101")
    with refused("More went back"):
        write("UPDATE supporters_donation SET amount = 59")
    write(give, donation=donation.pk, amount=40)
    assert sum(Refund.objects.values_list("amount", flat=True)) == 100


RECURRING = (
    "INSERT INTO supporters_recurringdonation (amount, currency, interval, state, started_on, ended_on)"
    " VALUES (%(amount)s, 'SEK', %(interval)s, %(state)s, '2026-05-01', %(ended)s)"
)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"amount": "NaN"}, "recurring_amount_positive"),
        ({"interval": "week"}, "recurring_interval"),
        ({"state": "asleep"}, "recurring_state"),
        ({"ended": "2026-04-30"}, "recurring_ends_after_start"),
    ],
)
def test_recurring_donation_makes_sense(change, constraint):
    with refused(constraint):
        write(RECURRING, **{"amount": "10", "interval": "month", "state": "active", "ended": None, **change})


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("state = 'validated'", "signature_validated_when"),
        ("validated_at = now()", "signature_pending_not_validated"),
        ("state = 'maybe'", "signature_state"),
        ("country = 'se'", "signature_country_iso"),
    ],
)
def test_signature_counts_only_with_its_moment(change, constraint):
    make_signature()
    with refused(constraint):
        write(f"UPDATE supporters_signature SET {change}")
    assert not Signature.objects.validated().exists()


def test_signature_is_one_per_person_and_petition():
    first = make_signature()
    with refused("signature_once"):
        make_signature(first.petition, first.supporter)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("goal = 0", "petition_goal_positive"),
        ("state = 'secret'", "petition_state"),
        ("opens_at = now(), closes_at = now()", "petition_closes_after_opening"),
    ],
)
def test_petition_makes_sense(change, constraint):
    make_petition()
    with refused(constraint):
        write(f"UPDATE supporters_petition SET {change}")


def test_organisation_has_a_name_and_a_source_code_of_its_own():
    make_organisation(name="Talita", source_code="talita")
    add = "INSERT INTO supporters_organisation (name, source_code, role) VALUES (%(name)s, %(code)s, %(role)s)"
    for name, code, role, constraint in [
        ("TALITA", "other", "partner", "organisation_name_unique"),
        ("Other", "Talita", "partner", "organisation_source_unique"),
        ("", "other", "partner", "organisation_filled"),
        ("Other", "", "partner", "organisation_filled"),
        ("Other", "other", "rival", "organisation_role"),
    ]:
        with refused(constraint):
            write(add, name=name, code=code, role=role)
    assert Organisation.objects.count() == 1
