"""A first sync: who was never there goes in calls that PostgreSQL makes and writes down."""

import json
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from functools import partial

import pytest
from django.db import connection

from campaigns import segments
from campaigns.mailchimp import difference, mapping, newcomers
from campaigns.mailchimp import push as pushing
from campaigns.models import Addition, Audience, AudienceMember, Segment, SyncRun
from crm.erasure import erase
from supporters import consent
from supporters.models import Consent, Supporter
from tests.campaigns.mailchimp.test_push import many, person
from tests.standins.mailchimp.writing import Writer

pytestmark = pytest.mark.django_db


def shadows() -> dict[str, str]:
    return dict(AudienceMember.objects.values_list("supporter__email", "status"))


def lose_the_answer(mailchimp, *, applied: bool) -> None:
    mailchimp.drop(times=5, applied=applied, method="POST", path=r"^/lists/\w+$")


def ready(audience: Audience) -> None:
    for segment in Segment.objects.all():
        segments.refresh(segment)
    Audience.objects.update(merge_fields=mapping.DEFAULT_MERGE_FIELDS)
    audience.refresh_from_db()


def then(compare: Callable[..., dict], change: Callable[[], object]) -> Callable[..., dict]:
    """Compare, and have something change before anything is sent."""

    def compare_then_change(audience: Audience) -> dict:
        counts = compare(audience)
        change()
        return counts

    return compare_then_change


def test_what_was_sent_and_answered_is_the_shadow_and_nothing_is_left_of_the_call(mailchimp, push):
    ann = person("Ann", last_name="Ek")
    push()
    shadow = AudienceMember.objects.get()
    assert (shadow.supporter, shadow.status, shadow.ours) == (ann, "subscribed", True)
    assert shadow.subscriber_hash == mapping.subscriber_hash("ann@mail.se")
    assert shadow.agreed == {"FNAME": "Ann", "LNAME": "Ek", "COUNTRY": "SE", "language": "sv"}
    assert shadow.tags == [Audience.objects.get().links.get().tag_id]
    assert shadow.last_changed is not None
    assert not Addition.objects.exists()


def test_a_sync_writes_in_as_many_statements_for_three_as_for_one(push, django_assert_max_num_queries):
    many(1)
    push()
    used = []
    for after, number in ((1, 1), (2, 3)):
        many(number, after=after)
        with django_assert_max_num_queries(300) as captured:
            push()
        used.append(len(captured))
    assert used[0] == used[1]


@pytest.mark.parametrize("applied", [True, False])
def test_a_call_without_an_answer_leaves_everybody_to_be_looked_for(mailchimp, push, applied):
    person("Ann"), person("Bo")
    lose_the_answer(mailchimp, applied=applied)
    push(expect=SyncRun.State.FAILED)
    assert Addition.objects.count() == 1
    assert shadows() == {}
    push()
    assert shadows() == {"ann@mail.se": "subscribed", "bo@mail.se": "subscribed"}
    assert set(mailchimp.members()) == {"ann@mail.se", "bo@mail.se"}
    assert not Addition.objects.exists()
    assert set(AudienceMember.objects.values_list("ours", flat=True)) == {True}


def test_who_leaves_after_a_call_without_an_answer_is_unsubscribed_there(mailchimp, push):
    ann = person("Ann")
    lose_the_answer(mailchimp, applied=True)
    push(expect=SyncRun.State.FAILED)
    consent.leave(ann, method=Consent.Method.LINK)
    push()
    assert mailchimp.member("ann@mail.se")["status"] == "unsubscribed"


def test_who_is_erased_after_a_call_without_an_answer_is_deleted_there(mailchimp, push, staff):
    ann, _bo = person("Ann"), person("Bo")
    lose_the_answer(mailchimp, applied=True)
    push(expect=SyncRun.State.FAILED)
    erase(ann, by=staff)
    assert AudienceMember.objects.get().to_delete
    assert push().counts["deleted"] == 1
    assert set(mailchimp.members()) == {"bo@mail.se"}
    assert shadows() == {"bo@mail.se": "subscribed"}


def test_who_was_erased_as_the_call_began_is_deleted_there(mailchimp, push, staff, monkeypatch):
    """Too early for erasure to see the call, too late for the call to see the erasure."""
    ann = person("Ann")
    write = newcomers.write

    def erased_meanwhile(audience, answers):
        kept = list(Addition.objects.values())
        Addition.objects.all().delete()
        erase(ann, by=staff)
        Addition.objects.bulk_create(Addition(**row) for row in kept)
        write(audience, answers)

    monkeypatch.setattr(newcomers, "write", erased_meanwhile)
    push()
    monkeypatch.setattr(newcomers, "write", write)
    assert AudienceMember.objects.get().to_delete
    push()
    assert mailchimp.members() == {}


def test_who_was_heard_of_meanwhile_keeps_what_was_heard(mailchimp, push, audience, monkeypatch):
    ann, _bo = person("Ann"), person("Bo")
    write = newcomers.write

    def heard_meanwhile(audience, answers):
        AudienceMember.objects.create(
            audience=audience,
            supporter=ann,
            subscriber_hash=mapping.subscriber_hash(ann.email),
            status="unsubscribed",
        )
        write(audience, answers)
        noted.append(shadows())

    noted = []
    monkeypatch.setattr(newcomers, "write", heard_meanwhile)
    push()
    assert noted[0] == {"ann@mail.se": "unsubscribed", "bo@mail.se": "subscribed"}
    assert not Addition.objects.exists()


def test_a_call_refused_as_a_whole_is_halved_until_the_one_it_is_about_stands_alone(mailchimp, push):
    many(4)
    mailchimp.fail(status=400, times=2, method="POST", path=r"^/lists/\w+$")
    push()
    assert set(shadows().values()) == {"subscribed"}
    assert len(mailchimp.members()) == 4
    assert not Addition.objects.exists()


def test_who_left_since_the_comparison_is_in_no_call(push, audience):
    ann, bo = person("Ann"), person("Bo")
    ready(audience)
    assert difference.compare(audience) == {"add": 2}
    consent.leave(ann, method=Consent.Method.LINK)
    [call] = newcomers.Calls(audience, mapping.there(audience.merge_fields, {}), {})
    assert (call.size, call.members.count("email_address")) == (1, 1)
    assert "bo@mail.se" in call.members
    assert Addition.objects.get().supporters == [bo.pk]


@pytest.mark.parametrize("kept", [[9, 10], [1, 5, 6, 10], [1, 2, 3, 4, 5, 6, 7]])
def test_calls_are_full_however_many_left_since_their_segment_was_refreshed(audience, monkeypatch, kept):
    monkeypatch.setattr(difference, "CHUNK", 2)
    monkeypatch.setattr(newcomers, "AT_ONCE", 1)
    many(10)
    ready(audience)
    emails = [f"p{number}@mail.se" for number in kept]
    for supporter in Supporter.objects.exclude(email__in=emails):
        consent.leave(supporter, method=Consent.Method.LINK)
    difference.compare(audience)
    calls = list(newcomers.Calls(audience, mapping.there(audience.merge_fields, {}), {}))
    assert [call.size for call in calls] == [2] * (len(kept) // 2) + [1] * (len(kept) % 2)
    sent = json.loads(f"[{','.join(call.members for call in calls)}]")
    assert [member["email_address"] for member in sent] == emails


def test_what_is_sent_is_as_it_was_when_the_call_was_made(mailchimp, push, monkeypatch):
    ann = person("Ann")
    rename = partial(Supporter.objects.filter(pk=ann.pk).update, first_name="Anna")
    with monkeypatch.context() as patch:
        patch.setattr(difference, "compare", then(difference.compare, rename))
        push()
    assert mailchimp.member("ann@mail.se")["merge_fields"]["FNAME"] == "Anna"
    assert AudienceMember.objects.get().agreed["FNAME"] == "Anna"
    push()
    assert mailchimp.writes() == []


@pytest.mark.parametrize("changed", [{"email": "anna@mail.se"}, {"language": "da"}])
def test_whose_address_or_language_changed_since_the_comparison_goes_with_the_next(
    mailchimp, push, monkeypatch, changed
):
    ann, _bo = person("Ann"), person("Bo")
    change = partial(Supporter.objects.filter(pk=ann.pk).update, **changed)
    with monkeypatch.context() as patch:
        patch.setattr(difference, "compare", then(difference.compare, change))
        push()
    assert set(mailchimp.members()) == {"bo@mail.se"}
    push()
    there = mailchimp.member(changed.get("email", "ann@mail.se"))
    assert (there["status"], there["language"]) == ("subscribed", changed.get("language", "sv"))
    assert len(mailchimp.members()) == 2


def test_a_tag_that_the_answer_does_not_tell_of_is_given_in_the_same_run(mailchimp, push, monkeypatch):
    person("Ann"), person("Bo")
    give = Writer.give_tags

    def forget_ann(writer, member, names):
        give(writer, member, [] if member.email == "ann@mail.se" else names)

    monkeypatch.setattr(Writer, "give_tags", forget_ann)
    assert push().counts == {"added": 2, "tagged": 1}
    assert mailchimp.tags("ann@mail.se") == {"Swedes"}
    push()
    assert mailchimp.writes() == []


def test_calls_are_of_500_and_made_for_as_many_at_a_time_as_are_under_way(push, audience, monkeypatch):
    monkeypatch.setattr(difference, "CHUNK", 3)
    many(30)
    ready(audience)
    difference.compare(audience)
    made = newcomers.Calls(audience, mapping.there(audience.merge_fields, {}), {})
    calls = iter(made)
    assert next(calls).size == 3
    assert Addition.objects.count() == 8
    made.prepare()
    assert Addition.objects.count() == 10
    assert [call.size for call in calls] == [3] * 9
    assert Supporter.objects.count() == 30


def test_comparing_leaves_the_connection_as_it_was_even_when_it_fails(audience, monkeypatch):
    with connection.cursor() as cursor:

        def told():
            return [
                cursor.execute(f"SHOW {name}") or cursor.fetchone()[0]
                for name in ("enable_nestloop", "jit", "work_mem")
            ]

        before = told()
        monkeypatch.setattr(difference, "_COMPARE", "SELECT 1 / 0")
        with pytest.raises(Exception, match="division"):
            difference.compare(audience)
        assert told() == before


def test_what_was_made_and_not_sent_is_taken_back(push, audience, monkeypatch):
    monkeypatch.setattr(difference, "CHUNK", 3)
    many(30)
    ready(audience)
    difference.compare(audience)
    made = newcomers.Calls(audience, mapping.there(audience.merge_fields, {}), {})
    calls = iter(made)
    sent, in_line = next(calls), next(calls)
    made.begin(sent)
    made.take_back()
    assert list(Addition.objects.values_list("pk", flat=True)) == [sent.addition]
    with pytest.raises(CancelledError):
        made.begin(in_line)


def test_a_stretch_that_comparing_outlasts_gets_somewhere(mailchimp, audience, monkeypatch):
    many(3)
    for segment in Segment.objects.all():
        segments.refresh(segment)
    compare = difference.compare

    def slowly(audience):
        time.sleep(0.5)
        return compare(audience)

    monkeypatch.setattr(difference, "compare", slowly)
    pushing.push(audience.pk, seconds=0.1)
    assert len(shadows()) == 3


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"<html>", b'{"new_members":', b'{"new_members":[{"id":"\xff"}]}', b"7"]
)
def test_what_is_no_answer_is_not_read(content):
    assert newcomers.read(content, ()) is None


def test_a_member_told_in_another_way_is_looked_at_by_itself():
    known = {
        "id": "ab",
        "status": "subscribed",
        "last_changed": "2026-05-01T10:00:00+00:00",
        "tags": [],
        "tags_count": 0,
    }
    told = {"new_members": [{**known, "email_address": "ann@mail.se", "tags_count": "many"}], "errors": []}
    brought = newcomers.read(json.dumps(told).encode(), ())
    assert (brought.number, brought.emails) == (0, ["ann@mail.se"])
    told["new_members"][0]["tags_count"] = 0
    assert newcomers.read(json.dumps(told).encode(), ()).number == 1
