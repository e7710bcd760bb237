from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from supporters import consent
from supporters.models import Consent, Purpose, Supporter, Suppression
from tests.factories import make_consent, make_supporter

pytestmark = pytest.mark.django_db


def contactable() -> list[Supporter]:
    return list(Supporter.objects.contactable().order_by("pk"))


def test_contactable_needs_a_grant():
    granted = make_supporter(consent=True)
    make_supporter()
    make_consent(make_supporter(), Consent.State.REQUESTED)
    assert contactable() == [granted]


def test_contactable_leaves_out_people_without_address():
    make_supporter(email=None, consent=True)
    assert contactable() == []


def test_leave_is_in_force_at_once_and_only_confirmation_brings_back():
    ann = make_supporter(consent=True)
    consent.leave(ann, method=Consent.Method.LINK)
    assert contactable() == []
    consent.grant(ann, Purpose.EMAIL, wording="Yes.", method=Consent.Method.IMPORT)
    assert contactable() == []
    consent.grant(ann, Purpose.EMAIL, wording="Yes.", method=Consent.Method.CONFIRMED)
    assert contactable() == [ann]


def test_confirmation_does_not_lift_a_bounce():
    ann = make_supporter(consent=True)
    consent.leave(ann, method=Consent.Method.BOUNCE, reason=Suppression.Reason.HARD_BOUNCE)
    consent.grant(ann, Purpose.EMAIL, wording="Yes.", method=Consent.Method.CONFIRMED)
    assert contactable() == []


def test_withdrawal_decides_in_a_tie():
    ann = make_supporter()
    instant = timezone.now() - timedelta(days=1)
    consent.withdraw(ann, Purpose.EMAIL, method=Consent.Method.STAFF, happened_at=instant)
    make_consent(ann, happened_at=instant)
    assert consent.state_of(ann) == Consent.State.WITHDRAWN


def test_grant_dated_in_the_future_does_not_outlast_a_withdrawal():
    ann = make_supporter()
    make_consent(ann, happened_at=timezone.now() + timedelta(days=400))
    consent.withdraw(ann, Purpose.EMAIL, method=Consent.Method.STAFF)
    assert contactable() == []


def test_suppression_of_an_address_holds_for_a_new_record():
    consent.suppress("ann@mail.se", Suppression.Reason.ERASED)
    consent.suppress("ann@mail.se", Suppression.Reason.ERASED)
    assert Suppression.objects.count() == 1
    make_supporter(email="ann@mail.se", consent=True)
    assert contactable() == []


@pytest.mark.parametrize(
    "statement", ["UPDATE supporters_consent SET state = 'granted'", "DELETE FROM supporters_consent"]
)
def test_ledger_refuses_to_be_rewritten(statement):
    make_consent(make_supporter(), Consent.State.WITHDRAWN)
    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert Consent.objects.get().state == Consent.State.WITHDRAWN


def test_grant_without_wording_is_refused():
    with pytest.raises(IntegrityError, match="consent_grant_shows_wording"), transaction.atomic():
        consent.grant(make_supporter(), Purpose.EMAIL, wording="", method=Consent.Method.STAFF)


def test_supporters_found_whatever_case_and_accents():
    asa = make_supporter(first_name="Åsa", last_name="Öberg")
    make_supporter()
    assert list(Supporter.objects.matching("asa OBERG")) == [asa]
    assert list(Supporter.objects.matching("100%")) == []
