from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from campaigns.mail import readers, tracking
from campaigns.models import Appeal, AppealLink, Click, Delivery
from crm.erasure import erase
from tests.campaigns.conftest import make_appeal, make_people

pytestmark = pytest.mark.django_db
TARGET = "https://example.org/give?source=spring"


@pytest.fixture
def delivery():
    person = make_people(1)[0]
    return Delivery.objects.create(appeal=make_appeal([person]), supporter=person, language="en", state="sent")


@pytest.fixture
def link(delivery):
    return AppealLink.objects.create(appeal=delivery.appeal, target=TARGET)


def address(link, delivery):
    return f"/c/{link.code}/{readers.reader_token(delivery.uuid)}"


def longer_ago(seconds=3):
    Click.objects.update(last_at=timezone.now() - timedelta(seconds=seconds))


def test_a_click_leads_on_and_is_counted_once_per_link_and_message(client, link, delivery):
    for _time in range(2):
        answer = client.get(address(link, delivery))
        assert (answer.status_code, answer["Location"]) == (302, TARGET)
        longer_ago()
    click = Click.objects.get()
    assert (click.link, click.delivery, click.times) == (link, delivery, 2)
    assert click.first_at > click.last_at  # longer_ago moved it


def test_two_within_two_seconds_are_one(client, link, delivery):
    client.get(address(link, delivery))
    client.get(address(link, delivery))
    assert Click.objects.get().times == 1


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}, {"User-Agent": "Googlebot/2.1"}],
)
def test_what_looks_ahead_leads_on_and_counts_nothing(client, link, delivery, headers):
    assert client.get(address(link, delivery), headers=headers).status_code == 302
    assert client.head(address(link, delivery)).status_code == 302
    assert not Click.objects.exists()


def test_only_looking_is_allowed(client, link, delivery):
    assert client.post(address(link, delivery)).status_code == 405
    assert not Click.objects.exists()


def test_an_altered_address_is_a_plain_404(client, link, delivery):
    good = address(link, delivery)
    for bad in (
        good[:-1] + ("A" if good[-1] != "A" else "B"),
        good.replace(link.code, "x" * len(link.code)),
        f"/c/{link.code}/{'a' * 35}",
        f"/c/{link.code}/https://evil.example",
        f"{good}?url=https://evil.example"[: len(good) - 2],
    ):
        answer = client.get(bad)
        assert answer.status_code == 404
        assert "Location" not in answer
    assert "This link doesn" in client.get(f"/c/{link.code}/{'a' * 35}").text
    assert not Click.objects.exists()


def test_no_parameter_changes_where_a_link_leads(client, link, delivery):
    assert client.get(address(link, delivery), {"url": "https://evil.example", "target": "x"})["Location"] == TARGET


def test_a_link_counts_only_for_messages_of_its_own_appeal(client, link, delivery):
    other = AppealLink.objects.create(appeal=make_appeal(), target="https://example.org/other")
    assert client.get(address(other, delivery))["Location"] == "https://example.org/other"
    assert not Click.objects.exists()


def test_an_erased_persons_link_leads_on_and_counts_nothing(client, link, delivery, staff):
    client.get(address(link, delivery))
    assert Click.objects.count() == 1
    erase(delivery.supporter, staff)
    assert not Click.objects.exists()
    assert client.get(address(link, delivery))["Location"] == TARGET
    assert not Click.objects.exists()


@pytest.mark.parametrize("change", [{"count_clicks": False}, {"clicks_forgotten_at": "2026-01-01T00:00Z"}])
def test_nothing_is_counted_any_more_once_switched_off_or_forgotten(client, link, delivery, change):
    Appeal.objects.update(**change)
    assert client.get(address(link, delivery))["Location"] == TARGET
    assert not Click.objects.exists()


def test_the_answer_is_kept_by_nobody_and_tells_the_target_nothing(client, link, delivery):
    answer = client.get(address(link, delivery))
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "no-referrer"
    assert not answer.cookies


def test_a_reader_gets_there_even_when_nothing_can_be_recorded(client, link, delivery, settings):
    client.get(address(link, delivery))  # from now on this process knows the link
    settings.CACHES = {}
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    def no_database(execute, sql, params, many, context):
        from django.db import OperationalError

        raise OperationalError("the server is away")

    with connection.execute_wrapper(no_database):
        assert client.get(address(link, delivery))["Location"] == TARGET


def test_a_known_link_costs_one_statement(client, link, delivery, django_assert_num_queries):
    client.get(address(link, delivery))
    with django_assert_num_queries(1):
        client.get(address(link, delivery))


def test_the_picture_counts_opening_only_where_the_organisation_wants_it(client, delivery, settings):
    picture = AppealLink.objects.create(appeal=delivery.appeal, target=tracking.OPENING)
    answer = client.get(address(picture, delivery))
    assert (answer.status_code, answer["Content-Type"], answer.content[:6]) == (200, "image/gif", b"GIF89a")
    assert not Click.objects.exists()
    settings.COUNT_OPENS = True
    client.get(address(picture, delivery))
    assert Click.objects.get().link == picture
