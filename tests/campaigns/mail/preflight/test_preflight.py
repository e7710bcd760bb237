import re

import pytest

from campaigns.appeals import launching, schedule, texts
from campaigns.mail import preflight
from campaigns.models import Appeal, AppealVariant, Audience, Delivery
from tests.campaigns.conftest import make_appeal, make_people

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def production(settings, names):
    settings.PRODUCTION = True
    settings.SITE_URL = "https://crm.realstars.eu"


@pytest.fixture
def appeal():
    return make_appeal(make_people(1), sender_email="hej@realstars.se")


def due(appeal):
    schedule.send_now(appeal)
    return appeal


def test_an_appeal_of_a_sender_who_did_everything_goes_out(appeal):
    assert launching.launch(due(appeal).pk)
    assert Delivery.objects.count() == 1


def test_an_appeal_that_gmail_would_refuse_is_not_launched(appeal, names):
    due(appeal)
    del names.records["_dmarc.realstars.se"]
    assert not launching.launch(appeal.pk)
    appeal.refresh_from_db()
    assert appeal.state == Appeal.State.PAUSED
    assert "realstars.se has no DMARC record" in appeal.pause_reason
    assert not Delivery.objects.exists()


def test_it_can_not_be_scheduled_either(appeal, names, staff_client):
    names.records["realstars.se"] = ["v=spf1 -all"]
    page = staff_client.post(f"/admin/campaigns/appeal/{appeal.pk}/schedule/", {"now": "1"})
    assert "no server may send in its name" in page.text
    appeal.refresh_from_db()
    assert appeal.state == Appeal.State.DRAFT


def test_a_site_without_https_holds_it_up(appeal, settings):
    settings.SITE_URL = "http://crm.realstars.eu"
    assert any("https" in obstacle.message and obstacle.final for obstacle in texts.obstacles(appeal))


def test_a_name_server_that_is_away_holds_nothing_up(appeal, names, impatient):
    names.silent = {"realstars.se", "_dmarc.realstars.se", "spring._domainkey.realstars.se"}
    assert launching.launch(due(appeal).pk)


def test_a_cache_that_is_away_holds_nothing_up(appeal, settings):
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    preflight.look(appeal)
    assert preflight.refusals(appeal) == []


@pytest.mark.parametrize("field", ["sender_email", "reply_to"])
def test_an_address_that_no_message_can_carry_holds_it_up_everywhere(appeal, settings, field):
    settings.PRODUCTION = False
    setattr(appeal, field, "hej@[127.0.0.1]")
    assert [obstacle.message for obstacle in texts.obstacles(appeal) if obstacle.final] == [
        "hej@[127.0.0.1]: What stands behind the @ is no domain."
    ]


def test_obstacles_ask_nobody(appeal, names):
    texts.obstacles(appeal)
    assert names.asked == []


def test_nothing_is_asked_or_refused_outside_of_production(appeal, names, settings):
    settings.PRODUCTION = False
    settings.SITE_URL = "http://localhost:8000"
    names.records.clear()
    assert launching.launch(due(appeal).pk)
    assert names.asked == []


def test_the_page_says_what_is_wrong_and_what_to_publish(appeal, names, staff_client):
    del names.records["_dmarc.realstars.se"]
    page = staff_client.get(f"/admin/campaigns/appeal/{appeal.pk}/check/").text
    grades = re.findall(r'data-grade="(\w+)"', page)
    assert grades == sorted(grades, key=["refused", "warning", "unknown", "good"].index)
    assert grades.count("refused") == 1
    assert "<code>_dmarc.realstars.se</code>" in page
    assert "<code>v=DMARC1; p=none</code>" in page


def test_the_page_looks_at_every_wording(appeal, names, staff_client, django_assert_max_num_queries):
    from tests.campaigns.conftest import make_text

    for language in ("sv", "de"):
        make_text(appeal, language)
    AppealVariant.objects.create(appeal=appeal, language="sv", letter="B", body="[x](https://example.org/)")
    with django_assert_max_num_queries(12):
        page = staff_client.get(f"/admin/campaigns/appeal/{appeal.pk}/check/").text
    assert "<strong>Swedish · B</strong>" in page
    assert "https://example.org/ – this address is a placeholder." in page


def test_the_page_of_an_appeal_through_mailchimp_looks_at_its_texts(appeal, names, staff_client):
    audience = Audience.objects.create(name="RealStars", list_id="abc")
    Appeal.objects.update(channel="mailchimp", audience=audience)
    page = staff_client.get(f"/admin/campaigns/appeal/{appeal.pk}/check/").text
    assert "<strong>English</strong>" in page
    assert "<strong>SPF</strong>" not in page
    assert not names.asked


def test_the_page_is_not_for_everybody(appeal, client):
    assert client.get(f"/admin/campaigns/appeal/{appeal.pk}/check/").status_code == 302
