# ruff: noqa: F401, F811 - fixtures of other folders
"""Requests to be erased: deadlines, decisions, and the worker that carries them out."""

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Audience, AudienceMember
from crm.erasure import carrying, erase
from crm.erasure.carrying import carry_out
from supporters import erasing, merging
from supporters.models import Donation, ErasureRequest, RecurringDonation, Supporter
from supporters.payments import ending
from supporters.payments.stripe.client import StripeError
from tests.factories import make_donation, make_supporter
from tests.supporters.payments.conftest import hear, post, start, stripe

pytestmark = pytest.mark.django_db


def asked(who, **fields) -> ErasureRequest:
    return erasing.ask(who, "letter", **{"identified": "known", **fields})


def approved(who, staff) -> ErasureRequest:
    request = asked(who)
    erasing.approve(request, staff)
    return request


def fresh(request) -> ErasureRequest:
    return ErasureRequest.objects.get(pk=request.pk)


def giver(**fields) -> tuple[Supporter, RecurringDonation]:
    who = make_supporter(last_name="Quist")
    fields = {
        "amount": 100,
        "currency": "SEK",
        "state": "active",
        "provider": "stripe",
        "provider_id": "sub_1",
        **fields,
    }
    return who, RecurringDonation.objects.create(supporter=who, **fields)


# Deadlines and decisions


@pytest.mark.parametrize(
    ("received", "due", "extended"),
    [
        ("2026-03-03", "2026-04-03", "2026-06-03"),
        ("2026-01-31", "2026-02-28", "2026-04-30"),
        ("2027-11-30", "2027-12-30", "2028-02-29"),
    ],
)
def test_a_request_is_due_after_a_month_or_after_three(received, due, extended):
    day = date.fromisoformat(received)
    assert erasing.months_after(day, erasing.MONTHS).isoformat() == due
    assert erasing.months_after(day, erasing.MONTHS_EXTENDED).isoformat() == extended


def test_asking_twice_is_one_request_and_asking_again_after_a_refusal_another(staff):
    who = make_supporter()
    first = asked(who)
    assert asked(who) == first
    erasing.refuse(first, "claims", "A court case is pending.", staff)
    assert asked(who) != first


def test_a_request_is_extended_once_and_only_within_the_month():
    who = make_supporter()
    request = asked(who, received_on=timezone.localdate() - timedelta(days=10))
    with pytest.raises(erasing.ErasureProblem, match="Say why"):
        erasing.extend(request, " ")
    erasing.extend(request, "Many at once.")
    request = fresh(request)
    assert request.due_on == erasing.months_after(request.received_on, 3)
    with pytest.raises(erasing.ErasureProblem, match="before"):
        erasing.extend(request, "Still many.")
    late = asked(make_supporter(), received_on=timezone.localdate() - timedelta(days=40))
    with pytest.raises(erasing.ErasureProblem, match="month is over"):
        erasing.extend(late, "Late.")
    assert fresh(late).extended_on is None


def test_nobody_is_erased_whom_nobody_has_identified(staff):
    request = asked(make_supporter(), identified="")
    with pytest.raises(erasing.ErasureProblem, match="how you know"):
        erasing.approve(request, staff)
    with pytest.raises(IntegrityError), transaction.atomic():
        ErasureRequest.objects.filter(pk=request.pk).update(state="approved")
    carry_out()
    assert Supporter.objects.count() == 1


def test_what_was_decided_is_not_decided_again(staff):
    request = asked(make_supporter())
    erasing.refuse(request, "claims", "A court case is pending.", staff)
    for decide in (
        lambda: erasing.approve(request, staff),
        lambda: erasing.take_back(request, staff),
        lambda: erasing.extend(request, "x"),
    ):
        with pytest.raises(erasing.ErasureProblem):
            decide()
    assert fresh(request).state == "refused"


def test_a_request_that_was_taken_back_erases_nobody(staff):
    request = approved(make_supporter(), staff)
    erasing.take_back(request, staff)
    assert carry_out() == {"erased": 0, "kept_waiting": 0}
    assert Supporter.objects.exists()


def test_a_request_that_was_taken_back_while_a_worker_had_it_in_hand_erases_nobody(staff):
    request = approved(make_supporter(), staff)
    in_hand = fresh(request)
    erasing.take_back(request, staff)
    with pytest.raises(erasing.TakenBack):
        erase(in_hand.supporter, staff, in_hand.pk)
    assert Supporter.objects.exists()
    assert [one.state for one in ErasureRequest.objects.all()] == ["taken_back"]


# Carrying out


def test_what_is_left_of_a_request_says_nothing_of_the_person(staff):
    who = make_supporter(last_name="Quist")
    make_donation(who)
    old = asked(who, note="Quist wrote")
    erasing.refuse(old, "claims", "Quist sues us.", staff)
    request = asked(who, note="Quist wrote again")
    erasing.extend(request, "Quist has much.")
    erasing.approve(request, staff)
    assert carry_out()["erased"] == 1
    request = fresh(request)
    assert (request.state, request.supporter, request.number) == ("done", None, who.pk)
    assert (request.note, request.extension, request.kept) == ("", "", {"donations": 1, "signatures": 0})
    assert request.erased_at
    assert request.done_at
    assert fresh(old).refusal == "Forgotten with the person."
    assert carry_out() == {"erased": 0, "kept_waiting": 0}


def test_a_request_stays_open_until_mailchimp_has_confirmed(staff, django_assert_num_queries):
    audience = Audience.objects.create(name="RealStars", list_id="abc")
    people = [make_supporter() for _ in range(3)]
    for number, who in enumerate(people):
        AudienceMember.objects.create(audience=audience, supporter=who, subscriber_hash=f"{number:032}")
    requests = [approved(who, staff) for who in people]
    carry_out()
    assert not Supporter.objects.exists()
    assert {request.state for request in map(fresh, requests)} == {"elsewhere"}
    assert fresh(requests[0]).trouble == "RealStars: Mailchimp has yet to confirm"
    AudienceMember.objects.filter(subscriber_hash=f"{1:032}").update(refusal="It is down.")
    AudienceMember.objects.filter(subscriber_hash=f"{0:032}").delete()
    carry_out()
    assert [(fresh(request).state, fresh(request).trouble) for request in requests] == [
        ("done", ""),
        ("elsewhere", "RealStars: It is down."),
        ("elsewhere", "RealStars: Mailchimp has yet to confirm"),
    ]
    with django_assert_num_queries(3):  # what is owed, who waits, and what they wait for
        carry_out()


def test_one_that_fails_keeps_back_nobody_and_is_tried_again(staff, monkeypatch):
    bad, good = make_supporter(), make_supporter()
    requests = [approved(who, staff) for who in (bad, good)]

    def fails(supporter, *asked):
        if supporter == bad:
            raise RuntimeError
        erase(supporter, *asked)

    monkeypatch.setattr(carrying, "erase", fails)
    assert carry_out()["erased"] == 1
    assert [fresh(request).state for request in requests] == ["approved", "done"]
    assert "written to the log" in fresh(requests[0]).trouble
    monkeypatch.undo()
    erasing.try_again(requests[0])
    assert carry_out()["erased"] == 1


def test_many_are_erased_by_one_list_and_whoever_is_gone_or_asked_before_is_left_out(staff):
    people = [make_supporter() for _ in range(5)]
    before = asked(people[0])
    stranger = make_supporter()
    pks = [who.pk for who in people]
    people[4].delete()
    batch = erasing.ask_for_many(pks, by=staff, door="ours", identified="needless")
    assert ErasureRequest.objects.filter(batch=batch).count() == 3
    assert erasing.figures(batch)["all"] == 3
    assert carry_out()["erased"] == 3
    assert set(Supporter.objects.all()) == {people[0], stranger}
    assert erasing.figures(batch) == {"open": 1, "soon": 0, "late": 0, "all": 3, "erased": 3, "kept": 0}
    assert fresh(before).state == "received"


def test_two_open_requests_become_one_in_a_merge_and_two_again_when_it_is_undone(staff):
    one, other = make_supporter(), make_supporter()
    requests = [asked(one), approved(other, staff)]
    act = merging.merge(one.pk, other.pk)
    assert [fresh(request).state for request in requests] == ["taken_back", "approved"]
    merging.undo(act.pk)
    assert [(fresh(r).state, fresh(r).supporter) for r in requests] == [("received", one), ("approved", other)]
    merging.merge(one.pk, other.pk)
    assert carry_out()["erased"] == 1
    assert erasing.of_erased(one.pk) == requests[1]


# Agreements to give


def test_the_agreement_is_ended_at_stripe_before_the_person_is_forgotten(staff, stripe, hear, start):
    pledge = start(interval="month")
    stripe.pay(pledge.session_id)
    hear()
    who = Supporter.objects.get()
    agreement = RecurringDonation.objects.get()
    assert agreement.state == "active"
    request = approved(who, staff)
    assert carry_out()["erased"] == 1
    assert stripe.objects[agreement.provider_id]["status"] == "canceled"
    agreement.refresh_from_db()
    assert (agreement.state, agreement.supporter, agreement.ended_on) == ("ended", None, timezone.localdate())
    assert fresh(request).state == "done"
    assert Donation.objects.get().supporter is None
    hear(stripe.events[-1:])  # Stripe's own word that it ended
    assert RecurringDonation.objects.get().state == "ended"
    assert not Supporter.objects.exists()


def test_the_erasure_waits_for_stripe_and_asks_again_under_the_same_key(staff, settings, monkeypatch):
    settings.STRIPE_SECRET_KEY = "sk_test_abc"
    who, agreement = giver()
    request = approved(who, staff)
    keys = []

    class Down:
        def end_subscription(self, name, key):
            agreement.refresh_from_db()
            assert str(agreement.ending_key) == key  # stored before
            keys.append(key)
            raise StripeError(503)

    monkeypatch.setattr(ending, "connect", Down)
    assert carry_out() == {"erased": 0, "kept_waiting": 1}
    assert Supporter.objects.exists()
    assert fresh(request).trouble.startswith("An agreement to give is still running at Stripe: Stripe refused")
    assert carry_out() == {"erased": 0, "kept_waiting": 0}  # not before its time
    erasing.try_again(request)
    carry_out()
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_an_agreement_that_ended_at_stripe_unheard_keeps_nobody(staff, stripe, hear, start):
    pledge = start(interval="month")
    stripe.pay(pledge.session_id)
    hear()
    stripe.cancel_subscription(RecurringDonation.objects.get().provider_id)
    approved(Supporter.objects.get(), staff)
    assert carry_out()["erased"] == 1
    assert RecurringDonation.objects.get().state == "ended"


def test_an_agreement_that_stripe_does_not_know_is_not_taken_for_ended(staff, stripe):
    who, agreement = giver(provider_id="sub_of_another_account")
    request = approved(who, staff)
    assert carry_out()["erased"] == 0
    assert "resource_missing" in fresh(request).trouble
    RecurringDonation.objects.filter(pk=agreement.pk).update(state="ended")  # staff have looked
    erasing.try_again(request)
    assert carry_out()["erased"] == 1


def test_without_a_key_for_stripe_the_erasure_says_so(staff):
    who, _agreement = giver()
    request = approved(who, staff)
    carry_out()
    assert "STRIPE_SECRET_KEY" in fresh(request).trouble
    with pytest.raises(ending.NotEnded):
        erase(who, staff)


def test_an_agreement_elsewhere_is_ended_by_staff_and_said_so(staff_client, staff):
    who, agreement = giver(provider="paypal", provider_id="I-1", started_on=date(2020, 1, 1))
    page = reverse("admin:supporters_supporter_erase", args=[who.pk])
    said = {"door": "letter", "received_on": "2026-01-02", "identified": "known", "now": "on"}
    answer = staff_client.post(page, said)
    assert "end them there first" in answer.content.decode()
    assert not ErasureRequest.objects.exists()
    staff_client.post(page, {**said, "ended": "on"})
    agreement.refresh_from_db()
    assert (agreement.state, agreement.ended_on) == ("ended", timezone.localdate())
    assert carry_out()["erased"] == 1


def test_a_bulk_erasure_waits_for_agreements_elsewhere(staff):
    who, _agreement = giver(provider="paypal", provider_id="I-1")
    batch = erasing.ask_for_many([who.pk, make_supporter().pk], by=staff, door="ours", identified="needless")
    assert carry_out() == {"erased": 1, "kept_waiting": 1}
    assert erasing.figures(batch)["kept"] == 1
    assert ErasureRequest.objects.get(supporter=who).trouble == (
        "An agreement to give is still running. End it at paypal, then say so here."
    )


# Pages


def test_the_request_is_written_down_first_and_decided_on_its_own_page(staff_client, staff):
    who = make_supporter()
    said = {"door": "phone", "received_on": "2026-02-03"}
    answer = staff_client.post(reverse("admin:supporters_supporter_erase", args=[who.pk]), said)
    request = ErasureRequest.objects.get()
    assert (request.state, request.due_on, request.made_by) == ("received", date(2026, 3, 3), staff)
    page = staff_client.get(answer.url).content.decode()
    assert "Your decision." in page
    assert (
        "3 Mar 2026: overdue"
        in staff_client.get(reverse("admin:supporters_erasurerequest_changelist")).content.decode()
    )
    staff_client.post(
        reverse("admin:supporters_erasurerequest_approve", args=[request.pk]), {"identified": "details"}
    )
    assert (fresh(request).state, fresh(request).identified, fresh(request).decided_by) == (
        "approved",
        "details",
        staff,
    )
    carry_out()
    assert "Erased: record" in staff_client.get(answer.url).content.decode()


@pytest.mark.parametrize(
    ("action", "said", "state"),
    [
        ("refuse", {"ground": "claims", "why": "A court case."}, "refused"),
        ("take_back", {}, "taken_back"),
        ("extend", {"why": "Many at once."}, "received"),
    ],
)
def test_other_decisions_have_their_pages(staff_client, action, said, state):
    request = asked(make_supporter())
    address = reverse(f"admin:supporters_erasurerequest_{action}", args=[request.pk])
    assert staff_client.get(address).status_code == 200
    assert staff_client.post(address, said).status_code == 302
    assert fresh(request).state == state
    assert bool(fresh(request).extended_on) == (action == "extend")


def test_where_somebody_was_there_is_a_word_that_they_were_erased_and_when(staff_client, staff):
    who = make_supporter(last_name="Quist")
    erase(who, staff)
    answer = staff_client.get(reverse("admin:supporters_supporter_change", args=[who.pk]))
    text = answer.content.decode()
    assert answer.status_code == 410
    assert "was erased on" in text
    assert "Quist" not in text
    assert staff_client.get(reverse("admin:supporters_supporter_change", args=[999_999])).status_code == 302


def test_a_list_is_erased_after_its_number_was_written(staff_client):
    people = [make_supporter() for _ in range(3)]
    page = staff_client.post(
        reverse("admin:supporters_supporter_changelist"),
        {"action": "erase_chosen", "_selected_action": [who.pk for who in people[:2]]},
    )
    assert "Erase 2 people?" in page.content.decode()
    address = reverse("admin:supporters_supporter_erase_many")
    said = {"door": "ours", "people": f"{people[0].pk},{people[1].pk}", "number": "3"}
    assert "another number" in staff_client.post(address, said).content.decode()
    assert not ErasureRequest.objects.exists()
    assert staff_client.post(address, {**said, "number": "2", "people": "1,x"}).status_code == 200
    answer = staff_client.post(address, {**said, "number": "2"})
    assert "0 of 2 erased." in staff_client.get(answer.url).content.decode()
    carry_out()
    assert Supporter.objects.get() == people[2]
    assert "2 of 2 erased." in staff_client.get(answer.url).content.decode()


def test_only_who_may_erase_can(client, django_user_model):
    who = make_supporter()
    request = asked(who)
    user = django_user_model.objects.create_user("f", password="x", is_staff=True)
    user.groups.add(Group.objects.get(name="Fundraiser"))
    client.force_login(user)
    said = {"door": "ours", "people": str(who.pk), "number": "1", "identified": "known"}
    for address in (
        reverse("admin:supporters_supporter_erase", args=[who.pk]),
        reverse("admin:supporters_supporter_erase_many"),
        reverse("admin:supporters_erasurerequest_approve", args=[request.pk]),
    ):
        assert client.post(address, said).status_code == 403
    assert client.get(reverse("admin:supporters_erasurerequest_changelist")).status_code == 403
    client.post(
        reverse("admin:supporters_supporter_changelist"), {"action": "erase_chosen", "_selected_action": [who.pk]}
    )
    assert fresh(request).state == "received"
    assert ErasureRequest.objects.count() == 1


def test_overdue_requests_stand_on_the_page_of_background_work(staff_client, broker):
    asked(make_supporter(), received_on=date(2026, 1, 1))
    text = staff_client.get(reverse("crm:background"), {"part": 1}).content.decode()
    assert "1 request is overdue" in text
