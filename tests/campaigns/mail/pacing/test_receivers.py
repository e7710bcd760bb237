from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns.mail.pacing import receivers
from campaigns.models import Delivery, Receiver, ReceiverDomain
from tests.campaigns.conftest import make_appeal
from tests.factories import make_supporter

pytestmark = pytest.mark.django_db


def test_the_large_receivers_come_with_their_domains():
    assert set(Receiver.objects.values_list("code", flat=True)) == {"google", "microsoft", "yahoo", "apple"}
    google = Receiver.objects.get(code="google")
    assert (google.burst, google.per_minute) == (250, 1500)
    assert list(google.domains.values_list("domain", flat=True)) == ["gmail.com", "googlemail.com"]


def test_what_staff_made_of_a_receiver_stays():
    Receiver.objects.filter(code="apple").update(per_minute=7)
    ReceiverDomain.objects.filter(domain="mac.com").delete()
    receivers.ensure()
    apple = Receiver.objects.get(code="apple")
    assert (apple.per_minute, apple.domains.count()) == (7, 2)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume", True),
        ("450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents", False),
        ("451 4.7.650 The mail server has been temporarily rate limited due to IP reputation", True),
        ("421-4.7.28 Our system has detected an unusual rate of unsolicited mail", True),
        ("452 Too many messages in this session", True),
        ("450 4.7.1 Greylisted, please come back later", False),
        ("452 4.2.2 mailbox full", False),
        ("451 4.3.0 local error", False),
    ],
)
def test_a_deferral_is_told_from_other_refusals_for_now(answer, expected):
    assert receivers.is_deferral(answer) is expected


def test_a_domain_of_nobodys_is_singled_out_with_what_waits_for_it():
    appeal = make_appeal()
    waiting, other, gone = (
        Delivery.objects.create(appeal=appeal, supporter=make_supporter(email=f"{name}@{domain}"), state=state)
        for name, domain, state in (
            ("a", "telia.se", "queued"),
            ("b", "mail.se", "queued"),
            ("c", "telia.se", "sent"),
        )
    )
    assert receivers.slow_down("telia.se", "421 4.7.0 slow down") == "telia.se"
    assert receivers.slow_down("telia.se", "again") == "telia.se"
    marks = dict(Delivery.objects.values_list("pk", "receiver"))
    assert marks == {waiting.pk: "telia.se", other.pk: "", gone.pk: ""}
    row = Receiver.objects.get(code="telia.se")
    assert (row.per_minute, row.slowed_because) == (None, "421 4.7.0 slow down")
    assert timedelta(minutes=89) < row.slowed_until - timezone.now() <= timedelta(minutes=90)


def test_marks_are_made_from_the_name_and_are_free():
    assert receivers.new_code("Seznam.cz and friends") == "seznamcz-and-friends"
    Receiver.objects.create(code="seznam", name="Seznam")
    assert receivers.new_code("Seznam") == "seznam-2"
