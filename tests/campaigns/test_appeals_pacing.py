"""Limits, the stop button, warm-up and hours, as they are felt by an appeal under way."""

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from time import monotonic
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from campaigns import appeals
from campaigns.appeals import ledger, sending
from campaigns.appeals.journal import Journal
from campaigns.appeals.outgoing import Outgoing
from campaigns.mail.pacing import control, hours, warm_up
from campaigns.mail.transport import Mail
from campaigns.models import Appeal, Receiver, SendingControl, WarmUp
from tests.campaigns.conftest import launched, make_people
from tests.factories import make_supporter

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("broker", "journals")]
SHORT = 4
"""Seconds of a piece of work that is expected to leave something over."""


def make_readers(number, domain, **fields):
    return [make_supporter(consent=True, email=f"reader{n}@{domain}", **fields) for n in range(number)]


def states(appeal):
    return Counter(appeal.deliveries.values_list("state", flat=True))


def domains(server):
    return Counter(address.partition("@")[2] for address in server.recipients.elements())


def test_deliveries_are_marked_with_who_takes_them():
    appeal = launched([*make_readers(1, "gmail.com"), *make_readers(1, "hotmail.se"), *make_readers(1, "mail.se")])
    marks = appeal.deliveries.values_list("supporter__email", "receiver")
    assert dict(marks) == {
        "reader0@gmail.com": "google",
        "reader0@hotmail.se": "microsoft",
        "reader0@mail.se": "",
    }


def test_nothing_leaves_while_the_button_is_pressed(server):
    appeal = launched(make_people(2))
    control.stop(None)
    assert appeals.work(appeal.pk) == {}
    assert server.connections == 0
    assert states(appeal) == {"queued": 2}
    control.go_on()
    assert appeals.work(appeal.pk) == {"sent": 2}


@pytest.mark.django_db(transaction=True)
def test_the_button_stops_at_the_next_message(server, monkeypatch):
    monkeypatch.setattr("campaigns.appeals.outgoing.FRESH", 0)
    appeal = launched(make_people(5))

    def press_at_the_second(verb, who):
        if verb == "RCPT" and len(server.recipients) == 1:
            control.stop(None)

    server.answer = press_at_the_second
    monkeypatch.setattr("django.conf.settings.MAIL_CONNECTIONS", 1)
    appeals.work(appeal.pk)
    left = states(appeal)
    assert left["sent"] < 5
    assert left["sent"] + left["queued"] == 5
    assert sum(server.recipients.values()) == left["sent"]
    assert not appeal.deliveries.exclude(claim=None).exists()


def test_one_receiver_that_has_had_its_share_keeps_no_other_waiting(server):
    Receiver.objects.filter(code="google").update(per_minute=1, burst=2)
    appeal = launched([*make_readers(5, "gmail.com"), *make_readers(3, "mail.se")])
    assert appeals.work(appeal.pk, SHORT) == {"sent": 5}
    assert domains(server) == {"gmail.com": 2, "mail.se": 3}
    assert appeals.work(appeal.pk, SHORT) == {}
    assert states(appeal) == {"sent": 5, "queued": 3}


@pytest.mark.parametrize(("domain", "owed"), [("mail.se", False), ("gmail.com", True)])
def test_a_limit_keeps_a_worker_only_where_somebody_waits_for_it(domain, owed):
    Receiver.objects.filter(code="google").update(per_minute=1, burst=1)
    appeal = launched([*make_readers(1, "googlemail.com"), *make_readers(2, domain)])
    log = Journal()
    box = Outgoing(
        ledger.claim(appeal, log.name),
        log,
        lambda addressee, _bits: Mail(addressee.pk, "a@b.c", addressee.email, b""),
        Counter(),
    )
    box.until = monotonic() + 600
    while mail := box.next(True):
        box.may_leave(mail)
        box.done(mail, None)
    assert box.over() is not owed
    box.close()
    box.settle()
    log.close()


def test_a_limit_holds_for_all_appeals_together(server):
    SendingControl.objects.create(per_hour=3)
    first, second = launched(make_people(2)), launched(make_people(2))
    appeals.work(first.pk, SHORT)
    appeals.work(second.pk, SHORT)
    assert sum(server.recipients.values()) == 3


def test_work_goes_on_by_itself_when_there_is_room_again(server):
    SendingControl.objects.create(per_minute=60)
    Receiver.objects.filter(code="google").update(per_minute=120, burst=1)
    appeal = launched(make_readers(3, "gmail.com"))
    assert appeals.work(appeal.pk, 30) == {"sent": 3}


def test_a_receiver_that_defers_us_is_left_in_peace(server, broker):
    appeal = launched([*make_readers(4, "gmail.com"), *make_readers(2, "mail.se")])
    server.answer = lambda verb, who: (
        "451 4.7.28 unusual rate" if verb == "RCPT" and who.endswith("@gmail.com") else None
    )
    appeals.work(appeal.pk, SHORT)
    google = Receiver.objects.get(code="google")
    assert google.slowed_because == "451 4.7.28 unusual rate"
    assert states(appeal) == {"queued": 4, "sent": 2}
    server.answer = lambda verb, who: None
    appeal.deliveries.update(not_before=timezone.now() - timedelta(minutes=1))
    broker.delete("lodestar:pace:slowed:google")  # as a minute later
    appeals.work(appeal.pk, SHORT)
    assert domains(server)["gmail.com"] == 1


def test_a_new_sender_sends_what_its_day_allows(server):
    row = WarmUp.objects.create(domain="realstars.example", starts_on=warm_up.today(), plan=[2, 10])
    appeal = launched(make_people(5))
    assert appeals.work(appeal.pk, SHORT) == {"sent": 2}
    assert appeals.work(appeal.pk, SHORT) == {}
    WarmUp.objects.update(starts_on=warm_up.today() - timedelta(days=1))
    row.days.update(day=warm_up.today() - timedelta(days=1))
    assert appeals.work(appeal.pk, SHORT) == {"sent": 3}
    assert warm_up.taken_today(row) == 3


# Hours ------------------------------------------------------------------------------------------


def country_where(wanted):
    """A country where the clock shows an hour that is wanted, with its zone."""
    now = datetime.now(UTC)
    return next(
        (country, ZoneInfo(zone))
        for country, zone in sorted(hours.zones().items())
        if wanted(now.astimezone(ZoneInfo(zone)).hour)
    )


DAY = {"hours_from": time(9), "hours_until": time(18)}


def test_each_person_gets_it_in_the_day_of_where_they_live(server):
    bright, _zone = country_where(lambda hour: 10 <= hour < 16)
    dark, night = country_where(lambda hour: hour < 7)
    late, evening = country_where(lambda hour: 19 <= hour < 23)
    people = [make_supporter(consent=True, country=country) for country in (bright, dark, late)]
    appeal = launched(people, **DAY)
    assert appeals.work(appeal.pk, SHORT) == {"sent": 1}
    assert appeal.deliveries.get(state="sent").supporter.country == bright
    due = dict(appeal.deliveries.filter(state="queued").values_list("supporter__country", "not_before"))
    assert due[dark].astimezone(night) == datetime.now(night).replace(hour=9, minute=0, second=0, microsecond=0)
    tomorrow = datetime.now(evening) + timedelta(days=1)
    assert due[late].astimezone(evening).date() == tomorrow.date()
    assert due[late].astimezone(evening).time() == time(9)
    assert not sending.finish(appeal.pk)


def test_a_person_without_a_country_goes_by_the_appeals_zone(server):
    _country, evening = country_where(lambda hour: 19 <= hour < 23)
    appeal = launched(make_people(1), time_zone=str(evening), **DAY)
    assert appeals.work(appeal.pk, SHORT) == {}


def test_whose_day_is_over_when_their_turn_comes_waits_for_the_next(server):
    country, evening = country_where(lambda hour: 19 <= hour < 23)
    appeal = launched([make_supporter(consent=True, country=country)])
    Appeal.objects.filter(pk=appeal.pk).update(**DAY)
    appeals.tick(hand_out=False)
    assert appeal.deliveries.get().not_before.astimezone(evening).time() == time(9)
    assert appeal.deliveries.get().not_before > timezone.now()
    appeals.tick(hand_out=False)
    assert states(appeal) == {"queued": 1}


def test_the_hours_of_an_appeal_lie_in_one_day():
    appeal = launched(make_people(1))
    for wrong in (
        {"hours_from": time(20), "hours_until": time(8)},
        {"hours_from": time(9), "hours_until": None},
        {"hours_from": None, "hours_until": time(9)},
    ):
        with pytest.raises(IntegrityError, match="appeal_hours"), transaction.atomic():
            Appeal.objects.filter(pk=appeal.pk).update(**wrong)


def test_every_country_has_a_zone_that_postgresql_knows():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(now() AT TIME ZONE zone) FROM unnest(%s::text[]) zone", [list(hours.zones().values())]
        )
        assert cursor.fetchone()[0] == len(hours.zones()) > 200
    assert {hours.zones()[country] for country in ("SE", "UA", "ES")} == {
        "Europe/Stockholm",
        "Europe/Kyiv",
        "Europe/Madrid",
    }
