import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal

import jsonschema
import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from campaigns.models import AppealLink, Audience, AudienceMember, Click, Delivery, Return, ReturnedMessage
from crm.disclosing import as_json, as_page, wording
from crm.personal import HOLDINGS
from supporters.importing import run as runs
from supporters.models import ImportRow, Pledge, Reference, Refund, Supporter, Suppression, Tag
from tests.campaigns.conftest import make_appeal, make_segment
from tests.factories import make_donation, make_organisation, make_pledge, make_signature, make_supporter

pytestmark = pytest.mark.django_db
PEOPLE = (
    "Donor number,First name,Last name,Email,Postcode\nD-9,Zeb,Quist,zeb@mail.se,111 22\nD-8,Bo,Ek,bo@mail.se,1\n"
)


@pytest.fixture
def zeb(staff):
    who = make_supporter(
        first_name="Zeb", last_name="Quist", email="zeb@mail.se", postcode="111 22", language="sv", consent=True
    )
    Reference.objects.create(supporter=who, system="donor", identifier="D-9")
    who.tags.add(Tag.objects.create(name="vip"))
    make_organisation(name="Amnesty").contacts.add(who)
    gift = make_donation(who, amount=Decimal("1000.50"), provider="stripe", provider_id="pi_1")
    Refund.objects.create(donation=gift, amount=Decimal("0.50"), refunded_on=date(2026, 5, 2))
    make_pledge(email="zeb@mail.se")
    make_signature(supporter=who, comment="Now!", state="validated", validated_at=timezone.now())
    run = runs.upload("supporters", "list.csv", [PEOPLE.encode()])
    ImportRow.objects.create(run=run, number=2, values=["D-9", "Zeb", "Quist", "", ""], reason="No.")
    appeal = make_appeal(segment=make_segment(who, name="Donors"), languages=("sv",), name="Spring")
    delivery = Delivery.objects.create(
        appeal=appeal, supporter=who, language="sv", state="bounced", sent_at=datetime(2026, 5, 1, 10, tzinfo=UTC)
    )
    Click.objects.create(link=AppealLink.objects.create(appeal=appeal, target="https://x.test/"), delivery=delivery)
    message = ReturnedMessage.objects.create(channel="mailbox", digest=b"1", raw="To: zeb@mail.se\n\nå".encode())
    Return.objects.create(message=message, kind="soft", reason="full", address="zeb@mail.se", supporter=who)
    audience = Audience.objects.create(name="News", list_id="abc")
    AudienceMember.objects.create(audience=audience, supporter=who, subscriber_hash="0" * 32, status="subscribed")
    return who


def handed_out(who) -> dict:
    return json.loads("".join(as_json.stream(who)))


def test_the_json_holds_everything_in_the_form_that_is_described(zeb, client):
    told = handed_out(zeb)
    form = client.get(reverse("crm:person_schema")).json()
    jsonschema.Draft202012Validator(form, format_checker=jsonschema.FormatChecker()).validate(told)
    assert list(told)[4:] == [*(holding.name for holding in HOLDINGS), "about"]
    assert list(told["about"]) == [holding.name for holding in HOLDINGS]
    assert told["about"]["clicks"]["kept"] == "90 dagar."  # in the language of the person
    assert (told["format"], told["version"], told["organisation"]) == ("lodestar-person", 1, "RealStars")
    assert {name: told["person"][name] for name in ("first_name", "email", "birth_date")} == {
        "first_name": "Zeb",
        "email": "zeb@mail.se",
        "birth_date": None,
    }
    assert told["references"] == [{"system": "donor", "identifier": "D-9"}]
    assert told["tags"] == [{"tag": "vip"}]
    assert told["contact_of"] == [{"organisation": "Amnesty", "function": ""}]
    (consent,) = told["consents"]
    assert (consent["state"], consent["wording"]) == ("granted", "Yes, write to me about the campaign.")
    (gift,) = told["donations"]
    assert (gift["amount"], gift["currency"], gift["received_on"], gift["provider_id"]) == (
        "1000.50",
        "SEK",
        "2026-05-01",
        "pi_1",
    )
    assert told["refunds"][0]["amount"] == "0.50"
    assert told["pledges"][0]["email"] == "zeb@mail.se"
    assert told["signatures"][0]["comment"] == "Now!"
    assert told["import_rows"][0]["values"][0] == "D-9"
    assert [(line["file"], line["row"], line["values"]["Email"]) for line in told["import_files"]] == [
        ("list.csv", 2, "zeb@mail.se")
    ]
    assert told["segments"] == [{"segment": "Donors"}]
    (delivery,) = told["deliveries"]
    assert (delivery["appeal"], delivery["subject"], delivery["sent_at"]) == (
        "Spring",
        "Hello {{ first_name }}",
        "2026-05-01T10:00:00Z",
    )
    assert told["clicks"][0]["link"] == "https://x.test/"
    assert told["returns"][0]["address"] == "zeb@mail.se"
    assert told["returned_messages"][0]["message"] == "To: zeb@mail.se\n\nå"
    assert told["mailchimp_memberships"][0]["audience"] == "News"


def test_what_is_held_of_somebody_else_is_not_told(zeb):
    other = make_supporter(first_name="Bo", last_name="Ek", email="bo@mail.se")
    told = handed_out(other)
    assert [line["row"] for line in told["import_files"]] == [3]
    text = json.dumps(told)
    assert "zeb" not in text.lower()
    assert all(told[holding.name] == [] for holding in HOLDINGS[1:] if holding.name != "import_files")


def test_a_suppressed_address_says_why(zeb):
    Suppression.objects.all().delete()
    from supporters import consent

    consent.suppress("zeb@mail.se", Suppression.Reason.COMPLAINT)
    assert [row["reason"] for row in handed_out(zeb)["suppressions"]] == ["complaint"]


def test_the_page_holds_the_same_in_words_and_nothing_of_ours(zeb):
    zeb.language = "en"
    page = "".join(as_page.stream(zeb))
    assert '<html lang="en" dir="ltr">' in page
    assert "<dt><bdi>Organisation</bdi></dt><dd><bdi>Amnesty</bdi></dd>" in page
    for text in (
        "Zeb",
        "zeb@mail.se",
        "Granted",
        "SEK\xa01,000.50",
        "Now!",
        "Spring",
        "https://x.test/",
    ):
        assert text in page
    assert "Disputes" not in page  # of what there is none, nothing is said
    assert str(zeb.uuid) not in page


def test_the_page_is_in_the_language_of_the_person(zeb):
    Pledge.objects.update(minor_units=120_050)
    Supporter.objects.update(country="SE")
    page = "".join(as_page.stream(zeb))
    assert '<html lang="sv" dir="ltr">' in page
    assert "Sverige" in page
    assert "1\xa0000,50\xa0kr" in page  # a gift
    assert "1\xa0200,50\xa0kr" in page  # and what was pledged, kept as öre
    assert "1 maj 2026" in page
    assert "svenska" in page
    zeb.language = "ar"
    assert '<html lang="ar" dir="rtl">' in "".join(as_page.stream(zeb))
    zeb.language = "ja"  # is none of ours
    page = "".join(as_page.stream(zeb))
    assert '<html lang="en" dir="ltr">' in page
    assert "SEK\xa01,000.50" in page


def test_words_for_staff_are_put_to_the_person():
    words = {words for words, _where in wording.every_word()}
    assert "How you asked" in words
    assert "How they asked" not in words
    assert not [each for each in words if re.search(r"\b(they|their|them|waits for you)\b", each, re.IGNORECASE)]


def test_hostile_text_stays_text_on_the_page(zeb):
    zeb.first_name = "<script>alert(1)</script>"
    zeb.save(update_fields=["first_name"])
    page = "".join(as_page.stream(zeb))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_many_rows_take_no_more_queries_than_one(zeb):
    with CaptureQueriesContext(connection) as one:
        handed_out(zeb)
    for _each in range(3):
        make_donation(zeb)
        make_signature(supporter=zeb)
    with CaptureQueriesContext(connection) as four:
        handed_out(zeb)
    assert len(four) == len(one)


def test_handing_out_asks_why_and_keeps_it(staff_client, staff, zeb):
    address = reverse("crm:disclose", args=[zeb.pk])
    assert "Be sure that it is they who ask" in staff_client.get(address).content.decode()
    assert staff_client.post(address, {"form": "json", "reason": " "}).status_code == 200
    assert not LogEntry.objects.exists()
    answer = staff_client.post(address, {"form": "json", "reason": "Asked by letter of 1 May, passport seen"})
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    told = json.loads(answer.getvalue())
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (staff, str(zeb.pk))
    assert entry.change_message == "All that is held was handed out as json: Asked by letter of 1 May, passport seen"
    assert [row["message"] for row in told["staff_log"]] == [entry.change_message]
    assert staff_client.post(address, {"form": "html", "reason": "x"}).getvalue().startswith(b"<!doctype html>")


@pytest.mark.parametrize(
    ("role", "allowed"), [("Viewer", False), ("Campaigner", False), ("Fundraiser", False), ("Data manager", True)]
)
def test_only_data_managers_hand_out(client, django_user_model, role, allowed, zeb):
    user = django_user_model.objects.create_user(role, password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    answer = client.post(reverse("crm:disclose", args=[zeb.pk]), {"form": "json", "reason": "asked"})
    assert answer.status_code == (200 if allowed else 403)
