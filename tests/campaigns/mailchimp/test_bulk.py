"""Many calls about single members are handed in, and answered by and by: what they cost, and what may happen meanwhile."""

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from campaigns import segments
from campaigns.mailchimp import bulk, difference, shadow, sync
from campaigns.mailchimp.client import Mailchimp, MailchimpError
from campaigns.mailchimp.mapping import subscriber_hash
from campaigns.mailchimp.push import push as push_audience
from campaigns.models import Audience, AudienceMember, HandedIn, Segment, SyncRun
from crm.erasure import erase
from supporters import consent
from supporters.models import Consent, Purpose, Supporter
from tests.campaigns.mailchimp.test_push import many

pytestmark = pytest.mark.django_db


def leave(people) -> None:
    say(people, Consent.State.WITHDRAWN, Consent.Method.LINK)


def say_yes(people) -> None:
    say(people, Consent.State.GRANTED, Consent.Method.CONFIRMED)


def say(people, state: str, method: str) -> None:
    """All of them at once."""
    Consent.objects.bulk_create(
        Consent(
            supporter=who, purpose=Purpose.EMAIL, state=state, method=method, wording="Yes, again.", source="test"
        )
        for who in people
    )


def move(people) -> None:
    for who in people:
        Supporter.objects.filter(pk=who.pk).update(email=f"new.{who.email}")


def paths(mailchimp, audience) -> list[str]:
    """What was written."""
    return [request.path.replace(audience.list_id, "…") for request in mailchimp.writes()]


def people(first: int, last: int) -> list[Supporter]:
    return list(Supporter.objects.order_by("pk")[first:last])


def statuses(mailchimp) -> dict[str, int]:
    found: dict[str, int] = {}
    for member in mailchimp.members().values():
        found[member["status"]] = found.get(member["status"], 0) + 1
    return found


# What they cost


def test_six_hundred_changed_addresses_are_two_calls(mailchimp, push, audience):
    many(700)
    push()
    move(people(0, 600))
    run = push()
    assert run.counts == {"moved": 600}
    assert paths(mailchimp, audience) == ["/batches", "/batches"]
    assert sorted(mailchimp.members()) == sorted(Supporter.objects.values_list("email", flat=True))
    assert mailchimp.tags("new.p1@mail.se") == {"Swedes"}
    push()
    assert mailchimp.writes() == []


def test_six_hundred_deletions_are_two_calls(mailchimp, push, audience, staff):
    many(700)
    push()
    for who in people(0, 600):
        erase(who, by=staff)
    run = push()
    assert run.counts == {"deleted": 600}
    assert paths(mailchimp, audience) == ["/batches", "/batches"]
    assert set(mailchimp.members()) == set(Supporter.objects.values_list("email", flat=True))


def test_six_hundred_questions_are_two_calls_and_put_once(mailchimp, push, audience):
    many(700)
    push()
    leave(people(0, 600))
    push()
    say_yes(people(0, 600))
    run = push()
    assert run.counts["asked_back"] == 600
    assert paths(mailchimp, audience) == ["/lists/…", "/lists/…"]
    assert statuses(mailchimp) == {"pending": 600, "subscribed": 100}
    push()
    assert mailchimp.writes() == []


def test_a_mix_stays_within_what_its_number_allows(mailchimp, push, audience, staff):
    Audience.objects.update(archives=True, most_taken=100)
    many(3000)
    push()
    leave(people(0, 600))
    push()
    say_yes(people(0, 600))
    move(people(600, 1200))
    for who in people(1200, 1300):
        erase(who, by=staff)
    Supporter.objects.filter(pk__in=[who.pk for who in people(1200, 1800)]).update(country="DK")
    run = push()
    assert run.counts == {"asked_back": 600, "moved": 600, "deleted": 100, "archived": 600}
    assert len(mailchimp.writes()) <= 1900 / 500 + 5
    polls = mailchimp.calls("GET", "^/batches/")
    assert len(polls) < 60
    push()
    assert mailchimp.writes() == []


def test_what_is_left_over_of_five_hundred_goes_along(mailchimp, push, audience):
    Audience.objects.update(archives=True, most_taken=100)
    many(510)
    push()
    Supporter.objects.update(country="DK")
    assert push().counts == {"archived": 510}
    assert paths(mailchimp, audience) == ["/batches", "/batches"]
    assert AudienceMember.objects.filter(status="archived", archived_by_us=True).count() == 510
    push()
    assert mailchimp.writes() == []


def test_few_go_by_themselves_at_once(mailchimp, push, audience, staff):
    many(bulk.FEW * 2)
    push()
    move(people(0, bulk.FEW))
    for who in people(bulk.FEW, 2 * bulk.FEW):
        erase(who, by=staff)
    mailchimp.hold_batches()
    assert push().counts == {"moved": bulk.FEW, "deleted": bulk.FEW}
    assert not HandedIn.objects.exists()


# Answers in a later run


@pytest.fixture
def held(mailchimp, push, audience):
    """Mailchimp takes its time; a push that does not wait for it, and what it is after that."""
    many(40)
    push()
    mailchimp.hold_batches()

    def do() -> SyncRun:
        for segment in Segment.objects.all():
            segments.refresh(segment)
        mailchimp.forget_requests()
        while push_audience(audience.pk, seconds=1):
            pass
        run = audience.runs.filter(kind=SyncRun.Kind.PUSH).latest("pk")
        assert run.error == ""
        return run

    return do


def test_a_run_goes_on_until_mailchimp_has_answered_and_hands_nothing_in_twice(
    mailchimp, held, push, audience, staff
):
    move(people(0, 22))
    for who in people(22, 40)[:5]:
        erase(who, by=staff)
    assert held().state == SyncRun.State.RUNNING
    assert [request.path for request in mailchimp.writes()].count("/batches") == 1
    assert held().counts == {"deleted": 5}
    assert mailchimp.writes() == []
    mailchimp.let_batches_go()
    run = push()
    assert run.counts == {"deleted": 5, "moved": 22}
    assert mailchimp.writes() == []
    assert SyncRun.objects.filter(kind=SyncRun.Kind.PUSH).count() == 2


def test_a_read_takes_up_the_answers_first(mailchimp, held, pull, push):
    move(people(0, 30))
    held()
    mailchimp.let_batches_go()
    pull()
    assert not HandedIn.objects.exists()
    assert all(one.subscriber_hash == subscriber_hash(one.supporter.email) for one in AudienceMember.objects.all())
    push()
    assert mailchimp.writes() == []


def test_while_it_is_under_way_it_is_asked_after_less_and_less(mailchimp, held, audience):
    move(people(0, 30))
    held()
    assert sync.push_due() == {"audiences": 0}
    HandedIn.objects.update(look_at=timezone.now() - timedelta(seconds=1))
    assert sync.push_due() == {"audiences": 1}
    HandedIn.objects.update(handed_in_at=timezone.now() - timedelta(hours=5))
    held()
    assert timezone.now() + timedelta(minutes=14) < HandedIn.objects.get().look_at
    assert len(mailchimp.calls("GET", "^/batches/")) < 10


def test_staff_and_operator_see_how_many_are_under_way(mailchimp, held, audience, staff_client, capsys, monkeypatch):
    move(people(0, 30))
    held()
    page = staff_client.get(f"/admin/campaigns/audience/{audience.pk}/change/").content.decode()
    assert "Handed to Mailchimp, not answered yet" in page
    monkeypatch.setattr("crm.management.commands.sync_mailchimp.push", lambda pk: push_audience(pk, seconds=1))
    call_command("sync_mailchimp", "--json")
    assert json.loads(capsys.readouterr().out)["under_way"] == 30


@pytest.mark.parametrize("died", ["before", "after"])
def test_a_death_around_the_handing_in_loses_nothing(mailchimp, held, push, monkeypatch, died):
    """Whether Mailchimp has them or not: nobody knows its id."""
    hand_in = Mailchimp.hand_in

    def die(client, operations):
        if died == "after":
            hand_in(client, operations)
        raise MailchimpError(0, "Killed")

    mailchimp.let_batches_go()
    move(people(0, 30))
    with monkeypatch.context() as dying:
        dying.setattr(Mailchimp, "hand_in", die)
        push(expect=SyncRun.State.FAILED)
    assert HandedIn.objects.get().batch == ""
    mailchimp.let_batches_go()
    push()
    assert set(mailchimp.members()) == set(Supporter.objects.values_list("email", flat=True))
    assert not HandedIn.objects.exists()
    push()
    assert mailchimp.writes() == []


def test_what_was_lost_there_is_owed_again(mailchimp, held, push, staff):
    move(people(0, 15))
    for who in people(15, 40):
        erase(who, by=staff)
    held()
    mailchimp.lose_batches()
    mailchimp.let_batches_go()
    assert push().counts == {"moved": 15, "deleted": 25}
    assert set(mailchimp.members()) == set(Supporter.objects.values_list("email", flat=True))


def test_what_takes_days_is_taken_back_and_owed_again(mailchimp, held, push, staff):
    for who in people(0, 25):
        erase(who, by=staff)
    held()
    HandedIn.objects.update(handed_in_at=timezone.now() - bulk.GIVE_UP - timedelta(minutes=1))
    first = HandedIn.objects.get().batch
    held()
    assert mailchimp.calls("DELETE", f"^/batches/{first}$")
    mailchimp.let_batches_go()
    assert push().counts == {"deleted": 25}


def test_an_archive_that_cant_be_fetched_is_asked_for_again(mailchimp, held, push, monkeypatch):
    move(people(0, 30))
    with monkeypatch.context() as late:
        late.setattr("tests.standins.mailchimp.batches.LIFE", -timedelta(seconds=1))
        mailchimp.let_batches_go()
        assert held().state == SyncRun.State.RUNNING
    assert push().counts == {"moved": 30}


# What may happen meanwhile


def test_who_leaves_while_their_address_changes_has_left(mailchimp, held, push):
    """There at once, under the address that they have there yet."""
    move(people(0, 30))
    held()
    ann = people(0, 1)[0]
    leave([ann])
    held()
    assert mailchimp.member("p1@mail.se")["status"] == "unsubscribed"
    mailchimp.let_batches_go()
    push()
    assert mailchimp.member("new.p1@mail.se")["status"] == "unsubscribed"
    assert AudienceMember.objects.get(supporter=ann).status == "unsubscribed"
    push()
    assert mailchimp.writes() == []


def test_who_leaves_after_their_address_has_changed_there_has_left(mailchimp, held, push, monkeypatch):
    move(people(0, 30))
    held()
    mailchimp.let_batches_go()
    leave(people(0, 1))
    with monkeypatch.context() as unheard:
        unheard.setattr(bulk, "answers", lambda handed: None)
        held()
    assert mailchimp.member("new.p1@mail.se")["status"] == "unsubscribed"
    push()
    assert AudienceMember.objects.get(supporter=people(0, 1)[0]).status == "unsubscribed"
    assert statuses(mailchimp) == {"unsubscribed": 1, "subscribed": 39}


@pytest.mark.parametrize("when", ["before", "after"])
def test_who_leaves_there_while_their_address_changes_has_left_here(mailchimp, held, push, pull, audience, when):
    move(people(0, 30))
    held()
    if when == "before":
        mailchimp.member_unsubscribes(audience.list_id, "p1@mail.se")
        mailchimp.let_batches_go()
    else:
        mailchimp.let_batches_go()
        mailchimp.member_unsubscribes(audience.list_id, "new.p1@mail.se")
    push()
    pull()
    push()
    assert consent.state_of(people(0, 1)[0]) == Consent.State.WITHDRAWN
    assert mailchimp.member("new.p1@mail.se")["status"] == "unsubscribed"


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("leaves", [True, False])
def test_what_is_read_before_the_answer_is_here_is_not_undone_by_it(
    mailchimp, held, push, pull, audience, monkeypatch, known, leaves
):
    """Whether Mailchimp's contact tells that it is the same member under a new address, or not."""
    if not known:
        AudienceMember.objects.update(contact="")
    move(people(0, 30))
    held()
    mailchimp.let_batches_go()
    if leaves:
        mailchimp.member_unsubscribes(audience.list_id, "new.p1@mail.se")
    with monkeypatch.context() as unheard:
        unheard.setattr(bulk, "answers", lambda handed: None)
        pull()
        held()
    push()
    assert statuses(mailchimp) == ({"subscribed": 39, "unsubscribed": 1} if leaves else {"subscribed": 40})
    assert set(mailchimp.members()) == set(Supporter.objects.values_list("email", flat=True))
    for shadow_here in AudienceMember.objects.select_related("supporter"):
        there = mailchimp.member(shadow_here.supporter.email)
        assert (there["id"], there["status"]) == (shadow_here.subscriber_hash, shadow_here.status)
    assert consent.state_of(people(0, 1)[0]) == (Consent.State.WITHDRAWN if leaves else Consent.State.GRANTED)
    push()
    assert mailchimp.writes() == []


def test_who_is_erased_while_their_address_changes_is_deleted_there(mailchimp, held, push, staff):
    move(people(0, 30))
    held()
    for who in people(0, 2):
        erase(who, by=staff)
    assert AudienceMember.objects.filter(to_delete=True, sent__isnull=True).count() == 2
    held()
    assert "p1@mail.se" not in mailchimp.members()
    mailchimp.let_batches_go()
    push()
    push()
    assert set(mailchimp.members()) == set(Supporter.objects.values_list("email", flat=True))
    assert not AudienceMember.objects.filter(to_delete=True).exists()


def test_who_is_erased_after_their_address_has_changed_there_is_deleted(mailchimp, held, push, staff, monkeypatch):
    move(people(0, 30))
    held()
    mailchimp.let_batches_go()
    for who in people(0, 25):
        erase(who, by=staff)
    with monkeypatch.context() as unheard:
        unheard.setattr(bulk, "answers", lambda handed: None)
        held()
    push()
    later(monkeypatch)
    push()
    assert set(mailchimp.members()) == set(Supporter.objects.values_list("email", flat=True))
    assert not AudienceMember.objects.filter(to_delete=True).exists()


def test_one_erasure_waits_for_no_batch(mailchimp, held, push, staff):
    for who in people(0, 25):
        erase(who, by=staff)
    held()
    erase(people(0, 1)[0], by=staff)
    assert held().counts == {"deleted": 1}
    assert "p26@mail.se" not in mailchimp.members()


def test_who_changes_their_address_again_meanwhile_moves_again(mailchimp, held, push):
    move(people(0, 30))
    held()
    Supporter.objects.filter(pk=people(0, 1)[0].pk).update(email="newest@mail.se", last_name="Berg")
    held()
    assert mailchimp.writes() == []
    mailchimp.let_batches_go()
    for _run in range(2):
        push()
    assert set(mailchimp.members()) == set(Supporter.objects.values_list("email", flat=True))
    assert mailchimp.member("newest@mail.se")["merge_fields"]["LNAME"] == "Berg"


def test_who_was_to_be_archived_and_is_wanted_again_comes_back(mailchimp, held, push, audience):
    Audience.objects.update(archives=True, most_taken=100)
    Supporter.objects.update(country="DK")
    held()
    Supporter.objects.update(country="SE")
    held()
    assert mailchimp.writes() == []
    mailchimp.let_batches_go()
    for _run in range(2):
        push()
    assert statuses(mailchimp) == {"subscribed": 40}


def test_who_left_while_being_archived_is_not_brought_back(mailchimp, held, push, audience):
    Audience.objects.update(archives=True, most_taken=100)
    Supporter.objects.update(country="DK")
    held()
    leave(people(0, 1))
    held()
    mailchimp.let_batches_go()
    push()
    shadow = AudienceMember.objects.get(supporter=people(0, 1)[0])
    assert (shadow.status, shadow.archived_by_us) == (mailchimp.member("p1@mail.se")["status"], False)
    Consent.objects.create(supporter=people(0, 1)[0], purpose="email", state="granted", method="import", wording="?")
    Supporter.objects.update(country="SE")
    for _run in range(2):
        push()
    assert mailchimp.member("p1@mail.se")["status"] != "subscribed"


# What fails inside


def test_whose_new_address_is_there_already_becomes_that_member(mailchimp, push, audience):
    many(40)
    push()
    for number in range(1, 31):
        mailchimp.staff_add(audience.list_id, f"new.p{number}@mail.se")
    mailchimp.member_unsubscribes(audience.list_id, "new.p1@mail.se")
    move(people(0, 30))
    push()
    assert [path.split("/")[1] for path in paths(mailchimp, audience)] == [
        *("batches", "lists"),  # the moves, and those who are there already
        *("batches", "lists"),  # their old ones, and their tags
    ]
    assert not mailchimp.calls("GET", "/members/")
    assert len([one for one in mailchimp.members() if one.startswith("new.")]) == 30
    assert statuses(mailchimp) == {"archived": 29, "subscribed": 39, "unsubscribed": 2}
    assert consent.state_of(people(0, 1)[0]) == Consent.State.WITHDRAWN
    assert mailchimp.tags("new.p2@mail.se") == {"Swedes"}
    push()
    assert mailchimp.writes() == []


def later(monkeypatch) -> None:
    """No call whose answer was lost can take effect any more."""
    monkeypatch.setattr(shadow, "GRACE", timedelta(0))


def test_whose_old_address_is_gone_is_looked_for(mailchimp, held, push, audience, monkeypatch):
    move(people(0, 30))
    held()
    mailchimp.staff_delete(audience.list_id, "p1@mail.se")
    mailchimp.member_changes_address(audience.list_id, "p2@mail.se", "mine@mail.se")
    mailchimp.let_batches_go()
    push()
    later(monkeypatch)
    for _run in range(2):
        push()
    assert set(mailchimp.members()) == set(Supporter.objects.values_list("email", flat=True))


def test_an_address_that_is_refused_is_told_and_not_tried_again(mailchimp, push):
    many(40)
    push()
    fake = next(iter(mailchimp.account.fake_domains))
    for who in people(0, 30):
        Supporter.objects.filter(pk=who.pk).update(email=f"x{who.pk}@{fake}")
    assert push().counts == {"refused": 30}
    assert "fake or invalid" in AudienceMember.objects.exclude(refusal="").first().refusal
    push()
    assert mailchimp.writes() == []


def test_who_was_deleted_there_in_the_meantime_is_deleted(mailchimp, held, push, audience, staff):
    for who in people(0, 25):
        erase(who, by=staff)
    held()
    mailchimp.staff_delete(audience.list_id, "p1@mail.se")
    mailchimp.let_batches_go()
    push()
    assert not AudienceMember.objects.filter(to_delete=True).exists()
    assert len(mailchimp.members()) == 15


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_fails_in_passing_is_owed_still(mailchimp, held, push, staff, when):
    """Whether it took effect or not."""
    move(people(0, 15))
    for who in people(15, 40):
        erase(who, by=staff)
    held()
    mailchimp.batch_trouble = lambda: when
    mailchimp.let_batches_go()
    push()
    tried_again = {"before": 25, "after": 0}  # there they are gone by then
    assert AudienceMember.objects.filter(to_delete=True, handed_in=None).count() == tried_again[when]
    mailchimp.batch_trouble = lambda: ""
    for _run in range(2):
        push()
    assert set(mailchimp.members()) == set(Supporter.objects.values_list("email", flat=True))
    assert not AudienceMember.objects.filter(to_delete=True).exists()


def thirty_come_back(push):
    """Of forty members."""
    many(40)
    push()
    leave(people(0, 30))
    push()
    say_yes(people(0, 30))


def test_who_comes_back_and_has_moved_is_asked_at_the_new_address(mailchimp, push):
    thirty_come_back(push)
    move(people(0, 25))
    push()
    assert statuses(mailchimp) == {"pending": 30, "subscribed": 10}
    assert set(mailchimp.members()) == set(Supporter.objects.values_list("email", flat=True))
    push()
    assert mailchimp.writes() == []


def test_of_many_who_come_back_nobody_is_asked_who_is_there_otherwise(mailchimp, push, audience):
    thirty_come_back(push)
    mailchimp.member_subscribes(audience.list_id, "p1@mail.se")
    mailchimp.staff_archive(audience.list_id, "p2@mail.se")
    mailchimp.member_cleaned(audience.list_id, "p3@mail.se")
    mailchimp.staff_delete(audience.list_id, "p4@mail.se")
    mailchimp.account.hides_archived = True
    push()
    there = mailchimp.members()
    assert [there.get(f"p{n}@mail.se", {}).get("status") for n in range(1, 6)] == [
        *("subscribed", "archived", "cleaned", None, "pending"),
    ]
    gone = AudienceMember.objects.get(supporter=people(3, 4)[0])
    assert gone.status == "forgotten"
    assert audience.__class__.objects.get().signup_url in gone.refusal
    push()
    assert mailchimp.writes() == []


def test_of_many_who_come_back_nobody_is_asked_who_leaves_before_the_call(mailchimp, push, monkeypatch):
    thirty_come_back(push)
    compare = difference.compare

    def compare_then_one_leaves(audience):
        counts = compare(audience)
        leave(people(0, 1))
        return counts

    monkeypatch.setattr(difference, "compare", compare_then_one_leaves)
    assert push().counts["asked_back"] == 29
    assert mailchimp.member("p1@mail.se")["status"] == "unsubscribed"


def test_whom_the_call_for_many_passes_over_is_asked_by_themselves(mailchimp, push, monkeypatch):
    thirty_come_back(push)
    answer = mailchimp.answer

    def keep_as_they_are(method, path, query, body):
        if method == "POST":
            body = {**body, "members": [{**one, "status": None} for one in body["members"]]}
        return answer(method, path, query, body)

    monkeypatch.setattr("tests.standins.mailchimp.lists.MEMBER", {})
    monkeypatch.setattr(mailchimp, "answer", keep_as_they_are)
    assert push().counts["asked_back"] == 30
    assert statuses(mailchimp) == {"pending": 30, "subscribed": 10}
    assert all(consent.state_of(who) == Consent.State.GRANTED for who in people(0, 30))
