"""What was changed there, here, on both sides: who takes over what."""

import pytest

from campaigns.models import Audience, AudienceMember
from supporters.models import Supporter
from tests.campaigns.mailchimp.people import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(mailchimp, audience, push, pull):
    Audience.objects.update(
        merge_fields={"FNAME": "first_name", "LNAME": "last_name", "COUNTRY": "country", "CITY": "city"}
    )
    ann = person("Ann", last_name="Ek", language="sv", city="Malmö")
    push()
    pull()
    return ann


def changes_there(mailchimp, **fields):
    mailchimp.member_changes_profile(mailchimp.list_id, "ann@mail.se", **fields)


def test_what_only_they_changed_comes_in_and_is_not_sent_back(mailchimp, ann, push, pull):
    changes_there(mailchimp, LNAME="  Berg ", COUNTRY="Norge", language="da")
    assert pull().counts["edited"] == 1
    ann.refresh_from_db()
    assert (ann.first_name, ann.last_name, ann.country, ann.language) == ("Ann", "Berg", "NO", "da")
    Supporter.objects.update(country="SE")  # back in the segment
    push()
    assert mailchimp.member("ann@mail.se")["merge_fields"]["COUNTRY"] == "SE"
    assert mailchimp.member("ann@mail.se")["language"] == "da"
    assert "edited" not in pull().counts


def test_what_they_wrote_is_kept_in_one_form_which_goes_there(mailchimp, ann, push, pull):
    Audience.objects.update(merge_fields={"PHONE": "phone", "POSTCODE": "postcode", "COUNTRY": "country"})
    push()
    changes_there(mailchimp, PHONE="070-123 45 67", POSTCODE="21134")
    assert pull().counts["edited"] == 1
    ann.refresh_from_db()
    assert (ann.phone, ann.postcode, ann.marks) == ("+46701234567", "211 34", [])
    push()
    held = mailchimp.member("ann@mail.se")["merge_fields"]
    assert (held["PHONE"], held["POSTCODE"]) == ("+46701234567", "211 34")
    assert "edited" not in pull().counts
    changes_there(mailchimp, PHONE="ask me")
    pull()
    ann.refresh_from_db()
    assert (ann.phone, ann.marks) == ("ask me", ["phone"])


def test_an_edit_that_came_in_whole_costs_no_write(mailchimp, ann, push, pull):
    changes_there(mailchimp, LNAME="Berg", CITY="Lund")
    pull()
    push()
    assert mailchimp.writes() == []
    changes_there(mailchimp, CITY="")
    pull()
    ann.refresh_from_db()
    assert (ann.last_name, ann.city) == ("Berg", "")


def test_what_only_we_changed_goes_there(mailchimp, ann, push, pull):
    Supporter.objects.update(last_name="Berg")
    pull()
    push()
    assert mailchimp.member("ann@mail.se")["merge_fields"]["LNAME"] == "Berg"
    assert Supporter.objects.get().last_name == "Berg"


def test_where_both_changed_ours_stands_and_is_noted(mailchimp, ann, push, pull):
    changes_there(mailchimp, LNAME="Theirs", CITY="Lund")
    Supporter.objects.update(last_name="Ours")
    assert pull().counts["conflicts"] == 1
    push()
    ann.refresh_from_db()
    assert (ann.last_name, ann.city) == ("Ours", "Lund")
    assert (
        mailchimp.member("ann@mail.se")["merge_fields"] | {"LNAME": "Ours", "CITY": "Lund"}
        == mailchimp.member("ann@mail.se")["merge_fields"]
    )
    assert "Last name" in AudienceMember.objects.get().note
    assert "conflicts" not in pull().counts


def test_both_changed_to_the_same_is_no_conflict(mailchimp, ann, push, pull):
    changes_there(mailchimp, LNAME="Berg")
    Supporter.objects.update(last_name="Berg")
    assert "conflicts" not in pull().counts


def test_what_cannot_be_kept_is_put_back(mailchimp, ann, push, pull):
    changes_there(mailchimp, COUNTRY="Atlantis")
    assert pull().counts["conflicts"] == 1
    push()
    assert mailchimp.member("ann@mail.se")["merge_fields"]["COUNTRY"] == "SE"
    assert Supporter.objects.get().country == "SE"


def test_an_audience_may_say_that_edits_stay_out(mailchimp, ann, push, pull):
    Audience.objects.update(takes_edits=False)
    changes_there(mailchimp, LNAME="Berg", language="da")
    pull()
    push()
    assert mailchimp.member("ann@mail.se")["merge_fields"]["LNAME"] == "Ek"
    assert Supporter.objects.get().last_name == "Ek"
    assert Supporter.objects.get().language == "sv"


def test_what_was_there_before_us_fills_what_is_empty_here(mailchimp, audience, push, pull):
    mailchimp.staff_add(audience.list_id, "bo@mail.se", FNAME="Robert", LNAME="Ek", PHONE="1")
    bo = person("Bo", last_name="")
    pull()
    bo.refresh_from_db()
    assert (bo.first_name, bo.last_name) == ("Bo", "Ek")
    push()
    assert mailchimp.member("bo@mail.se")["merge_fields"]["FNAME"] == "Bo"
    assert mailchimp.member("bo@mail.se")["merge_fields"]["PHONE"] == "1"


def test_the_statements_do_not_grow_with_the_members(mailchimp, audience, push, pull, django_assert_max_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    needed = []
    for names in (["Ann"], ["Bo", "Cy", "Di"]):
        for name in names:
            person(name)
        push()
        pull()
        for name in names:
            mailchimp.member_changes_profile(audience.list_id, f"{name.lower()}@mail.se", LNAME=f"{name}berg")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert pull().counts["edited"] == len(names)
        needed.append(len(queries))
    assert needed[0] == needed[1]
