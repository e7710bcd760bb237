"""Appeals, and what comes back, of people whose records were merged."""

import pytest
from django.urls import reverse

from campaigns import appeals
from campaigns.appeals import ledger
from campaigns.mail.returns.applying import apply_owed
from campaigns.mail.returns.storing import store_message
from campaigns.models import Appeal, Delivery, Return
from supporters import consent, links, merging
from supporters.links import Link
from supporters.models import Supporter
from tests.campaigns.conftest import launched, make_people
from tests.campaigns.mail.returns.conftest import bounced, complained, make_delivery
from tests.campaigns.test_appeals_sending import after_the_first, in_order
from tests.factories import make_supporter

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_workers(broker):
    """What is handed out waits in an empty broker."""


def test_who_was_to_get_it_twice_gets_it_once(server):
    one, other = make_people(2)
    appeal = launched([one, other])
    merging.merge(one.pk, other.pk)
    assert appeals.work(appeal.pk) == {"sent": 1}
    assert server.recipients == {one.email: 1}
    spare = appeal.deliveries.get(doubled=True)
    assert (spare.supporter, spare.state, spare.reason) == (one, "skipped", ledger.MERGED)
    assert Appeal.objects.get(pk=appeal.pk).state == "sent"


def test_undone_before_it_went_out_both_get_it(server):
    one, other = make_people(2)
    appeal = launched([one, other])
    merging.undo(merging.merge(one.pk, other.pk).pk)
    assert appeals.work(appeal.pk) == {"sent": 2}
    assert server.recipients == {one.email: 1, other.email: 1}


def test_undone_after_it_went_out_nobody_gets_it_again(server):
    one, other = make_people(2)
    appeal = launched([one, other])
    merge = merging.merge(one.pk, other.pk)
    appeals.work(appeal.pk)
    merging.undo(merge.pk)
    assert appeals.work(appeal.pk) == {}
    assert appeal.deliveries.get(supporter=other).state == "skipped"
    assert server.recipients == {one.email: 1}


@pytest.mark.django_db(transaction=True)
def test_a_merge_while_a_worker_has_both_in_hand(server):
    appeal = launched(make_people(3))
    _first, second, third = in_order(appeal)
    after_the_first(server, lambda: merging.merge(second.pk, third.pk))
    counts = appeals.work(appeal.pk)
    assert counts == {"sent": 2, "skipped": 1}
    assert server.recipients[second.email] == 1
    assert third.email not in server.recipients
    assert list(appeal.deliveries.filter(doubled=True).values_list("state", "reason")) == [("skipped", ledger.MERGED)]


@pytest.mark.django_db(transaction=True)
def test_who_got_it_is_not_sent_what_the_other_record_has_in_hand(server):
    appeal = launched(make_people(3))
    first, second, _third = in_order(appeal)
    after_the_first(server, lambda: merging.merge(second.pk, first.pk))
    appeals.work(appeal.pk)
    assert server.recipients[first.email] == 1
    # The first was on the wire: either of the two may have been the one that counts, but not both.
    assert (
        server.recipients.get(second.email, 0) == 0
        or not Delivery.objects.filter(appeal=appeal, supporter=second, state="sent", doubled=False)
        .exclude(attempts=1)
        .exists()
    )


def test_a_doubled_delivery_is_never_sent_again_by_hand():
    one, other = make_people(2)
    appeal = launched([one, other])
    appeal.deliveries.update(state="failed")
    merging.merge(one.pk, other.pk)
    assert ledger.send_again(list(appeal.deliveries.values_list("pk", flat=True))) == 1
    assert appeal.deliveries.get(doubled=True).state == "failed"


def test_what_waits_is_kept_where_the_other_one_did_not_arrive():
    one, other = make_people(2)
    appeal = launched([one, other])
    appeal.deliveries.filter(supporter=other).update(state="bounced")
    merging.merge(one.pk, other.pk)
    assert set(appeal.deliveries.values_list("state", "doubled")) == {("queued", False), ("bounced", True)}


@pytest.mark.parametrize("kind", ["delivery", "supporter"])
def test_the_link_in_a_message_to_the_old_record_leaves(client, kind):
    one, other = make_supporter(consent=True), make_supporter(consent=True)
    first = make_delivery(supporter=one)
    second = make_delivery(supporter=other, appeal=first.appeal)
    token = links.unsubscribe_token(second.uuid) if kind == "delivery" else links.token(Link.LEAVE, other.uuid)
    merging.merge(one.pk, other.pk)
    assert client.post(reverse("campaigns:unsubscribe", args=[token])).status_code == 200
    assert consent.state_of(one) == "withdrawn"
    assert not Supporter.objects.contactable().exists()


def test_a_complaint_about_a_message_to_the_old_record_is_heard():
    one, other = make_supporter(consent=True), make_supporter(consent=True)
    first = make_delivery(supporter=one)
    second = make_delivery(supporter=other, appeal=first.appeal)
    raw = complained(second)
    merging.merge(one.pk, other.pk)
    store_message(raw, "pipe")
    apply_owed()
    assert consent.state_of(one) == "withdrawn"
    assert Return.objects.get().supporter == one


def test_that_the_old_address_is_dead_keeps_nobody_from_the_new_one(settings):
    settings.BOUNCE_ADDRESS = "bounces@lists.example.org"
    one, other = make_supporter(consent=True), make_supporter(consent=True)
    second = make_delivery(supporter=other)
    raw = bounced(second)
    merging.merge(one.pk, other.pk)
    store_message(raw, "pipe")
    apply_owed()
    assert Supporter.objects.contactable().get() == one
    assert Return.objects.get().done == "suppressed"
    assert consent.is_suppressed(other.email)
    assert not consent.is_suppressed(one.email)


def test_an_old_address_that_is_somebody_elses_by_now_is_left_to_staff(settings):
    settings.BOUNCE_ADDRESS = "bounces@lists.example.org"
    one, other = make_supporter(consent=True), make_supporter(consent=True)
    raw = bounced(make_delivery(supporter=other))
    merging.merge(one.pk, other.pk)
    make_supporter(email=other.email, consent=True)
    store_message(raw, "pipe")
    apply_owed()
    assert Return.objects.get().done == "look"
    assert not consent.is_suppressed(other.email)
