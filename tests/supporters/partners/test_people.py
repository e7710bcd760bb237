import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm import erasure
from supporters import consent, preferences
from supporters.exporting import making
from supporters.exporting.listings import Asked, NothingThere, get
from supporters.merging import joining
from supporters.models import Consent, Export, Handover, PartnerEvent, Purpose, Suppression
from supporters.partners import people
from supporters.partners.views import own
from tests.factories import make_consent, make_supporter
from tests.supporters.partners.conftest import allow, grant, make_member

pytestmark = pytest.mark.django_db
PEOPLE, LEFT, FILES = "/partners/people/", "/partners/people/left/", "/partners/files/"
NEW = "/partners/files/new/partner-people/"


def take(client, path=NEW, **fields):
    answer = client.post(path, {"format": "csv", "reason": "Our newsletter", **fields})
    assert answer.status_code == 200, answer.status_code
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))


def withdraw(supporter, organisation, **fields):
    return consent.withdraw(supporter, Purpose.PARTNER, organisation=organisation, method="link", **fields)


def listed(client) -> set[str]:
    return {row["grant"].supporter.email for row in client.get(PEOPLE).context["rows"]}


# Who is there -----------------------------------------------------------------------------------


def test_only_those_who_allowed_this_partner_are_there(ida_client, aurora, borealis):
    allow(aurora, email="eva@mail.se")
    allow(borealis, email="finn@mail.fi")
    make_supporter(email="gro@mail.no", consent=True)
    asked = make_supporter(email="hal@mail.dk")
    grant(asked, aurora, "requested")
    assert listed(ida_client) == {"eva@mail.se"}


def test_the_latest_line_decides(ida_client, aurora):
    eva = allow(aurora, email="eva@mail.se")
    withdraw(eva, aurora)
    assert listed(ida_client) == set()
    grant(eva, aurora)
    assert listed(ida_client) == {"eva@mail.se"}
    assert len(ida_client.get(PEOPLE).context["rows"]) == 1
    moment = timezone.now()
    finn = allow(aurora, email="finn@mail.fi", first_name="Finn")
    grant(finn, aurora, happened_at=moment)
    withdraw(finn, aurora, happened_at=timezone.now())
    assert listed(ida_client) == {"eva@mail.se"}


def test_of_two_lines_of_one_moment_the_careful_one_decides(ida_client, aurora):
    moment = timezone.now() - timedelta(days=1)
    eva = make_supporter(email="eva@mail.se")
    make_consent(eva, "withdrawn", purpose="partner", organisation=aurora, happened_at=moment)
    grant(eva, aurora, happened_at=moment)
    assert listed(ida_client) == set()


def test_who_takes_it_back_on_their_page_is_gone_at_once(ida_client, aurora):
    eva = allow(aurora, email="eva@mail.se")
    preferences.choose(eva.uuid, ())
    assert listed(ida_client) == set()


@pytest.mark.parametrize(
    ("reason", "there"),
    [("by_hand", False), ("never", False), ("hard_bounce", False), ("complaint", False), ("left", True)],
)
def test_addresses_that_nobody_may_write_to_are_not_handed_out(ida_client, aurora, reason, there):
    allow(aurora, email="eva@mail.se")
    consent.suppress("eva@mail.se", Suppression.Reason(reason))
    assert bool(listed(ida_client)) == there
    assert bool(take(ida_client)) == there


def test_pages_go_on_where_the_last_one_ended(ida_client, aurora, monkeypatch):
    monkeypatch.setattr(own, "PAGE", 2)
    emails = [allow(aurora, email=f"p{number}@mail.se").email for number in range(5)]
    seen, path = [], PEOPLE
    while path:
        context = ida_client.get(path).context
        seen += [row["grant"].supporter.email for row in context["rows"]]
        path = f"{PEOPLE}?before={context['next']}" if context["next"] else None
    assert seen == emails[::-1]
    for before in ("x", "-1", "99999999999999999999", "0"):
        assert ida_client.get(f"{PEOPLE}?before={before}").status_code == 200


def test_the_list_takes_as_many_queries_for_many(ida_client, aurora, django_assert_max_num_queries):
    ida_client.get(PEOPLE)
    counts = []
    for _round in range(3):
        allow(aurora)
        with django_assert_max_num_queries(12) as queries:
            ida_client.get(PEOPLE)
        counts.append(len(queries))
    assert len(set(counts)) == 1


def test_the_newest_are_found_by_an_index(aurora):
    allow(aurora)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        sql, params = people.standing(aurora)[:50].query.sql_with_params()
        cursor.execute(f"EXPLAIN {sql}", params)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "consent_to_partner" in plan
    assert "consent_of_partner" in plan


# Files ------------------------------------------------------------------------------------------


def test_a_file_has_what_they_agreed_to_and_nothing_more(ida_client, ida, aurora):
    allow(
        aurora,
        first_name="Eva",
        last_name="=1+1",
        email="eva@mail.se",
        country="SE",
        phone="+46701234567",
        city="Lund",
    )
    rows = take(ida_client)
    agreed = Consent.objects.get()
    assert list(rows[0]) == ["first_name", "last_name", "email", "country", "language", "agreed_at", "wording"]
    assert rows[0]["last_name"] == "'=1+1"
    assert (rows[0]["email"], rows[0]["wording"], rows[0]["language"]) == ("eva@mail.se", agreed.wording, "en")
    assert "Lund" not in str(rows)
    export = Export.objects.get()
    assert (export.by, export.reason, export.rows, export.people) == (ida.user, "Our newsletter", 1, True)


@pytest.mark.parametrize("fields", [{"reason": ""}, {"reason": "   "}, {"format": "json"}, {"format": ""}])
def test_without_a_reason_nothing_leaves(ida_client, aurora, fields):
    allow(aurora)
    answer = ida_client.post(NEW, {"format": "csv", "reason": "Our newsletter", **fields})
    assert answer.status_code == 422
    assert not Export.objects.exists()
    assert not Handover.objects.exists()


def test_asking_for_the_page_takes_nothing(ida_client, aurora):
    allow(aurora)
    assert ida_client.get(NEW).status_code == 200
    assert not Export.objects.exists()


def test_a_long_list_is_made_by_a_worker_and_fetched_by_who_asked(ida_client, ida, aurora, client, settings):
    settings.EXPORT_AT_ONCE = 1
    for number in range(3):
        allow(aurora, email=f"p{number}@mail.se")
    assert ida_client.post(NEW, {"format": "xlsx", "reason": "x"})["Location"] == f"/en{FILES}"
    export = Export.objects.get()
    assert export.state == "queued"
    assert "It is being made." in ida_client.get(FILES).text
    assert "Look again" in ida_client.get(FILES).text
    withdraw(export_person("p1@mail.se"), aurora)  # before the worker comes to it
    making.work(export.pk)
    export.refresh_from_db()
    assert (export.state, export.rows) == ("done", 2)
    assert set(Handover.objects.values_list("email", flat=True)) == {"p0@mail.se", "p2@mail.se"}
    answer = ida_client.get(f"{FILES}{export.pk}/")
    assert answer.getvalue()[:2] == b"PK"
    other = make_member(aurora, "ivo@aurora.example")
    client.force_login(other.user)
    assert client.get(f"{FILES}{export.pk}/").status_code == 404
    assert "p0@mail.se" not in client.get(FILES).text
    assert "ida@aurora.example" in client.get(FILES).text


def export_person(email):
    from supporters.models import Supporter

    return Supporter.objects.get(email=email)


def test_who_was_disabled_gets_no_file_any_more(ida_client, ida, aurora, staff, settings):
    from supporters.partners import members

    settings.EXPORT_AT_ONCE = 0
    allow(aurora)
    ida_client.post(NEW, {"format": "csv", "reason": "x"})
    export = Export.objects.get()
    ida.user.is_active = False
    ida.user.save()
    making.work(export.pk)
    export.refresh_from_db()
    assert export.state == "failed"
    ida.user.is_active = True
    ida.user.save()
    ida_client.force_login(ida.user)
    ida_client.post(NEW, {"format": "csv", "reason": "x"})
    export = Export.objects.latest("pk")
    making.work(export.pk)
    members.disable(ida, staff)
    export.refresh_from_db()
    assert (export.state, export.parts.count()) == ("cancelled", 0)


def test_staff_see_every_export_and_have_no_way_to_a_partners_file(staff_client, ida, aurora, settings):
    settings.EXPORT_AT_ONCE = 0
    allow(aurora)
    listing, asked = get("partner-people"), Asked("", ida.user)
    export = making.ask(listing, asked, listing.extent(asked), columns=[], format="csv", reason="Our newsletter")
    making.work(export.pk)
    seen = staff_client.get("/admin/supporters/export/").text
    assert "Our newsletter" in seen
    assert "ida@aurora.example" in seen
    assert staff_client.get(f"/admin/supporters/export/{export.pk}/file/").status_code == 403
    assert staff_client.get("/admin/supporters/export/new/partner-people/").status_code == 403


# Nobody else's ----------------------------------------------------------------------------------


def test_no_address_leads_to_what_is_anothers(ida_client, aurora, borealis, bo, client, settings):
    settings.EXPORT_AT_ONCE = 0
    finn = allow(borealis, email="finn@mail.fi", first_name="Finn")
    listing, asked = get("partner-people"), Asked("", bo.user)
    export = making.ask(listing, asked, listing.extent(asked), columns=[], format="csv", reason="Their newsletter")
    making.work(export.pk)
    withdraw(finn, borealis)
    handover = Handover.objects.get()
    line = Consent.objects.latest("pk")
    others = f"organisation={borealis.pk}&partner={bo.pk}&by={bo.user_id}&via=borealis&before={line.pk + 1}"
    for path in ("/partners/", PEOPLE, LEFT, FILES, NEW, "/partners/files/new/partner-left/"):
        text = ida_client.get(f"{path}?{others}").text
        assert "finn" not in text.lower()
        assert "Their newsletter" not in text
        assert "bo@borealis" not in text
        assert "Borealis" not in text
    assert ida_client.get(f"{FILES}{export.pk}/").status_code == 404
    ida_client.post(LEFT, {"which": [handover.pk]})
    assert Handover.objects.filter(pk=handover.pk).exists()
    settings.EXPORT_AT_ONCE = 10
    for name in ("partner-people", "partner-left"):
        assert take(ida_client, f"/partners/files/new/{name}/?{others}", organisation=borealis.pk) == []
    for name in ("supporters", "signatures", "nothing"):
        assert ida_client.get(f"/partners/files/new/{name}/").status_code == 404


def test_a_listing_of_partners_is_nobodys_without_a_login(staff, aurora):
    allow(aurora)
    listing = get("partner-people")
    for asked in (Asked("", staff), Asked(f"organisation={aurora.pk}", staff), Asked("", None)):
        assert not listing.may(asked)
        with pytest.raises(NothingThere):
            listing.extent(asked)


@pytest.mark.parametrize("path", ["/partners/", PEOPLE, LEFT, FILES, NEW, f"{FILES}1/", "/partners/petitions/x/"])
def test_without_a_login_there_is_only_the_door(client, path):
    for answer in (client.get(path), client.post(path)):
        assert (answer.status_code, answer["Location"]) == (302, "/en/partners/login/")


@pytest.mark.parametrize("path", ["/partners/", PEOPLE, LEFT, FILES, NEW])
def test_pages_with_people_are_kept_by_nobody_and_framed_by_nobody(ida_client, path):
    answer = ida_client.get(path)
    assert answer["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert "unsafe-inline" not in answer["Content-Security-Policy"]


# Who left ---------------------------------------------------------------------------------------


def test_who_leaves_after_an_export_is_told_by_the_address_that_was_handed_out(ida_client, aurora):
    eva, finn = allow(aurora, email="eva@mail.se"), allow(aurora, email="finn@mail.fi")
    take(ida_client)
    gro = allow(aurora, email="gro@mail.no")
    for each in (eva, gro):  # she was in no file
        withdraw(each, aurora)
    type(eva).objects.filter(pk=eva.pk).update(email="eva.new@mail.se")
    text = ida_client.get(LEFT).text
    assert "eva@mail.se" in text
    assert "eva.new@mail.se" not in text
    assert "They have another address now" not in text
    assert "gro@mail.no" not in text
    assert finn.email not in text
    assert "no longer allows you to write" in ida_client.get("/partners/").text
    assert [row["email"] for row in take(ida_client, "/partners/files/new/partner-left/")] == ["eva@mail.se"]


def test_who_has_another_address_by_now_is_told_too_and_stays_on_the_list(ida_client, aurora):
    eva = allow(aurora, email="eva@mail.se")
    take(ida_client)
    type(eva).objects.filter(pk=eva.pk).update(email="eva.new@mail.se")
    text = ida_client.get(LEFT).text
    assert "eva@mail.se" in text
    assert "They have another address now" in text
    assert [row["email"] for row in take(ida_client)] == ["eva.new@mail.se"]
    assert "no longer allows you to write" in ida_client.get("/partners/").text
    ida_client.post(LEFT, {"which": [row["pk"] for row in ida_client.get(LEFT).context["rows"]]})
    assert "no longer allows you to write" not in ida_client.get("/partners/").text
    assert list(Handover.objects.values_list("email", flat=True)) == ["eva.new@mail.se"]


def test_once_they_are_removed_there_we_forget_that_they_were_handed_out(ida_client, ida, aurora):
    eva, finn = allow(aurora, email="eva@mail.se"), allow(aurora, email="finn@mail.fi")
    take(ida_client)
    withdraw(eva, aurora)
    withdraw(finn, aurora)
    keys = [row["pk"] for row in ida_client.get(LEFT).context["rows"]]
    grant(finn, aurora)  # came back while the page was open
    answer = ida_client.post(LEFT, {"which": [*keys, "x", "0"]})
    assert answer["Location"] == f"/en{LEFT}?removed=1"
    assert list(Handover.objects.values_list("email", flat=True)) == ["finn@mail.fi"]
    event = PartnerEvent.objects.latest("pk")
    assert (event.kind, event.number, event.user) == ("removed", 1, ida.user)


def test_an_address_that_is_never_to_be_written_to_is_told_too(ida_client, aurora):
    allow(aurora, email="eva@mail.se")
    take(ida_client)
    consent.suppress("eva@mail.se", Suppression.Reason.BY_HAND)
    assert "eva@mail.se" in ida_client.get(LEFT).text


def test_a_second_file_hands_out_each_address_once(ida_client, aurora):
    eva = allow(aurora, email="eva@mail.se")
    take(ida_client)
    take(ida_client)
    handover = Handover.objects.get()
    assert (handover.supporter, handover.export) == (eva, Export.objects.latest("pk"))


def test_who_is_erased_leaves_no_address_but_the_partner_is_told(ida_client, aurora, borealis, bo):
    eva = allow(aurora, email="eva@mail.se")
    take(ida_client)
    erasure.erase(eva)
    assert not Handover.objects.exists()
    text = ida_client.get(LEFT).text
    assert "eva@mail.se" not in text
    assert "1 person whom you got was erased" in text
    event = PartnerEvent.objects.get(kind="erased")
    assert (event.organisation, event.user, event.number) == (aurora, None, 1)
    take(ida_client)
    assert "was erased" not in ida_client.get(LEFT).text
    ida_client.force_login(bo.user)
    assert "was erased" not in ida_client.get(LEFT).text


def test_a_list_of_many_looks_at_those_who_left_once_a_minute(ida_client, aurora):
    eva = allow(aurora, email="eva@mail.se")
    take(ida_client)
    assert people.how_many_left(aurora) == 0
    withdraw(eva, aurora)
    with CaptureQueriesContext(connection) as queries:
        ida_client.get("/partners/")
    assert not [query for query in queries if "handover" in query["sql"]]
    assert "eva@mail.se" in ida_client.get(LEFT).text  # the page itself looks each time


def test_merged_records_keep_both_addresses_that_were_handed_out(ida_client, aurora):
    eva, same = allow(aurora, email="eva@mail.se"), allow(aurora, email="eva.ek@mail.se")
    take(ida_client)
    joining.merge(eva.pk, same.pk)
    eva.refresh_from_db()
    withdraw(eva, aurora)
    text = ida_client.get(LEFT).text
    assert "eva@mail.se" in text
    assert "eva.ek@mail.se" in text
