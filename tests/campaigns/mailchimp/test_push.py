from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from campaigns import segments
from campaigns.mailchimp import circuit, slots, sync
from campaigns.mailchimp import push as pushing
from campaigns.mailchimp.pull import pull
from campaigns.models import Audience, AudienceMember, AudienceSegment, Segment, SyncRun
from campaigns.tasks import push_audience
from crm.erasure import erase
from supporters import consent
from supporters.models import Consent, Purpose, Supporter
from tests.factories import make_consent, make_supporter
from tests.processes import Worker, wait_for

pytestmark = pytest.mark.django_db


def person(name: str, **fields) -> Supporter:
    return make_supporter(
        first_name=name, email=f"{name.lower()}@mail.se", country="SE", language="sv", consent=True, **fields
    )


def many(number: int, after: int = 0) -> None:
    """So many Swedes, at once."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH people AS (INSERT INTO supporters_supporter (email, first_name, last_name, country)
                SELECT 'p' || n || '@mail.se', 'P' || n, 'Ek', 'SE' FROM generate_series(%s + 1, %s) n RETURNING id)
            INSERT INTO supporters_consent (supporter_id, purpose, state, wording, method)
            SELECT id, 'email', 'granted', 'Yes.', 'form' FROM people
            """,
            [after, after + number],
        )


def test_people_go_there_with_their_fields_and_tags(mailchimp, push):
    person("Åsa".replace("Å", "A"), last_name="Ek")
    make_supporter(country="SE")  # never said yes
    run = push()
    (member,) = mailchimp.members().values()
    assert (member["email_address"], member["status"], member["language"]) == ("asa@mail.se", "subscribed", "sv")
    assert member["merge_fields"]["FNAME"] == "Asa"
    assert member["merge_fields"]["COUNTRY"] == "SE"
    assert mailchimp.tags("asa@mail.se") == {"Swedes"}
    assert run.counts == {"added": 1}


def test_a_first_sync_of_many_takes_few_calls_and_nothing_changed_takes_no_write(mailchimp, push):
    many(1200)
    run = push()
    assert run.counts["added"] == 1200
    assert len(mailchimp.writes()) <= 1200 / 500 + 10
    assert len(mailchimp.members()) == 1200
    push()
    assert mailchimp.writes() == []
    assert len(mailchimp.requests) <= 5


def test_changes_go_in_batches_without_a_status(mailchimp, push):
    many(600)
    push()
    Supporter.objects.filter(pk__in=Supporter.objects.order_by("pk")[:510]).update(last_name="Berg")
    run = push()
    assert run.counts == {"changed": 510}
    assert len(mailchimp.writes()) == 2
    for request in mailchimp.writes():
        assert all("status" not in member for member in request.body["members"])
    assert mailchimp.member("p1@mail.se")["merge_fields"]["LNAME"] == "Berg"


def test_who_leaves_a_segment_is_untagged_and_stays_subscribed(mailchimp, push):
    ann = person("Ann")
    push()
    Supporter.objects.filter(pk=ann.pk).update(country="DK")
    run = push()
    assert run.counts == {"untagged": 1}
    assert mailchimp.member("ann@mail.se")["status"] == "subscribed"
    assert mailchimp.tags("ann@mail.se") == set()
    push()
    assert mailchimp.writes() == []


def test_tags_of_others_are_left_alone(mailchimp, push, audience):
    person("Ann")
    push()
    audience_there = mailchimp.account.audiences[audience.list_id]
    from tests.standins.mailchimp.writing import Writer

    with mailchimp.lock:
        Writer(mailchimp.account, audience_there).give_tags(
            audience_there.find("ann@mail.se") or next(iter(audience_there.members.values())), ["VIP"]
        )
    Supporter.objects.update(last_name="Berg")
    push()
    assert mailchimp.tags("ann@mail.se") == {"Swedes", "VIP"}


def test_who_withdraws_is_unsubscribed_and_never_brought_back_by_a_sync(mailchimp, push):
    ann, bo = person("Ann"), person("Bo")
    push()
    for who in (ann, bo):
        consent.leave(who, method=Consent.Method.LINK)
    run = push()
    assert run.counts == {"unsubscribed": 2}
    assert {member["status"] for member in mailchimp.members().values()} == {"unsubscribed"}
    Supporter.objects.update(last_name="Berg")
    push()
    assert mailchimp.writes() == []


def test_who_left_there_while_changed_here_has_left(mailchimp, push, audience):
    ann = person("Ann")
    push()
    mailchimp.member_unsubscribes(audience.list_id, "ann@mail.se")
    Supporter.objects.filter(pk=ann.pk).update(last_name="Berg")
    push()
    assert mailchimp.member("ann@mail.se")["status"] == "unsubscribed"
    assert consent.state_of(ann) == Consent.State.WITHDRAWN
    assert not Supporter.objects.contactable().exists()


def test_somebody_who_is_there_already_is_not_overwritten(mailchimp, push, audience):
    """Our first sync meets a member who had unsubscribed before: that is their last word."""
    from tests.standins.mailchimp.writing import Writer

    there = mailchimp.account.audiences[audience.list_id]
    with mailchimp.lock:
        Writer(mailchimp.account, there, "user").write(None, {"email_address": "ann@mail.se"}, "unsubscribed")
    ann = person("Ann")
    push()
    assert mailchimp.member("ann@mail.se")["status"] == "unsubscribed"
    assert consent.state_of(ann) == Consent.State.WITHDRAWN


def test_who_says_yes_again_here_is_asked_to_confirm_there(mailchimp, push, audience):
    ann = person("Ann")
    push()
    consent.leave(ann, method=Consent.Method.LINK)
    push()
    consent.grant(ann, Purpose.EMAIL, wording="Yes, again.", method=Consent.Method.CONFIRMED)
    run = push()
    assert run.counts.get("asked_back") == 1
    assert mailchimp.member("ann@mail.se")["status"] == "pending"
    push()
    assert [request.body for request in mailchimp.writes() if request.body.get("status")] == []


def test_an_erased_person_is_deleted_for_good_until_it_is_so(mailchimp, push, staff):
    ann = person("Ann")
    push()
    erase(ann, by=staff)
    mailchimp.fail(times=None, status=500, path="delete-permanent")
    push(expect=SyncRun.State.FAILED)
    assert AudienceMember.objects.filter(to_delete=True).count() == 1
    mailchimp.calm()
    assert push().counts == {"deleted": 1}
    assert mailchimp.members() == {}
    assert not AudienceMember.objects.exists()


def test_a_changed_address_moves_the_member(mailchimp, push):
    ann = person("Ann")
    push()
    Supporter.objects.filter(pk=ann.pk).update(email="ann.berg@mail.se")
    run = push()
    assert run.counts == {"moved": 1}
    assert list(mailchimp.members()) == ["ann.berg@mail.se"]
    push()
    assert mailchimp.writes() == []


def test_an_address_that_is_given_up_and_taken_moves_both(mailchimp, push):
    ann, bo = person("Ann"), person("Bo")
    push()
    Supporter.objects.filter(pk=ann.pk).update(email="ann.new@mail.se")
    Supporter.objects.filter(pk=bo.pk).update(email="ann@mail.se")
    cy = make_supporter(first_name="Cy", email="bo@mail.se", country="SE", consent=True)
    for _run in range(2):
        push()
    assert sorted(mailchimp.members()) == ["ann.new@mail.se", "ann@mail.se", "bo@mail.se"]
    assert mailchimp.member("ann@mail.se")["merge_fields"]["FNAME"] == "Bo"
    assert mailchimp.member("bo@mail.se")["merge_fields"]["FNAME"] == "Cy"
    assert AudienceMember.objects.get(supporter=cy).status == "subscribed"
    push()
    assert mailchimp.writes() == []


def test_who_leaves_between_comparing_and_sending_is_not_subscribed(mailchimp, push, monkeypatch):
    ann, bo = person("Ann"), person("Bo")
    compare = pushing.difference.compare

    def compare_then_ann_leaves(audience):
        counts = compare(audience)
        consent.leave(ann, method=Consent.Method.LINK)
        return counts

    monkeypatch.setattr(pushing.difference, "compare", compare_then_ann_leaves)
    push()
    assert list(mailchimp.members()) == [bo.email]


def test_who_is_erased_while_the_call_is_under_way_is_deleted_there(mailchimp, push, staff, monkeypatch):
    ann = person("Ann")
    write = pushing.newcomers.write

    def erased_meanwhile(audience, answers):
        erase(ann, by=staff)
        write(audience, answers)

    monkeypatch.setattr(pushing.newcomers, "write", erased_meanwhile)
    push()
    assert list(mailchimp.members()) == ["ann@mail.se"]
    assert push().counts == {"deleted": 1}
    assert mailchimp.members() == {}


def test_a_member_others_added_is_unsubscribed_only_for_leaving_here(mailchimp, push, audience):
    for email in ("ann@mail.se", "bo@mail.se"):
        mailchimp.answer(
            "POST", f"/lists/{audience.list_id}", {}, {"members": [{"email_address": email, "status": "subscribed"}]}
        )
    ann = make_supporter(email="ann@mail.se", country="SE")
    bo = make_supporter(email="bo@mail.se", country="SE")
    pull(audience.pk)
    assert AudienceMember.objects.filter(supporter__in=[ann, bo], ours=False).count() == 2
    consent.leave(bo, method=Consent.Method.LINK)
    assert push().counts == {"unsubscribed": 1}
    assert mailchimp.member("ann@mail.se")["status"] == "subscribed"
    assert mailchimp.member("bo@mail.se")["status"] == "unsubscribed"


def test_one_bad_member_is_kept_with_its_reason_and_stops_nobody(mailchimp, push):
    fake = next(iter(mailchimp.account.fake_domains))
    person("Ann")
    bad = make_supporter(email=f"bo@{fake}", country="SE", consent=True)
    run = push()
    assert (run.counts["added"], run.counts["refused"]) == (1, 1)
    shadow = AudienceMember.objects.get(supporter=bad)
    assert "fake or invalid" in shadow.refusal
    assert shadow.refused_at is not None
    push()
    assert mailchimp.writes() == []
    Supporter.objects.filter(pk=bad.pk).update(email="bo@mail.se")
    assert push().counts["added"] == 1
    assert AudienceMember.objects.get(supporter=bad).refusal == ""


def test_a_batch_refused_as_a_whole_is_halved(mailchimp, push):
    many(8)
    mailchimp.fail(times=2, status=400, method="POST", path=r"^/lists/\w+$")
    run = push()
    assert run.counts["added"] == 8
    assert len(mailchimp.members()) == 8


@pytest.mark.parametrize("applied", [True, False])
def test_a_call_whose_answer_is_lost_is_repeated_safely(mailchimp, push, applied):
    many(30)
    mailchimp.drop(times=1, applied=applied, method="POST", path=r"^/lists/\w+$")
    push()
    assert len(mailchimp.members()) == 30
    assert {member["status"] for member in mailchimp.members().values()} == {"subscribed"}
    assert AudienceMember.objects.filter(status="subscribed").count() == 30
    push()
    assert mailchimp.writes() == []


@pytest.mark.parametrize(("status", "body"), [(429, "empty"), (500, "empty"), (503, "html"), (502, "problem")])
def test_passing_trouble_is_waited_out(mailchimp, push, status, body):
    person("Ann")
    mailchimp.fail(times=3, status=status, body=body)
    assert push().counts["added"] == 1


def test_lasting_trouble_ends_the_run_in_words_and_nothing_is_lost(mailchimp, push):
    person("Ann")
    mailchimp.fail(times=None, status=503, body="empty")
    run = push(expect=SyncRun.State.FAILED)
    assert run.error == "Mailchimp does not answer just now. It goes on by itself."
    mailchimp.calm()
    assert circuit.seconds_left() is not None  # everybody leaves Mailchimp alone for a while
    circuit.answered()
    assert push().counts["added"] == 1


def test_a_wrong_key_and_a_wrong_audience_are_said(mailchimp, push, audience, settings):
    mailchimp.api_key = "another-us1"
    assert "does not accept the API key" in push(expect=SyncRun.State.FAILED).error
    mailchimp.api_key = None
    Audience.objects.update(list_id="nothere")
    assert "no such audience" in push(expect=SyncRun.State.FAILED).error
    settings.MAILCHIMP_API_KEY = ""
    assert "No Mailchimp key is set" in push(expect=SyncRun.State.FAILED).error


def test_too_many_merge_fields_are_refused_with_a_message(mailchimp, push, audience):
    for number in range(30 - len(mailchimp.account.audiences[audience.list_id].merge_fields)):
        mailchimp.answer(
            "POST",
            f"/lists/{audience.list_id}/merge-fields",
            {},
            {"name": f"F{number}", "tag": f"F{number}", "type": "text"},
        )
    assert "more than 30 merge fields" in push(expect=SyncRun.State.FAILED).error


def test_two_segments_are_two_tags(mailchimp, push, audience):
    recent = Segment.objects.create(
        name="New", rules={"rules": [{"field": "created", "op": "last_days", "value": 5}]}
    )
    AudienceSegment.objects.create(audience=audience, segment=recent)
    person("Ann")
    make_consent(make_supporter(email="bo@mail.se", country="DE"))
    push()
    assert mailchimp.tags("ann@mail.se") == {"Swedes", "New"}
    assert mailchimp.tags("bo@mail.se") == {"New"}


def test_a_paused_audience_is_left_alone(mailchimp, audience):
    person("Ann")
    Audience.objects.update(paused=True)
    assert not pushing.push(audience.pk)
    assert sync.push_due() == {"audiences": 0}
    assert mailchimp.requests == []


def test_each_audience_is_due_once_an_hour_or_when_asked(mailchimp, audience, push, broker):
    assert sync.push_due() == {"audiences": 1}
    push()
    assert sync.push_due() == {"audiences": 0}
    Audience.objects.update(sync_requested_at=timezone.now())
    assert sync.push_due() == {"audiences": 1}
    push()
    assert sync.push_due() == {"audiences": 0}
    SyncRun.objects.update(worked_at=timezone.now() - timedelta(minutes=61))
    assert sync.push_due() == {"audiences": 1}


def test_two_pushes_at_once_are_one(mailchimp, audience):
    from psycopg import connect

    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    parameters.pop("context", None)
    with connect(**parameters) as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"mailchimp:{audience.pk}"])
        person("Ann")
        assert not pushing.push(audience.pk)
    assert mailchimp.requests == []


@pytest.mark.workers
@pytest.mark.django_db(transaction=True)
def test_a_push_whose_worker_is_killed_converges(mailchimp, audience, broker):
    many(6000)
    segments.refresh(Segment.objects.get())
    mailchimp.delay(0.5)
    env = {"MAILCHIMP_API_KEY": "key-us1", "MAILCHIMP_API_URL": mailchimp.url}
    for kill in range(3):
        with Worker("sync", concurrency=1, **env):
            push_audience.delay(audience.pk)
            before = mailchimp.count
            wait_for(lambda before=before, kill=kill: mailchimp.count > before + 2 + kill, "some calls")
        wait_for(lambda: mailchimp.at_once == 0, "the calls of the dead to end")
        broker.delete(slots._KEY)  # the lease of those it held runs out
    mailchimp.delay(0)

    def done() -> bool:
        pushing.push(audience.pk)
        return audience.runs.latest("pk").state == SyncRun.State.DONE

    wait_for(done, "the push to end")
    assert len(mailchimp.members()) == 6000
    assert (
        AudienceMember.objects.filter(status="subscribed", tags__contains=[audience.links.get().tag_id]).count()
        == 6000
    )
    assert all(mailchimp.tags(f"p{n}@mail.se") == {"Swedes"} for n in (1, 1500, 6000))
    assert mailchimp.most_at_once <= 8
