from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from campaigns.mail.returns import reports
from campaigns.mail.returns.applying import apply_owed, settle, try_again
from campaigns.mail.returns.storing import store_events, store_message
from campaigns.models import Delivery, Return, ReturnedMessage
from crm import retention
from crm.erasure import erase
from supporters import consent
from supporters.models import Consent, Supporter, Suppression
from tests.campaigns.mail.returns.conftest import bounced, complained, make_delivery
from tests.factories import make_supporter

pytestmark = pytest.mark.django_db


def take_in(*messages):
    for raw in messages:
        store_message(raw, "pipe")
    return apply_owed()


def may_write_to(person):
    return Supporter.objects.contactable().filter(pk=person.pk).exists()


def state_of(delivery):
    return Delivery.objects.get(pk=delivery.pk).state


def test_a_hard_bounce_ends_the_address_and_says_why():
    delivery = make_delivery()
    assert take_in(bounced(delivery)) == {"applied": 1, "bounced": 1, "complained": 0, "left": 1, "unreadable": 0}
    person = delivery.supporter
    assert not may_write_to(person)
    assert consent.suppressions_of(person.email).get().reason == Suppression.Reason.HARD_BOUNCE
    proof = person.consents.get(state=Consent.State.WITHDRAWN)
    assert (proof.method, proof.source) == ("bounce", f"appeal {delivery.appeal.source_code}: userunknown")
    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason) == ("bounced", "Nobody has this address")
    row = Return.objects.get()
    assert (row.kind, row.reason, row.match, row.done) == ("hard", "userunknown", "verp", "suppressed")
    assert (row.supporter, row.delivery, row.address) == (person, delivery, person.email)


@pytest.mark.parametrize("state", ["sending", "sent", "unknown"])
def test_a_bounce_proves_that_the_message_left(state):
    delivery = make_delivery(state, claim=7 if state == "sending" else None)
    take_in(bounced(delivery))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.claim) == ("bounced", None)
    assert delivery.sent_at is not None


@pytest.mark.parametrize("state", ["queued", "skipped", "failed", "complained"])
def test_a_bounce_leaves_a_delivery_that_never_left(state):
    delivery = make_delivery(state)
    take_in(bounced(delivery))
    assert state_of(delivery) == state
    assert not may_write_to(delivery.supporter)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("5.2.2", "552 5.2.2 Mailbox full"),
        ("5.7.1", "550 5.7.1 Client host blocked using Spamhaus"),
        ("5.7.26", "550 5.7.26 Unauthenticated mail, DMARC policy"),
        ("5.7.1", "550 5.7.1 Message rejected due to local policy"),
        ("5.7.1", "550 5.7.1 Message content rejected as spam"),
        ("4.4.7", "Message expired"),
        ("5.0.0", "550 qwerty"),
    ],
)
def test_a_soft_bounce_never_costs_a_donor_however_often_it_comes(status, said):
    person = make_supporter(consent=True)
    deliveries = [make_delivery(supporter=person) for _number in range(12)]
    take_in(*(bounced(delivery, status=status, said=said) for delivery in deliveries))
    assert may_write_to(person)
    assert {state_of(delivery) for delivery in deliveries} == {"bounced"}
    assert set(Return.objects.values_list("kind", "done")) == {("soft", "noted")}


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded"])
def test_what_is_no_bounce_changes_nothing(action):
    delivery = make_delivery()
    take_in(bounced(delivery, action=action))
    assert may_write_to(delivery.supporter)
    assert state_of(delivery) == "sent"
    assert Return.objects.get().done == "nothing"


def test_an_automatic_answer_is_no_bounce():
    delivery = make_delivery()
    to = bounced(delivery).decode().split("\n")[1]
    take_in(
        f"From: {delivery.supporter.email}\n{to}\nSubject: Away\nAuto-Submitted: auto-replied\n\nI am away.\n".encode()
    )
    assert (Return.objects.get().reason, Return.objects.get().match) == ("vacation", "verp")
    assert may_write_to(delivery.supporter)
    assert state_of(delivery) == "sent"


@pytest.mark.parametrize("before", ["sent", "bounced", "sending", "unknown"])
def test_a_complaint_stops_all_mail(before):
    delivery = make_delivery(before, claim=7 if before == "sending" else None)
    take_in(complained(delivery))
    assert state_of(delivery) == "complained"
    assert not may_write_to(delivery.supporter)
    assert consent.suppressions_of(delivery.supporter.email).get().reason == Suppression.Reason.COMPLAINT
    assert delivery.supporter.consents.latest("pk").method == Consent.Method.COMPLAINT


def test_a_wish_to_leave_withdraws_without_a_complaint():
    delivery = make_delivery()
    take_in(complained(delivery, "opt-out"))
    assert state_of(delivery) == "sent"
    assert consent.suppressions_of(delivery.supporter.email).get().reason == Suppression.Reason.LEFT
    assert consent.state_of(delivery.supporter) == Consent.State.WITHDRAWN


def test_failed_authentication_only_alerts():
    delivery = make_delivery()
    take_in(complained(delivery, "auth-failure"))
    assert may_write_to(delivery.supporter)
    assert (Return.objects.get().kind, Return.objects.get().done) == ("alert", "look")


def test_not_spam_changes_nothing():
    delivery = make_delivery()
    take_in(complained(delivery, "not-spam"))
    assert may_write_to(delivery.supporter)
    assert (Return.objects.get().kind, Return.objects.get().done) == ("other", "nothing")


def test_the_same_message_twice_is_kept_once():
    delivery = make_delivery()
    raw = bounced(delivery)
    assert (store_message(raw, "pipe"), store_message(raw, "mailbox")) == (True, False)
    assert apply_owed()["applied"] == 1
    assert store_message(raw, "pipe") is False
    assert apply_owed()["applied"] == 0


def test_the_same_news_twice_changes_nothing_more():
    delivery = make_delivery()
    take_in(bounced(delivery), b"X-Way: another\n" + bounced(delivery))
    assert Return.objects.count() == 2
    assert delivery.supporter.consents.filter(state="withdrawn").count() == 1
    assert Suppression.objects.count() == 1


def test_a_bounce_after_the_complaint_takes_nothing_back():
    delivery = make_delivery()
    take_in(complained(delivery), bounced(delivery, status="5.2.2", said="552 5.2.2 Mailbox full"))
    assert state_of(delivery) == "complained"


def test_a_forged_bounce_suppresses_nobody():
    """Anybody can write an address, a wrong proof or an invented number into a message."""
    delivery = make_delivery()
    victim = delivery.supporter
    take_in(
        bounced(delivery, to="bounces@lists.example.org"),
        bounced(delivery, to=f"bounces+{delivery.uuid.hex}{'0' * 12}@lists.example.org"),
        bounced(delivery, to="x@example.org", original=f"Message-ID: <{uuid4().hex}@example.org>"),
    )
    assert may_write_to(victim)
    assert state_of(delivery) == "sent"
    assert set(Return.objects.values_list("match", "done")) == {("address", "look")}


def test_ones_own_token_aims_at_nobody_else():
    mine, victim = make_delivery(), make_supporter(consent=True)
    take_in(bounced(mine, address=victim.email))
    assert may_write_to(victim)
    assert may_write_to(mine.supporter), "a bounce of another address says nothing of theirs"
    assert (Return.objects.get().done, Return.objects.get().supporter) == ("look", mine.supporter)


def test_a_report_without_an_address_is_about_the_one_it_came_back_for():
    delivery = make_delivery()
    take_in(bounced(delivery, address=""))
    assert not may_write_to(delivery.supporter)


def test_a_report_is_matched_by_our_message_id_too():
    delivery = make_delivery()
    original = f"Message-ID: <{delivery.uuid.hex}@example.org>"
    take_in(bounced(delivery, to="anna@example.org", original=original))
    assert Return.objects.get().match == "message_id"
    assert not may_write_to(delivery.supporter)


def test_a_stranger_is_kept_and_shown():
    raw = bounced(make_delivery(), to="x@example.org", address="stranger@mail.se")
    take_in(raw)
    row = Return.objects.get()
    assert (row.match, row.done, row.address, row.supporter) == ("", "nothing", "stranger@mail.se", None)
    assert bytes(row.message.raw) == raw


def test_an_unreadable_message_is_kept_and_the_rest_goes_on():
    delivery = make_delivery()
    counts = take_in(b"\x00\x00", bounced(delivery))
    assert (counts["unreadable"], counts["bounced"]) == (1, 1)
    kept = ReturnedMessage.objects.exclude(error="").get()
    assert bytes(kept.raw) == b"\x00\x00"
    assert try_again([kept.pk]) == 1
    assert apply_owed()["unreadable"] == 1


def test_huge_messages_are_kept_in_part():
    delivery = make_delivery()
    store_message(bounced(delivery) + b"x" * (2 * reports.MOST_BYTES), "pipe")
    assert apply_owed()["bounced"] == 1
    assert len(ReturnedMessage.objects.get().raw) == reports.MOST_BYTES


def test_settle_lets_a_person_decide_once(staff):
    delivery = make_delivery()
    take_in(bounced(delivery, to="x@example.org"))
    row = Return.objects.get()
    assert settle(row.pk, True, staff) is True
    assert settle(row.pk, True, staff) is False
    row.refresh_from_db()
    assert (row.done, row.settled_by) == ("suppressed", staff)
    assert not may_write_to(delivery.supporter)
    assert delivery.supporter.consents.latest("pk").recorded_by == staff


def test_settle_may_leave_it(staff):
    delivery = make_delivery()
    take_in(bounced(delivery, to="x@example.org"))
    assert settle(Return.objects.get().pk, False, staff) is True
    assert Return.objects.get().done == "dismissed"
    assert may_write_to(delivery.supporter)


def test_erasure_takes_what_came_back_along(staff):
    delivery = make_delivery()
    person, email = delivery.supporter, delivery.supporter.email
    take_in(bounced(delivery), bounced(delivery, to="x@example.org"))
    erase(person, staff)
    assert set(Return.objects.values_list("supporter", "address", "said")) == {(None, "", "")}
    assert not ReturnedMessage.objects.exclude(raw=None).exists()
    late = bounced(delivery, to="y@example.org", address=email)
    take_in(late)
    row = Return.objects.latest("pk")
    assert (row.supporter, row.address, row.said, row.message.raw) == (None, "", "", None)


def test_forget_returns_keeps_what_it_meant():
    delivery = make_delivery()
    take_in(bounced(delivery), bounced(delivery, to="x@example.org", address="stranger@mail.se"), b"\x00")
    store_message(bounced(delivery) + b"\n", "pipe")
    ReturnedMessage.objects.update(received_at=timezone.now() - timedelta(days=31))
    assert retention.apply() == {"strangers": 2, "returned": 1}
    assert Return.objects.get().delivery == delivery
    assert ReturnedMessage.objects.filter(applied_at=None).get().raw is not None


def told(**fields):
    return {
        "type": "bounced",
        "id": "1",
        "recipient": "",
        "delivery": "",
        "refusal": "",
        "said": "",
        "at": "",
        **fields,
    }


@pytest.mark.parametrize(
    ("fields", "kind", "writes"),
    [
        ({"said": "smtp;550 5.1.1 The email account that you tried to reach does not exist"}, "hard", False),
        ({"refusal": "invalid"}, "hard", False),
        ({"refusal": "bounced"}, "soft", True),
        ({"said": "552 5.2.2 mailbox full"}, "soft", True),
        ({"type": "complained"}, "complaint", False),
        ({"type": "unsubscribed"}, "opt_out", False),
        ({"type": "rejected", "refusal": "unsubscribed"}, "opt_out", False),
        ({"type": "rejected", "refusal": "blocked"}, "soft", True),
        ({"type": "failed"}, "soft", True),
        ({"type": "surprise"}, "other", True),
    ],
)
def test_a_providers_word_is_acted_on(fields, kind, writes):
    delivery = make_delivery()
    event = told(delivery=str(delivery.uuid), recipient=delivery.supporter.email.upper(), **fields)
    assert store_events("postmark", [event, event]) == 1
    assert store_events("postmark", [event]) == 0
    apply_owed()
    row = Return.objects.get()
    assert (row.kind, row.match, row.delivery) == (kind, "provider", delivery)
    assert may_write_to(delivery.supporter) is writes


def test_a_providers_word_on_an_address_counts_too():
    person = make_supporter(consent=True)
    store_events("postmark", [told(type="complained", recipient=person.email)])
    apply_owed()
    assert not may_write_to(person)


def test_a_fault_of_ours_on_one_message_keeps_it_and_says_so(caplog):
    """No event that we store looks like this: it stands for whatever nobody foresaw."""
    ReturnedMessage.objects.create(channel="provider", digest=b"1", event=["anna@mail.se"])
    delivery = make_delivery()
    counts = take_in(bounced(delivery))
    assert (counts["unreadable"], counts["bounced"]) == (1, 1)
    assert "AttributeError" in ReturnedMessage.objects.get(channel="provider").error
    assert "could not be applied" in caplog.text
