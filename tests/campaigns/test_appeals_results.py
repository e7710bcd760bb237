"""What came of an appeal: counted right, and read without counting."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from campaigns import appeals
from campaigns.appeals import ledger, report, results, schedule
from campaigns.models import Appeal, AppealLink, AppealResult, Click, Delivery, DeliveryCount
from crm import retention
from crm.erasure import erase
from supporters import consent
from supporters.giving import refund
from supporters.models import Consent
from tests.campaigns.conftest import make_appeal, make_people
from tests.factories import make_donation, make_signature

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("broker")]


def recounted(appeal):
    """The slow way, for comparison."""
    rows = Delivery.objects.filter(appeal=appeal).values_list("language", "variant", "state")
    return dict(Counter(rows))


def launched(people, languages=("en", "sv"), **fields):
    appeal = make_appeal(people, languages=languages, **fields)
    schedule.send_now(appeal, send_anyway=True)
    appeals.tick()
    return Appeal.objects.get(pk=appeal.pk)


def sent_to(people, ago=timedelta(hours=3), **fields):
    """An appeal that these people have got."""
    appeal = launched(people, **fields)
    then = timezone.now() - ago
    Delivery.objects.filter(appeal=appeal).update(state="sent", sent_at=then)
    Appeal.objects.filter(pk=appeal.pk).update(state="sent", launched_at=then, finished_at=then)
    appeal.refresh_from_db()
    return appeal


def click(appeal, person, target="https://example.org/", after=timedelta(hours=1), last=None, times=1):
    """That this person's message was clicked so long after it was sent."""
    delivery = Delivery.objects.get(appeal=appeal, supporter=person)
    link, _made = AppealLink.objects.get_or_create(appeal=appeal, target=target)
    first_at = delivery.sent_at + after
    last_at = delivery.sent_at + last if last else first_at
    return Click.objects.create(link=link, delivery=delivery, first_at=first_at, last_at=last_at, times=times)


def total(appeal):
    results.refresh(appeal.pk)
    return report.of(appeal).total


# Outcomes ---------------------------------------------------------------------------------------


def test_outcomes_are_right_whoever_changes_them(server, staff):
    people = [*make_people(4, language="en"), *make_people(3, language="sv")]
    appeal = launched(people)
    assert results.outcomes(appeal.pk) == {("en", "", "queued"): 4, ("sv", "", "queued"): 3} == recounted(appeal)
    consent.leave(people[0], method=Consent.Method.LINK)
    appeals.work(appeal.pk)
    assert results.outcomes(appeal.pk) == recounted(appeal)
    results.put_together()
    assert results.outcomes(appeal.pk) == recounted(appeal)
    erase(people[2], staff)
    Delivery.objects.filter(supporter=people[5]).update(state="unknown")
    assert results.outcomes(appeal.pk) == recounted(appeal)
    ledger.send_again(list(Delivery.objects.filter(state="unknown").values_list("pk", flat=True)))
    Delivery.objects.filter(supporter=people[6]).delete()
    assert results.outcomes(appeal.pk) == recounted(appeal)
    results.put_together()
    assert DeliveryCount.objects.count() == len(recounted(appeal))


def test_what_is_rolled_back_was_never_counted():
    appeal = launched(make_people(2))
    before = results.outcomes(appeal.pk)
    with transaction.atomic():
        Delivery.objects.filter(appeal=appeal).update(state="sent")
        assert results.outcomes(appeal.pk) == {("en", "", "sent"): 2}
        transaction.set_rollback(True)
    assert results.outcomes(appeal.pk) == before


def test_a_statement_that_changes_no_state_leaves_nothing_behind():
    appeal = launched(make_people(3))
    results.put_together()
    number = DeliveryCount.objects.count()
    Delivery.objects.filter(appeal=appeal).update(claim=7)
    assert DeliveryCount.objects.count() == number


# Clicks -----------------------------------------------------------------------------------------


def test_people_who_click_are_counted_once_by_language():
    english, swedish = make_people(3, language="en"), make_people(2, language="sv")
    appeal = sent_to([*english, *swedish])
    click(appeal, english[0], times=3)
    click(appeal, english[0], "https://example.org/other", after=timedelta(hours=2))
    click(appeal, swedish[0])
    results.refresh(appeal.pk)
    rows = dict(report.of(appeal).by_language())
    assert (rows["en"].clicked, rows["en"].clicks, rows["en"].sent) == (1, 4, 3)
    assert (rows["sv"].clicked, rows["sv"].clicks, rows["sv"].sent) == (1, 1, 2)
    assert [(link.target, link.people, link.clicks) for link in report.links(appeal)] == [
        ("https://example.org/", 2, 4),
        ("https://example.org/other", 1, 1),
    ]
    assert [row for row in report.hours(appeal) if row[1]] == [(1, 2, 0)]
    assert len(report.hours(appeal)) == 48


@pytest.mark.parametrize("after", [timedelta(seconds=-2), timedelta(seconds=0), timedelta(seconds=4)])
def test_a_click_before_anybody_could_read_is_a_programs(after):
    person = make_people(1)[0]
    appeal = sent_to([person])
    click(appeal, person, after=after)
    figures = total(appeal)
    assert (figures.clicked, figures.clicks, figures.by_programs) == (0, 0, 1)


def test_a_program_that_was_early_does_not_hide_the_person_who_came_later():
    person = make_people(1)[0]
    appeal = sent_to([person])
    click(appeal, person, after=timedelta(seconds=1), last=timedelta(hours=1), times=2)
    click(appeal, person, "https://example.org/b", after=timedelta(seconds=1))
    figures = total(appeal)
    assert (figures.clicked, figures.clicks, figures.by_programs) == (1, 2, 0)


def test_who_follows_every_link_at_once_is_a_program():
    program, person = make_people(2)
    appeal = sent_to([program, person])
    for number in range(3):
        click(appeal, program, f"https://example.org/{number}", after=timedelta(hours=1, seconds=number))
        click(appeal, person, f"https://example.org/{number}", after=timedelta(hours=1, seconds=10 * number))
    figures = total(appeal)
    assert (figures.clicked, figures.clicks, figures.by_programs) == (1, 3, 1)


def test_opening_is_counted_apart():
    person = make_people(1)[0]
    appeal = sent_to([person])
    click(appeal, person, target="")
    figures = total(appeal)
    assert (figures.opened, figures.clicked, figures.clicks) == (1, 0, 0)
    assert report.links(appeal) == []


# Gifts, signatures, leaving ---------------------------------------------------------------------


def test_gifts_are_summed_exactly_by_currency_and_language():
    english, swedish = make_people(1, language="en")[0], make_people(1, language="sv")[0]
    appeal = sent_to([english, swedish], source_code="spring")
    for amount in ("0.10", "0.20"):
        make_donation(english, amount=Decimal(amount), source_code="spring")
    make_donation(swedish, amount=Decimal("500.00"), source_code="spring")
    make_donation(swedish, amount=Decimal("7.00"), currency="EUR", source_code="spring")
    make_donation(amount=Decimal("3.00"), source_code="spring")  # somebody to whom it was passed on
    make_donation(swedish, amount=Decimal("999.00"), source_code="other")
    make_donation(swedish, amount=Decimal("888.00"), source_code="spring", state="pending", received_on=None)
    results.refresh(appeal.pk)
    rows = dict(report.of(appeal).by_language())
    assert (rows["en"].gifts, rows["en"].income) == (2, {"SEK": Decimal("0.30")})
    assert (rows["sv"].gifts, rows["sv"].income) == (2, {"EUR": Decimal("7.00"), "SEK": Decimal("500.00")})
    assert (rows[""].gifts, rows[""].income) == (1, {"SEK": Decimal("3.00")})
    assert report.of(appeal).total.income == {"EUR": Decimal("7.00"), "SEK": Decimal("503.30")}


def test_what_was_given_back_is_taken_off():
    person = make_people(1)[0]
    appeal = sent_to([person], source_code="spring")
    part, whole = (make_donation(person, amount=Decimal("100.00"), source_code="spring") for _each in "ab")
    refund(part, Decimal("30.00"), date(2026, 5, 2))
    refund(whole, Decimal("100.00"), date(2026, 5, 2))
    figures = total(appeal)
    assert (figures.gifts, figures.income) == (1, {"SEK": Decimal("70.00")})


def test_only_validated_signatures_count():
    first, second = make_people(2, language="sv")
    appeal = sent_to([first, second], source_code="spring")
    make_signature(supporter=first, source_code="spring", state="validated", validated_at=timezone.now())
    make_signature(supporter=second, source_code="spring")
    make_signature(supporter=second, source_code="", state="validated", validated_at=timezone.now())
    assert total(appeal).signatures == 1


def test_who_left_through_the_message_is_counted_and_no_other(client):
    people = make_people(3)
    appeal = sent_to(people)
    from supporters.links import unsubscribe_token

    delivery = Delivery.objects.get(supporter=people[0])
    for _twice in range(2):
        client.post(reverse("campaigns:unsubscribe", args=[unsubscribe_token(delivery.uuid)]))
    consent.leave(people[1], method=Consent.Method.STAFF)
    consent.leave(people[2], method=Consent.Method.BOUNCE, source=f"appeal {appeal.source_code}")
    assert total(appeal).left == 1


def test_gifts_are_shown_by_the_hour_in_which_they_were_recorded():
    person = make_people(1)[0]
    appeal = sent_to([person], source_code="spring")
    make_donation(person, source_code="spring")
    results.refresh(appeal.pk)
    assert [row for row in report.hours(appeal) if row[2]] == [(3, 0, 1)]


# When -------------------------------------------------------------------------------------------


def counted(appeal, launched_ago, counted_ago):
    now = timezone.now()
    Appeal.objects.filter(pk=appeal.pk).update(launched_at=now - launched_ago, counted_at=now - counted_ago)
    results.refresh_due()
    return Appeal.objects.get(pk=appeal.pk).counted_at > now - timedelta(seconds=1)


def test_a_young_appeal_is_counted_each_minute_an_old_one_seldom():
    appeal = sent_to(make_people(1))
    assert counted(appeal, timedelta(hours=1), timedelta(seconds=61))
    assert not counted(appeal, timedelta(hours=1), timedelta(seconds=30))
    assert not counted(appeal, timedelta(days=10), timedelta(hours=2))
    assert counted(appeal, timedelta(days=10), timedelta(hours=3))


def test_a_draft_is_never_counted():
    appeal = make_appeal()
    assert results.refresh_due() == {"counted": 0}
    assert not results.refresh(appeal.pk)


@pytest.mark.parametrize("number", [1, 3])
def test_counting_costs_the_same_for_one_reader_and_for_three(number, django_assert_num_queries):
    people = make_people(number)
    appeal = sent_to(people, languages=["en"])
    for person in people:
        click(appeal, person)
        make_donation(person, source_code=appeal.source_code)
    results.refresh(appeal.pk)
    with django_assert_num_queries(19):
        results.refresh(appeal.pk)


def test_clicks_are_forgotten_after_ninety_days_and_their_sums_stay(staff_client):
    people = make_people(2)
    appeal = sent_to(people, ago=timedelta(days=91))
    click(appeal, people[0], times=2)
    young = sent_to(people)
    click(young, people[0])
    assert retention.apply() == {"clicks": 1}
    assert list(Click.objects.values_list("link__appeal", flat=True)) == [young.pk]
    make_donation(people[1], source_code=appeal.source_code)
    results.refresh(appeal.pk)
    figures = report.of(appeal).total
    assert (figures.clicked, figures.clicks, figures.gifts) == (1, 2, 1)
    assert retention.apply() == {}
    assert (report.links(appeal)[0].people, report.links(appeal)[0].clicks) == (1, 2)
    assert [row for row in report.hours(appeal) if row[1]] == [(1, 1, 0)]


def test_an_erased_persons_clicks_are_gone_from_the_sums_too(staff):
    people = make_people(2)
    appeal = sent_to(people)
    click(appeal, people[0])
    click(appeal, people[1])
    erase(people[0], staff)
    assert total(appeal).clicked == 1
    assert not Click.objects.filter(delivery__supporter=None).exists()


# The page ---------------------------------------------------------------------------------------


def page_of(client, appeal):
    return client.get(reverse("admin:campaigns_appeal_change", args=[appeal.pk]))


def test_the_page_shows_what_came_of_it(staff_client):
    people = make_people(4, language="sv")
    appeal = sent_to(people, source_code="spring")
    click(appeal, people[0])
    make_donation(people[0], amount=Decimal("250.00"), source_code="spring")
    results.refresh(appeal.pk)
    page = page_of(staff_client, appeal)
    shown = page.context["panel"]["results"]
    assert [(tile.label, tile.value, tile.text) for tile in shown["tiles"]] == [
        ("Sent", "4", "of 4"),
        ("People who clicked", "1", "25.0 %; 1 clicks"),
        ("Gifts", "1", "SEK250.00"),
        ("Signatures", "0", ""),
        ("Unsubscribed", "0", "0.0 %"),
        ("Bounced", "0", "0.0 %"),
        ("Complained", "0", "0.0 %"),
    ]
    assert [row["label"] for row in shown["languages"]] == ["Swedish"]
    assert "<svg" in page.text


def file_of(client, appeal) -> str:
    """Its results as csv, with every column that is offered."""
    link = f"{reverse('admin:supporters_export_new', args=['appeal-results'])}?appeal={appeal.pk}"
    boxes = client.get(link).context["form"].boxes()
    answer = client.post(link, {"format": "csv", "columns": [box["column"].name for box in boxes]})
    return answer.getvalue().decode("utf-8-sig")


def test_who_may_not_see_gifts_sees_none(client, django_user_model):
    person = make_people(1)[0]
    appeal = sent_to([person], source_code="spring", name="Spring")
    make_donation(person, amount=Decimal("250.00"), source_code="spring")
    results.refresh(appeal.pk)
    viewer = django_user_model.objects.create_user("viktor", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_appeal"))
    client.force_login(viewer)
    for answer in (page_of(client, appeal), client.get(reverse("admin:campaigns_appeal_changelist"))):
        assert answer.status_code == 200
        assert "250" not in answer.text.partition('id="content"')[2]
    file = file_of(client, appeal)
    assert "signatures" not in file
    assert "gifts" not in file
    assert "250" not in file


def test_the_file_holds_each_text_and_currency(staff_client):
    person = make_people(1, language="sv")[0]
    appeal = sent_to([person], source_code="spring")
    click(appeal, person)
    make_donation(person, amount=Decimal("250.00"), source_code="spring")
    make_donation(person, amount=Decimal("9.50"), currency="EUR", source_code="spring")
    results.refresh(appeal.pk)
    head, row = (line.split(",") for line in file_of(staff_client, appeal).splitlines())
    cells = dict(zip(head, row, strict=True))
    expected = {"language": "sv", "recipients": "1", "sent": "1", "clicked": "1", "gifts": "2"}
    assert {name: cells[name] for name in expected} == expected
    assert (cells["amount_EUR"], cells["amount_SEK"]) == ("9.50", "250.00")


def test_the_list_compares_appeals(staff_client):
    people = make_people(2)
    appeal = sent_to(people, source_code="spring", name="Spring")
    click(appeal, people[0])
    make_donation(people[0], amount=Decimal("250.00"), source_code="spring")
    results.refresh(appeal.pk)
    text = staff_client.get(reverse("admin:campaigns_appeal_changelist")).text
    assert "50.0 %" in text
    assert "1: SEK250.00" in text


def test_opening_the_page_reads_no_delivery_and_no_click(staff_client):
    appeal = sent_to(make_people(3))
    results.refresh(appeal.pk)
    page_of(staff_client, appeal)
    urls = [
        reverse("admin:campaigns_appeal_change", args=[appeal.pk]),
        reverse("admin:campaigns_appeal_progress", args=[appeal.pk]),
        reverse("admin:campaigns_appeal_changelist"),
    ]
    with CaptureQueriesContext(connection) as caught:
        for url in urls:
            assert staff_client.get(url).status_code == 200
    selects = [query["sql"] for query in caught if query["sql"].lstrip().upper().startswith("SELECT")]
    assert any("campaigns_deliverycount" in sql for sql in selects)
    with connection.cursor() as cursor:
        for sql in selects:
            cursor.execute(f"EXPLAIN {sql}")
            plan = "\n".join(line for (line,) in cursor.fetchall()) + " "
            for table in (
                "campaigns_delivery ",
                "campaigns_click ",
                "campaigns_segmentmember ",
                "supporters_donation ",
            ):
                assert f"on {table}" not in plan, sql


def test_counts_are_found_by_their_index():
    appeal = sent_to(make_people(1))
    DeliveryCount.objects.bulk_create(
        DeliveryCount(appeal_id=1_000_000 + number // 10, language="en", state="sent", number=1)
        for number in range(5000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE campaigns_deliverycount")
        cursor.execute("EXPLAIN SELECT sum(number) FROM campaigns_deliverycount WHERE appeal_id = %s", [appeal.pk])
        assert "Seq Scan" not in "\n".join(line for (line,) in cursor.fetchall())


def test_results_of_one_appeal_are_not_anothers():
    people = make_people(1)
    first, second = sent_to(people, source_code="one"), sent_to(people, source_code="two")
    click(first, people[0])
    make_donation(people[0], source_code="one")
    for appeal in (first, second):
        results.refresh(appeal.pk)
    assert (report.of(first).total.clicked, report.of(first).total.gifts) == (1, 1)
    assert (report.of(second).total.clicked, report.of(second).total.gifts) == (0, 0)
    assert report.totals([first.pk, second.pk])[first.pk].income == {"SEK": Decimal("100.00")}
    assert not AppealResult.objects.filter(appeal=second, clicked__gt=0).exists()
