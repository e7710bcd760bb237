import csv
import io

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.exports import tells_what_people_signed
from campaigns.models import Audience, AudienceMember, Delivery, Return, ReturnedMessage, Segment
from supporters import consent
from supporters.exporting import listings
from supporters.exporting.listings import Asked
from supporters.models import Consent, Export, ImportRow, ImportRun
from tests.campaigns.test_appeals_results import make_people, sent_to
from tests.factories import make_donation, make_petition, make_signature, make_supporter

pytestmark = pytest.mark.django_db


def rows(client, address: str, columns: list[str]) -> list[dict]:
    answer = client.post(address, {"format": "csv", "reason": "For the board", "columns": columns})
    assert answer.status_code == 200, answer
    assert answer.streaming, answer.content.decode()
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))


def new(name: str, **query) -> str:
    return reverse("admin:supporters_export_new", args=[name], query=query)


def make_segment(**rules) -> Segment:
    return Segment.objects.create(name=f"Segment {Segment.objects.count()}", rules=rules)


SWEDES = {"match": "all", "rules": [{"field": "country", "op": "in", "value": ["SE"]}]}


def test_a_segment_goes_out_as_it_is_now_and_without_who_left(staff_client):
    segment = make_segment(**SWEDES)
    make_supporter(email="ann@mail.se", country="SE", consent=True)
    left = make_supporter(email="bo@mail.se", country="SE", consent=True)
    make_supporter(email="finn@mail.fi", country="FI", consent=True)
    consent.leave(left, method=Consent.Method.LINK)
    found = rows(staff_client, new("segment", segment=segment.pk), ["email"])
    assert [(row["email"], row["may_be_emailed"]) for row in found] == [("ann@mail.se", "yes")]
    log = Export.objects.get()
    assert log.what == f"Segment: {segment.name}"
    assert "Sweden" in log.filters


def test_the_pages_of_a_segment_lead_to_its_export(staff_client):
    segment = make_segment(**SWEDES)
    link = new("segment", segment=segment.pk)
    assert link in staff_client.get(reverse("admin:campaigns_segment_members", args=[segment.pk])).content.decode()
    action = reverse("admin:campaigns_segment_export_members", args=[segment.pk])
    assert action in staff_client.get(reverse("admin:campaigns_segment_change", args=[segment.pk])).content.decode()
    assert staff_client.get(action).url == link
    assert staff_client.get(link).status_code == 200


def test_what_people_signed_goes_out_only_by_who_may(client, django_user_model):
    signed = {"field": "signed", "op": "has", "value": []}
    open_one, telling = make_segment(**SWEDES), make_segment(match="any", rules=[SWEDES, signed])
    within = make_segment(match="all", rules=[{"field": "segment", "op": "has", "value": [telling.pk]}])
    assert not tells_what_people_signed(open_one.rules)
    assert tells_what_people_signed(telling.rules)
    assert tells_what_people_signed(within.rules)
    for role, answers in (("Fundraiser", [200, 403, 403]), ("Data manager", [200, 200, 200])):
        user = django_user_model.objects.create_user(role, password="x", is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        client.force_login(user)
        found = [client.get(new("segment", segment=one.pk)).status_code for one in (open_one, telling, within)]
        assert found == answers, role


def test_the_file_of_a_segment_that_is_gone_is_still_only_for_who_may_know_what_people_signed(django_user_model):
    people = {}
    for role in ("Fundraiser", "Data manager"):
        people[role] = django_user_model.objects.create_user(role, password="x", is_staff=True)
        people[role].groups.add(Group.objects.get(name=role))
    segment = make_segment(field="signed", op="has", value=[])
    query = f"segment={segment.pk}"
    segment.delete()
    may = {role: listings.get("segment").may(Asked(query, user)) for role, user in people.items()}
    assert may == {"Fundraiser": False, "Data manager": True}


def test_a_segment_within_itself_ends():
    segment = make_segment()
    Segment.objects.update(
        rules={"match": "all", "rules": [{"field": "segment", "op": "has", "value": [segment.pk]}]}
    )
    segment.refresh_from_db()
    assert not tells_what_people_signed(segment.rules)


def test_deliveries_of_an_appeal(staff_client):
    (one,) = make_people(1)
    appeal = sent_to([one], name="Spring")
    sent_to(make_people(1), name="Autumn")
    address = reverse("admin:campaigns_delivery_export", query={"appeal__id__exact": appeal.pk})
    found = rows(staff_client, address, ["appeal", "email", "state", "sent_at"])
    assert [(row["appeal"], row["email"], row["state"]) for row in found] == [("Spring", one.email, "sent")]
    assert Export.objects.get().filters == "appeal: Spring"


def test_returned_mail(staff_client):
    person = make_supporter(email="ann@mail.se")
    message = ReturnedMessage.objects.create(channel="mailbox", digest=b"1")
    Return.objects.create(message=message, kind="hard", reason="no_such_address", supporter=person, said="=no")
    (row,) = rows(staff_client, reverse("admin:campaigns_return_export"), ["email", "kind", "said"])
    assert (row["email"], row["kind"], row["said"]) == ("ann@mail.se", "hard", "'=no")
    assert not Export.objects.get().traced


def test_differences_in_mailchimp(staff_client):
    audience = Audience.objects.create(name="News", list_id="a1")
    for number, differs in enumerate((["status", "tags"], [])):
        AudienceMember.objects.create(
            audience=audience,
            supporter=make_supporter(email=f"p{number}@mail.se"),
            subscriber_hash=str(number) * 32,
            status="subscribed",
            differs=differs,
        )
    address = reverse("admin:campaigns_audiencemember_export", query={"differs": "yes"})
    (row,) = rows(staff_client, address, ["audience", "email", "differs"])
    assert (row["audience"], row["email"], row["differs"]) == ("News", "p0@mail.se", "status, tags")


def test_every_list_and_report_has_its_page_and_all_its_columns(staff_client):
    appeal = sent_to(make_people(1))
    petition = make_petition()
    make_signature(petition, state="validated", validated_at="2026-05-06T12:00Z", country="SE")
    make_donation()
    run = ImportRun.objects.create(kind="supporters", file_name="a.csv", mapping={"columns": [{"name": "email"}]})
    ImportRow.objects.create(run=run, number=2, values=["=ann"], reason="no address")
    of = {
        "segment": {"segment": make_segment().pk},
        "appeal-results": {"appeal": appeal.pk},
        "petition-totals": {"petition": petition.pk},
        "refused-rows": {"run": run.pk},
    }
    filled = set()
    for listing in listings.every():
        if listing.allowed:
            continue  # it is of who logs in for a partner
        link = new(listing.name, **of.get(listing.name, {}))
        columns = [box["column"].name for box in staff_client.get(link).context["form"].boxes()]
        found = rows(staff_client, link, columns)
        assert all(list(row) == columns for row in found)
        filled |= {listing.name} if found else set()
    assert filled >= {*of, "supporters", "donations", "signatures", "deliveries", "giving"}


def test_what_is_not_there_is_not_found(staff_client):
    for name in ("segment", "appeal-results", "petition-totals", "nothing"):
        assert staff_client.get(new(name)).status_code == 404
    assert staff_client.get(new("giving", year=5)).status_code == 404


def test_deliveries_take_as_many_queries_for_three_as_for_one(staff_client):
    sent_to(make_people(1))
    address = reverse("admin:campaigns_delivery_export")
    columns = ["appeal", "email", "state"]
    rows(staff_client, address, columns)
    with CaptureQueriesContext(connection) as one:
        assert len(rows(staff_client, address, columns)) == 1
    sent_to(make_people(1))
    with CaptureQueriesContext(connection) as three:
        assert len(rows(staff_client, address, columns)) == 3
    assert len(one) == len(three)
    assert Delivery.objects.count() == 3
    assert listings.get("deliveries").may(Asked(""))
