"""Nobody is lost between two pages, nor read twice for nothing, and a read that dies goes on."""

from datetime import UTC, datetime, timedelta

import pytest

from campaigns.mailchimp import pull as pulling
from campaigns.mailchimp import reading
from campaigns.models import Audience, AudienceMember
from tests.campaigns.mailchimp.people import person

pytestmark = pytest.mark.django_db
STATUSES = {"status": "subscribed"}


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr(reading, "PAGE", 4)


def add(mailchimp, number: int, second: int, after: int = 0) -> None:
    """So many members, all changed in that second of a day long past."""
    there = mailchimp.account.audiences[mailchimp.list_id]
    emails = [f"m{n}@mail.se" for n in range(after + 1, after + number + 1)]
    body = {"members": [{"email_address": email, **STATUSES} for email in emails]}
    mailchimp.answer("POST", f"/lists/{mailchimp.list_id}", {}, body)
    for member in there.members.values():
        if member.email in emails:
            member.last_changed = datetime(2026, 5, 1, 12, 0, second, tzinfo=UTC).isoformat()
    there.version += 1


def heard() -> set[str]:
    return set(AudienceMember.objects.values_list("subscriber_hash", flat=True))


def there(mailchimp) -> set[str]:
    return {member["id"] for member in mailchimp.members().values()}


def test_a_second_that_fills_pages_is_read_whole(mailchimp, audience, pull, small_pages):
    for second, number in ((1, 2), (2, 15), (3, 4), (4, 1)):
        add(mailchimp, number, second, after=second * 100)
    pull()
    assert heard() == there(mailchimp)
    assert len(heard()) == 22


def test_members_who_change_while_a_second_is_read_hide_nobody(mailchimp, audience, pull, small_pages, monkeypatch):
    add(mailchimp, 20, 1)
    take = pulling._take
    moving = iter(range(1, 13, 3))

    def take_and_move(*args):
        take(*args)
        for number in ((first := next(moving, 0)) and range(first, first + 3)) or ():
            mailchimp.staff_tag(audience.list_id, f"m{number}@mail.se", "VIP")

    monkeypatch.setattr(pulling, "_take", take_and_move)
    pull()
    assert heard() == there(mailchimp)
    assert len(heard()) == 20


def test_a_read_that_is_cut_short_goes_on_where_it_was(mailchimp, audience, small_pages, monkeypatch):
    add(mailchimp, 6, 1)
    add(mailchimp, 11, 2, after=100)
    stretches = 0
    while pulling.pull(audience.pk, seconds=0):
        stretches += 1
        assert stretches < 50
    assert heard() == there(mailchimp)
    asked = [tuple(request.query.items()) for request in mailchimp.calls("GET", "/members$")]
    assert len(asked) == len(set(asked))
    audience.refresh_from_db()
    assert "changed" not in audience.place


def test_a_read_that_dies_between_a_page_and_the_next_loses_nothing(
    mailchimp, audience, pull, small_pages, monkeypatch
):
    add(mailchimp, 9, 1)
    with monkeypatch.context() as patched:
        patched.setattr(reading, "_next", lambda *args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            pulling.pull(audience.pk)
    pull()
    assert heard() == there(mailchimp)


def test_the_cursor_follows_mailchimps_clock_and_never_ours(mailchimp, audience, pull):
    mailchimp.skew(-86_400)
    mailchimp.staff_add(audience.list_id, "ann@mail.se")
    pull()
    audience.refresh_from_db()
    assert datetime.now(UTC) - audience.changed_since > timedelta(hours=23)
    mailchimp.staff_add(audience.list_id, "bo@mail.se")
    pull()
    assert heard() == there(mailchimp)


def test_what_was_read_is_read_again_for_nothing(mailchimp, audience, push, pull):
    person("Ann")
    push()
    pull()
    before = AudienceMember.objects.values_list("updated_at", "status_at", "digest", "tags").get()
    assert pull().counts == {"read": 1}
    assert AudienceMember.objects.values_list("updated_at", "status_at", "digest", "tags").get() == before


def test_archived_ones_are_heard_of_though_a_list_leaves_them_out(mailchimp, audience, push, pull):
    mailchimp.account.hides_archived = True
    person("Ann")
    push()
    mailchimp.staff_archive(audience.list_id, "ann@mail.se")
    Audience.objects.update(place={})  # as on the day after: those who were archived are asked for once a day
    pull()
    assert AudienceMember.objects.get().status == "archived"
    push()
    assert mailchimp.writes() == []


def test_only_what_is_needed_is_asked_for(mailchimp, audience, push, pull):
    person("Ann")
    push()
    mailchimp.forget_requests()
    pull()
    member = mailchimp.calls("GET", "/members$")[0].answer["members"][0]
    assert set(member) == {
        *("id", "email_address", "contact_id", "status", "last_changed", "language", "timestamp_opt", "ip_opt"),
        *("tags", "tags_count", "merge_fields"),
    }
    assert set(member["merge_fields"]) == {"FNAME", "LNAME", "COUNTRY"}


def test_a_changed_address_is_found_without_a_webhook(mailchimp, audience, push, pull):
    ann = person("Ann")
    push()
    pull()
    mailchimp.member_changes_address(audience.list_id, "ann@mail.se", "ann.berg@mail.se")
    assert pull().counts["moved_there"] == 1
    ann.refresh_from_db()
    assert ann.email == "ann.berg@mail.se"
    assert AudienceMember.objects.count() == 1
    push()
    assert mailchimp.writes() == []


def test_two_who_changed_places_are_both_followed(mailchimp, audience, push, pull):
    ann, bo = person("Ann"), person("Bo")
    push()
    pull()
    for old, new in (("ann@mail.se", "x@mail.se"), ("bo@mail.se", "ann@mail.se"), ("x@mail.se", "cy@mail.se")):
        mailchimp.member_changes_address(audience.list_id, old, new)
    pull()
    ann.refresh_from_db()
    bo.refresh_from_db()
    assert (ann.email, bo.email) == ("cy@mail.se", "ann@mail.se")
    push()
    assert mailchimp.writes() == []


def test_tags_that_are_cut_at_fifty_are_not_taken_for_missing(mailchimp, audience, push, pull):
    person("Ann")
    for number in range(55):
        mailchimp.staff_add(audience.list_id, "ann@mail.se")
        mailchimp.staff_tag(audience.list_id, "ann@mail.se", f"Theirs {number}")
    push()
    pull()
    assert mailchimp.member("ann@mail.se")["tags_count"] == 56
    push()
    assert mailchimp.writes() == []
    mailchimp.staff_untag(audience.list_id, "ann@mail.se", "Swedes")
    for number in range(9):
        mailchimp.staff_untag(audience.list_id, "ann@mail.se", f"Theirs {number}")
    pull()
    push()
    assert "Swedes" in mailchimp.tags("ann@mail.se")
