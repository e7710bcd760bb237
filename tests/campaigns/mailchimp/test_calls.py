"""How many calls a push costs, in which order they go, and how many at once."""

import pytest

from campaigns.mailchimp import slots
from campaigns.models import Audience, AudienceMember, AudienceSegment, Segment
from crm.erasure import erase
from supporters import consent
from supporters.models import Consent, Supporter
from tests.campaigns.mailchimp.test_push import many, person
from tests.factories import make_supporter

pytestmark = pytest.mark.django_db


@pytest.fixture
def three_segments(audience):
    for name, days in (("New", 5), ("Newer", 2)):
        rules = {"rules": [{"field": "created", "op": "last_days", "value": days}]}
        segment = Segment.objects.create(name=name, rules=rules)
        AudienceSegment.objects.create(audience=audience, segment=segment)


@pytest.mark.parametrize("number", [300, 1501])
def test_a_first_sync_with_three_tags_costs_one_write_for_five_hundred(mailchimp, push, three_segments, number):
    many(number)
    push()
    assert mailchimp.tags("p1@mail.se") == {"Swedes", "New", "Newer"}
    assert len(mailchimp.members()) == number
    batches = [request for request in mailchimp.writes() if "members" in (request.body or {})]
    assert len(batches) == -(-number // 500)
    assert len(mailchimp.writes()) - len(batches) == 4  # three tags and a merge field, made once
    push()
    assert mailchimp.writes() == []
    assert len(mailchimp.requests) == 2


@pytest.mark.parametrize("number", [20, 1200])
def test_what_changed_decides_what_a_run_costs_not_how_many_there_are(mailchimp, push, number):
    many(number)
    push()
    Supporter.objects.filter(pk__in=Supporter.objects.order_by("pk")[:10]).update(last_name="Berg")
    push()
    assert (len(mailchimp.writes()), len(mailchimp.requests)) == (1, 3)
    assert len(mailchimp.writes()[0].body["members"]) == 10


def test_adding_to_a_tag_and_taking_from_it_is_one_call(mailchimp, push):
    many(20)
    push()
    danes = list(Supporter.objects.order_by("pk")[:8])
    Supporter.objects.filter(pk__in=[who.pk for who in danes]).update(country="DK")
    push()
    Supporter.objects.filter(pk__in=[who.pk for who in danes[:5]]).update(country="SE")
    Supporter.objects.filter(pk__in=Supporter.objects.order_by("-pk")[:4]).update(country="DK")
    push()
    (request,) = mailchimp.writes()
    assert (len(request.body["members_to_add"]), len(request.body["members_to_remove"])) == (5, 4)


def test_calls_go_side_by_side_and_no_more_than_eight(mailchimp, push, monkeypatch):
    monkeypatch.setattr("campaigns.mailchimp.difference.CHUNK", 10)
    many(200)
    mailchimp.delay(0.3)
    push()
    assert 2 <= mailchimp.most_at_once <= slots.AT_ONCE
    assert {request.status for request in mailchimp.requests} == {200}
    assert len(mailchimp.members()) == 200


def test_a_push_goes_in_an_order_that_brings_nobody_back(mailchimp, push, audience, staff):
    Audience.objects.update(archives=True)
    gone, left, changed, moved, out, back = (person(name) for name in ("Ann", "Bo", "Cy", "Di", "Eva", "Finn"))
    tagged = person("Gil", last_name="Ek")
    push()
    consent.leave(back, method=Consent.Method.LINK)
    push()
    erase(gone, by=staff)
    consent.leave(left, method=Consent.Method.LINK)
    Supporter.objects.filter(pk=changed.pk).update(first_name="Cyrus")
    Supporter.objects.filter(pk=moved.pk).update(email="di.berg@mail.se")
    Supporter.objects.filter(pk=out.pk).update(country="DK")
    consent.grant(back, "email", wording="Yes.", method=Consent.Method.CONFIRMED)
    AudienceMember.objects.filter(supporter=tagged).update(tags=[])
    person("Hal")
    push()
    told = [
        (request.method, request.path.removeprefix(f"/lists/{audience.list_id}"), request.body)
        for request in mailchimp.writes()
    ]
    kinds = []
    for method, path, body in told:
        if path.endswith("delete-permanent"):
            kinds.append("delete")
        elif method == "DELETE":
            kinds.append("archive")
        elif "/segments/" in path:
            kinds.append("tag")
        elif method == "PATCH":
            kinds.append("ask back" if body.get("status") == "pending" else "move")
        else:
            kinds.append(
                {"unsubscribed": "leave", "subscribed": "add", None: "change"}[body["members"][0].get("status")]
            )
    assert kinds == ["delete", "leave", "add", "change", "move", "ask back", "tag", "archive"]
    added = next(
        body for _method, _path, body in told if (body or {}).get("members", [{}])[0].get("status") == "subscribed"
    )
    assert (added["update_existing"], added["sync_tags"]) == (False, False)


def test_a_tag_that_others_made_under_the_name_of_a_segment_stays_theirs(mailchimp, push, audience):
    mailchimp.staff_add(audience.list_id, "vip@else.se")
    mailchimp.staff_tag(audience.list_id, "vip@else.se", "Swedes")
    ann = person("Ann")
    push()
    assert mailchimp.tags("ann@mail.se") == {"Swedes (2)"}
    Supporter.objects.filter(pk=ann.pk).update(country="DK")
    push()
    assert mailchimp.tags("vip@else.se") == {"Swedes"}


def test_a_tag_renamed_there_is_still_the_same(mailchimp, push, audience):
    person("Ann")
    push()
    mailchimp.account.audiences[audience.list_id].segments[audience.links.get().tag_id].name = "Svenskar"
    bo = person("Bo")
    push()
    assert mailchimp.tags("bo@mail.se") == {"Svenskar"}
    Supporter.objects.filter(pk=bo.pk).update(country="DK")
    push()
    assert mailchimp.tags("bo@mail.se") == set()


def test_a_segment_taken_out_of_an_audience_takes_its_tag_along(mailchimp, push, audience, three_segments):
    many(3)
    push()
    audience.links.get(segment__name="New").delete()
    push()
    assert mailchimp.tags("p1@mail.se") == {"Swedes", "Newer"}
    push()
    assert mailchimp.writes() == []


def test_a_tag_goes_although_it_was_read_and_changed_after_its_segment_was_taken_out(
    mailchimp, push, pull, audience, three_segments
):
    many(3)
    push()
    audience.links.get(segment__name="New").delete()
    Supporter.objects.update(last_name="Berg")
    mailchimp.staff_tag(audience.list_id, "p1@mail.se", "VIP")  # so that it is read
    pull()
    push()
    assert mailchimp.tags("p1@mail.se") == {"Swedes", "Newer", "VIP"}
    push()
    assert mailchimp.writes() == []


def test_a_segment_that_is_taken_in_again_has_its_tag_again(mailchimp, push, audience, three_segments):
    many(3)
    push()
    link = audience.links.get(segment__name="New")
    link.delete()
    AudienceSegment.objects.create(audience=audience, segment=link.segment)
    push()
    assert mailchimp.tags("p1@mail.se") == {"Swedes", "New", "Newer"}
    assert audience.links.get(segment__name="New").tag_id == link.tag_id
    push()
    assert mailchimp.writes() == []


def test_two_audiences_hold_each_their_own(mailchimp, push, audience, swedes):
    from campaigns.mailchimp.push import push as push_one

    danes = Segment.objects.create(name="Danes", rules={"rules": [{"field": "country", "op": "in", "value": ["DK"]}]})
    other = Audience.objects.create(name="Danish", list_id=mailchimp.add_list("Danish"))
    AudienceSegment.objects.create(audience=other, segment=danes)
    person("Ann")
    make_supporter(email="bo@mail.se", country="DK", consent=True)
    push()
    push_one(other.pk)
    assert list(mailchimp.members()) == ["ann@mail.se"]
    assert list(mailchimp.members(other.list_id)) == ["bo@mail.se"]
