from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from campaigns import appeals
from campaigns.appeals import launching, ledger, schedule, texts
from campaigns.appeals.schedule import Refusal
from campaigns.models import Appeal, Delivery, Segment, SegmentMember
from supporters.consent import leave
from tests.campaigns.conftest import make_appeal, make_people, make_text
from tests.factories import make_supporter

pytestmark = pytest.mark.django_db
TOMORROW = timezone.now() + timedelta(days=1)


@pytest.fixture(autouse=True)
def _no_workers(broker):
    """What is handed out waits in an empty broker."""


def due(appeal, ago=timedelta(seconds=1)):
    Appeal.objects.filter(pk=appeal.pk).update(state="scheduled", scheduled_at=timezone.now() - ago)


def state(appeal):
    return Appeal.objects.values_list("state", flat=True).get(pk=appeal.pk)


# Hours ------------------------------------------------------------------------------------------


def test_moment_reads_the_wall_clock_of_its_zone():
    assert schedule.moment(datetime(2026, 7, 1, 9), "Europe/Stockholm") == datetime(2026, 7, 1, 7, tzinfo=UTC)
    assert schedule.moment(datetime(2026, 12, 1, 9), "Europe/Stockholm") == datetime(2026, 12, 1, 8, tzinfo=UTC)


def test_moment_refuses_an_unknown_zone():
    with pytest.raises(Refusal, match="no time zone “Europe/Gothenburg”"):
        schedule.moment(datetime(2026, 7, 1, 9), "Europe/Gothenburg")


def test_moment_refuses_an_hour_that_the_clocks_skip():
    with pytest.raises(Refusal, match="clocks go forward"):
        schedule.moment(datetime(2027, 3, 28, 2, 30), "Europe/Stockholm")


def test_moment_takes_the_first_of_an_hour_that_comes_twice():
    assert schedule.moment(datetime(2026, 10, 25, 2, 30), "Europe/Stockholm") == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )


def test_schedule_refuses_the_past_and_changes_nothing():
    appeal = make_appeal()
    with pytest.raises(Refusal, match="has passed"):
        schedule.schedule(appeal, datetime(2020, 1, 1), "Europe/Stockholm")
    assert state(appeal) == "draft"


def test_schedule_and_unschedule():
    appeal = make_appeal()
    instant = schedule.schedule(appeal, TOMORROW.replace(tzinfo=None), "UTC")
    assert (appeal.state, appeal.scheduled_at, appeal.time_zone) == ("scheduled", instant, "UTC")
    schedule.unschedule(appeal)
    assert state(appeal) == "draft"


# Texts ------------------------------------------------------------------------------------------


def test_obstacles_count_the_people_whose_language_has_no_text():
    people = [*make_people(2, language="de"), *make_people(1, language="pt-br"), *make_people(1)]
    appeal = make_appeal(people, languages=["en", "pt"])
    (obstacle,) = texts.obstacles(appeal)
    assert obstacle.message == "2 people read German, which has no text, and would get English."
    assert not obstacle.final
    assert {(row.language, row.people, row.gets) for row in texts.audiences(appeal)} == {
        ("de", 2, "en"),
        ("pt-br", 1, "pt"),
        ("", 1, "en"),
    }


def test_missing_translations_need_a_word_from_staff():
    appeal = make_appeal(make_people(1, language="de"))
    with pytest.raises(Refusal, match="1 person reads German"):
        schedule.schedule(appeal, TOMORROW.replace(tzinfo=None), "UTC")
    assert state(appeal) == "draft"
    schedule.schedule(appeal, TOMORROW.replace(tzinfo=None), "UTC", send_anyway=True)
    assert state(appeal) == "scheduled"


def test_a_changed_main_text_leaves_its_translations_behind():
    appeal = make_appeal(languages=["en", "sv", "de"])
    texts.note_changes(appeal, {"en"})
    assert [text.language for text in texts.outdated(appeal)] == ["de", "sv"]
    with pytest.raises(Refusal, match="German, Swedish"):
        schedule.send_now(appeal)
    texts.note_changes(appeal, {"sv"})
    texts.note_changes(appeal, set(), confirmed={"de"})
    assert texts.outdated(appeal) == []
    schedule.send_now(appeal)


def test_a_translation_changed_together_with_the_main_text_follows_it():
    appeal = make_appeal(languages=["en", "sv", "de"])
    texts.note_changes(appeal, {"en", "sv"})
    assert [text.language for text in texts.outdated(appeal)] == ["de"]


def test_another_main_text_leaves_the_others_behind():
    appeal = make_appeal(languages=["en", "sv"])
    texts.note_changes(appeal, {"en"})
    texts.note_changes(appeal, {"sv"})
    Appeal.objects.filter(pk=appeal.pk).update(default_language="sv")
    appeal.refresh_from_db()
    texts.note_changes(appeal, set(), new_main=True)
    assert [text.language for text in texts.outdated(appeal)] == ["en"]


def test_what_cannot_be_sent_is_no_matter_of_staffs_word():
    appeal = make_appeal(languages=["sv"])
    make_text(appeal, "en", body="{{ frist_name }}")
    with pytest.raises(Refusal, match=r"English: Line 1: There is no “frist_name”"):
        schedule.send_now(appeal, send_anyway=True)
    appeal.texts.filter(language="en").delete()
    with pytest.raises(Refusal, match="main text, in English, is missing"):
        schedule.send_now(appeal, send_anyway=True)


# Launching --------------------------------------------------------------------------------------


def test_tick_launches_what_is_due_in_each_persons_language():
    speakers = {language: make_people(1, language=language)[0] for language in ("sv", "pt-br", "de", "")}
    appeal = make_appeal(speakers.values(), languages=["en", "sv", "pt"])
    later = make_appeal()
    Appeal.objects.filter(pk=appeal.pk).update(send_anyway=True)
    due(appeal)
    schedule.schedule(later, TOMORROW.replace(tzinfo=None), "UTC")
    counts = appeals.tick()
    assert (counts["launched"], counts["handed_out"]) == (1, 1)
    got = {delivery.supporter: delivery.language for delivery in appeal.deliveries.all()}
    assert got == {
        speakers["sv"]: "sv",
        speakers["pt-br"]: "pt",
        speakers["de"]: "en",
        speakers[""]: "en",
    }
    appeal.refresh_from_db()
    assert (appeal.state, appeal.recipients) == ("sending", 4)
    assert state(later) == "scheduled"
    assert not later.deliveries.exists()


def test_launch_writes_to_nobody_without_consent():
    person, silent, left = make_people(1)[0], make_supporter(), make_people(1)[0]
    postal = make_supporter(email=None)
    appeal = make_appeal([person, silent, left, postal])
    leave(left, method="link")
    SegmentMember.objects.bulk_create(
        [SegmentMember(segment=appeal.segment, supporter=each) for each in (silent, left, postal)],
        ignore_conflicts=True,
    )
    due(appeal)
    appeals.tick()
    assert [delivery.supporter for delivery in appeal.deliveries.all()] == [person]


def test_the_ledger_leaves_out_who_left_since_the_refresh():
    person, left = make_people(2)
    appeal = make_appeal([person, left])
    leave(left, method="link")
    assert ledger.write(appeal) == 1
    assert appeal.deliveries.get().supporter == person


def test_launch_twice_writes_one_ledger():
    appeal = make_appeal(make_people(3))
    due(appeal)
    assert launching.launch(appeal.pk)
    assert not launching.launch(appeal.pk)
    assert appeal.deliveries.count() == 3


@pytest.mark.parametrize("people", [1, 3])
def test_launch_costs_the_same_for_one_and_for_many(people, django_assert_max_num_queries):
    appeal = make_appeal(make_people(people))
    due(appeal)
    with django_assert_max_num_queries(30):
        launching.launch(appeal.pk)
    assert appeal.deliveries.count() == people


def test_what_is_found_twelve_hours_late_waits_for_a_person():
    appeal, on_time = make_appeal(make_people(1)), make_appeal(make_people(1))
    due(appeal, timedelta(hours=12, seconds=1))
    due(on_time, timedelta(hours=11, minutes=59))
    assert appeals.tick()["late"] == 1
    appeal.refresh_from_db()
    assert (appeal.state, appeal.launched_at) == ("paused", None)
    assert "more than twelve hours" in appeal.pause_reason
    assert not appeal.deliveries.exists()
    assert state(on_time) == "sending"
    schedule.send_now(appeal)
    appeals.tick()
    assert state(appeal) == "sending"


def test_a_segment_whose_rules_are_broken_stops_the_launch():
    appeal = make_appeal(make_people(1))
    Segment.objects.filter(pk=appeal.segment_id).update(
        rules={"match": "all", "rules": [{"field": "no such field", "op": "is", "value": "x"}]}
    )
    due(appeal)
    assert appeals.tick()["launched"] == 0
    appeal.refresh_from_db()
    assert appeal.state == "paused"
    assert appeal.pause_reason.startswith("The segment")


def test_a_gap_that_opened_since_scheduling_stops_the_launch():
    appeal = make_appeal(make_people(1))
    due(appeal)
    german = make_people(1, language="de")[0]
    SegmentMember.objects.create(segment=appeal.segment, supporter=german)
    assert appeals.tick()["launched"] == 0
    appeal.refresh_from_db()
    assert appeal.state == "paused"
    assert "1 person reads German" in appeal.pause_reason
    assert not appeal.deliveries.exists()


def test_an_appeal_to_nobody_is_sent_at_once():
    appeal = make_appeal()
    due(appeal)
    appeals.tick()
    appeal.refresh_from_db()
    assert (appeal.state, appeal.recipients) == ("sent", 0)


# Arrows that don't exist ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "from_states"),
    [
        (schedule.unschedule, {"scheduled"}),
        (schedule.pause, {"sending"}),
        (schedule.resume, {"paused"}),
        (schedule.try_again, {"sending"}),
        (schedule.cancel, {"draft", "scheduled", "sending", "paused"}),
        (schedule.send_now, {"draft"}),
    ],
)
@pytest.mark.parametrize("current", Appeal.State.values)
def test_each_act_is_refused_in_any_other_state(act, from_states, current):
    appeal = make_appeal()
    Appeal.objects.filter(pk=appeal.pk).update(state=current, launched_at=timezone.now(), scheduled_at=TOMORROW)
    if current in from_states:
        act(appeal)
    else:
        with pytest.raises(Refusal, match="It can't be done"):
            act(appeal)
        assert state(appeal) == current


def test_cancel_leaves_nobody_waiting():
    appeal = make_appeal(make_people(2))
    due(appeal)
    appeals.tick()
    schedule.cancel(appeal)
    assert set(appeal.deliveries.values_list("state", "reason")) == {("skipped", "The appeal was cancelled.")}


def test_tick_finishes_a_cancelling_that_was_cut_short():
    appeal = make_appeal(make_people(2))
    due(appeal)
    appeals.tick()
    Appeal.objects.filter(pk=appeal.pk).update(state="cancelled")
    appeals.tick()
    assert set(appeal.deliveries.values_list("state", flat=True)) == {Delivery.State.SKIPPED}
