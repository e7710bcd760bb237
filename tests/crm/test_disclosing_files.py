"""The file of a person that a worker makes."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from crm.disclosing import as_json, explaining, making, wording
from crm.erasure import erase
from crm.personal import HOLDINGS
from supporters import links, places
from supporters.importing import run as runs
from supporters.links import Link
from supporters.models import Disclosure
from tests.factories import make_donation, make_supporter

pytestmark = pytest.mark.django_db


@pytest.fixture
def much(monkeypatch):
    """More in stored files than is read while a person waits."""
    monkeypatch.setattr(making, "AT_ONCE", 10)
    runs.upload("supporters", "people.csv", [b"Name,Email\nZeb Quist,zeb@mail.se\nBo Ek,bo@mail.se"])


def asked(client, who, form="json"):
    return client.post(reverse("crm:disclose", args=[who.pk]), {"form": form, "reason": "They wrote."})


def content(answer) -> str:
    return b"".join(answer.streaming_content).decode()


def test_where_there_is_much_to_read_a_worker_makes_the_file(staff_client, staff, much, broker):
    who = make_supporter(email="zeb@mail.se", last_name="Quist")
    answer = asked(staff_client, who)
    made = Disclosure.objects.get()
    assert answer.url == reverse("admin:supporters_disclosure_change", args=[made.pk])
    assert (made.state, made.by, made.reason) == ("queued", staff, "They wrote.")
    assert "A worker makes it" in staff_client.get(answer.url).content.decode()
    file = reverse("crm:disclosure_file", args=[made.pk])
    assert staff_client.get(file).status_code == 404
    assert making.make_owed() == {"disclosed": 1, "expired": 0}
    assert "Save the file" in staff_client.get(answer.url).content.decode()
    told = json.loads(content(staff_client.get(file)))
    assert told["import_files"][0]["values"] == {"Name": "Zeb Quist", "Email": "zeb@mail.se"}
    assert making.make_owed() == {"disclosed": 0, "expired": 0}


def test_the_file_goes_after_a_day_and_with_the_person(staff_client, staff, much, broker):
    who = make_supporter()
    asked(staff_client, who)
    asked(staff_client, who, "html")
    making.make_owed()
    first, second = Disclosure.objects.order_by("pk")
    Disclosure.objects.filter(pk=first.pk).update(expires_at=timezone.now() - timedelta(minutes=1))
    assert staff_client.get(reverse("crm:disclosure_file", args=[first.pk])).status_code == 404
    assert making.make_owed() == {"disclosed": 0, "expired": 1}
    first.refresh_from_db()
    assert (first.state, first.content) == ("expired", None)
    assert "<html" in content(staff_client.get(reverse("crm:disclosure_file", args=[second.pk])))
    erase(who, staff)
    assert not Disclosure.objects.exists()


def test_a_file_that_can_not_be_made_says_so_and_keeps_back_no_other(staff_client, much, broker, monkeypatch):
    who = make_supporter()
    for _time in range(2):
        asked(staff_client, who)
    good, times = making.FORMS["json"], iter([True, False])

    def makes(supporter, language):
        if next(times):
            raise RuntimeError
        return good[2](supporter)

    monkeypatch.setitem(making.FORMS, "json", (*good[:2], makes))
    assert making.make_owed()["disclosed"] == 1
    assert list(Disclosure.objects.order_by("pk").values_list("state", flat=True)) == ["failed", "done"]


def test_what_they_gave_us_is_for_taking_elsewhere(staff_client, much):
    who = make_supporter(first_name="Zeb")
    make_donation(who)
    told = json.loads(content(asked(staff_client, who, "given")))
    assert told["format"] == "lodestar-person-given"
    given = {holding.name for holding in HOLDINGS if holding.given}
    assert set(told) == {"format", "version", "made_at", "organisation", "about"} | given
    assert set(told["about"]) == given
    assert told["person"]["first_name"] == "Zeb"
    assert len(told["donations"]) == 1
    assert "staff_log" not in told
    whole = json.loads("".join(as_json.stream(who)))
    assert {name: whole[name] for name in given} == {name: told[name] for name in given}


def test_only_who_may_hand_out_fetches_the_file(client, staff_client, much, broker, django_user_model):
    asked(staff_client, make_supporter())
    making.make_owed()
    made = Disclosure.objects.get()
    user = django_user_model.objects.create_user("f", password="x", is_staff=True)
    user.groups.add(Group.objects.get(name="Fundraiser"))
    client.force_login(user)
    assert client.get(reverse("crm:disclosure_file", args=[made.pk])).status_code == 403
    assert client.get(reverse("admin:supporters_disclosure_change", args=[made.pk])).status_code == 403


def own(who):
    return f"/sv/me/{links.dated_token(Link.PREFERENCES, who.uuid)}/data.json"


def test_what_people_gather_of_themselves_is_made_by_a_worker_where_it_is_much(client, much, broker):
    who = make_supporter(email="zeb@mail.se", last_name="Quist", language="sv")
    file = own(who)
    page = file.replace("data.json", "data/")
    answer = client.get(file)
    assert (answer.status_code, answer["Location"]) == (303, page)
    assert "<form" in client.get(page).content.decode()
    assert not Disclosure.objects.exists()
    for _time in range(2):
        assert client.post(page).status_code == 303
    made = Disclosure.objects.values_list("state", "by", "form", "language").order_by("pk")
    assert list(made) == [("queued", None, "html", "sv"), ("queued", None, "json", "sv")]
    assert "<form" not in client.get(page).content.decode()
    assert client.get(file).status_code == client.get(f"{page}read/").status_code == 303
    making.make_owed()
    assert file in (text := client.get(page).content.decode())
    assert f"{page}read/" in text
    answer = client.get(file)
    told = json.loads(content(answer))
    assert told["import_files"][0]["values"]["Name"] == "Zeb Quist"
    assert answer["Cache-Control"] == "no-store"
    with override("sv"):
        assert told["about"]["person"] == explaining.as_dict("person")
    read = content(client.get(f"{page}read/"))
    assert "Ann Quist" in read
    assert "Zeb Quist" in read  # as the file has it
    assert read.count("<html") == read.count("</html>") == 1
    assert client.post(page).status_code == 303
    assert Disclosure.objects.count() == 2
    assert (
        "<form" in client.get(page.replace("/sv/", "/ar/")).content.decode()
    )  # in another language it is another file
    Disclosure.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    assert client.get(file).status_code == client.get(f"{page}read/").status_code == 303


def test_what_is_little_is_sent_at_once(client, broker):
    who = make_supporter()
    file = own(who)
    assert client.get(file).status_code == 200
    page = file.replace("data.json", "data/")
    text = client.get(page).content.decode()
    assert file in text
    assert f'href="{page.replace("/sv/", "/ar/")}" lang="ar"' in text  # it can be read in another language, too
    assert not Disclosure.objects.exists()


@pytest.mark.parametrize("language", ["pl", "ar"])
def test_people_read_all_that_is_held_of_them_in_the_language_of_the_page(client, broker, language):
    who = make_supporter(first_name="Zeb", last_name="<b>Quist</b>", language="sv", country="SE")
    make_donation(who)
    answer = client.get(own(who).replace("/sv/", f"/{language}/").replace("data.json", "data/read/"))
    text = content(answer)
    assert f'<html lang="{language}"' in text
    with override(language):
        for words in (
            wording.title(HOLDINGS[0]),
            places.name_of("SE", language),
            explaining.explained("donations").purpose,
        ):
            assert words in text
    assert "&lt;b&gt;Quist" in text
    assert "<b>Quist" not in text
    assert text.count("<html") == text.count("</html>") == text.count("<h1") == 1
    assert (answer["Cache-Control"], answer["X-Robots-Tag"]) == ("no-store", "noindex")
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert "data-exit" in text
    assert str(who.uuid) not in text
    assert not Disclosure.objects.exists()


def test_what_is_told_in_json_is_in_the_language_of_the_page_whatever_the_browser_speaks(client, broker):
    who = make_supporter(language="de")
    told = json.loads(content(client.get(own(who), headers={"Accept-Language": "fi"})))
    with override("sv"):
        assert told["about"]["person"] == explaining.as_dict("person")


def test_a_link_that_opens_nothing_opens_no_data_either(client, much, broker):
    who = make_supporter()
    for token in ("x", links.token(Link.LEAVE, who.uuid), links.dated_token(Link.NEWS, who.uuid)):
        for file in ("data.json", "data/", "data/read/"):
            answer = client.get(f"/en/me/{token}/{file}")
            assert answer.status_code == 410
            assert 'action="/en/me/"' in answer.content.decode()  # which sends a new one
        assert client.post(f"/en/me/{token}/data/").status_code == 410
    assert not Disclosure.objects.exists()
