"""A partner's whole way, in a browser: invited, a password chosen, figures looked at, people taken away, one of them leaves."""

import csv
import re
from datetime import date

import pytest
from django.core.cache import cache

from campaigns.letters.partners import password as letter_of
from supporters import consent
from supporters.models import Export, Letter, PetitionText, Purpose, SignatureCount
from supporters.partners import members
from tests.factories import make_organisation, make_petition
from tests.supporters.partners.conftest import allow

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def aurora(visitor, live_server, broker, settings):
    cache.clear()
    settings.SITE_URL = live_server.url
    aurora = make_organisation(name="Aurora", source_code="aurora")
    law = make_petition(slug="one-law")
    PetitionText.objects.create(petition=law, language="en", title="One law for all of us", body="A common law.")
    for country, day, number in (("SE", "2026-09-01", 40), ("PL", "2026-09-09", 12), ("MT", "2026-09-20", 1)):
        SignatureCount.objects.create(
            petition=law, organisation=aurora, country=country, day=date.fromisoformat(day), number=number
        )
    return aurora


@pytest.fixture
def ida(visitor):
    visitor.troubles = []
    visitor.on("console", lambda said: "Security Policy" in said.text and visitor.troubles.append(said.text))
    visitor.on("pageerror", lambda error: visitor.troubles.append(str(error)))
    visitor.set_viewport_size({"width": 390, "height": 800})
    return visitor


def narrow(page):
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, page.url


def test_a_partners_way_from_the_invitation_to_who_left(ida, aurora, tmp_path):
    eva = allow(aurora, first_name="Eva", last_name="Ek", email="eva@mail.se", country="SE")
    allow(aurora, first_name="Jan", last_name="Nowak", email="jan@mail.pl", country="PL")
    members.invite(aurora, "ida@aurora.example", None)
    note = letter_of.write(Letter.objects.get())
    ida.goto(next(block.href for block in note.blocks if hasattr(block, "href")))
    narrow(ida)
    for name in ("New password", "The new password once more"):
        ida.get_by_label(name, exact=True).fill("a long enough password")
    ida.get_by_role("button", name="Set the password").click()
    ida.get_by_text("The password is set.").wait_for()
    narrow(ida)
    ida.get_by_label("Email").fill("ida@aurora.example")
    ida.get_by_label("Password").fill("a long enough password")
    ida.get_by_role("button", name="Log in").click()

    ida.get_by_role("heading", name="Signatures through Aurora").wait_for()
    narrow(ida)
    ida.get_by_role("link", name="One law for all of us").click()
    ida.get_by_role("heading", name="Week by week").wait_for()
    narrow(ida)
    text = ida.locator("main").inner_text()
    assert re.search(r"Sweden\s+40", text)
    assert "Malta" not in text
    assert ida.locator("svg rect").count() == 3

    ida.get_by_role("link", name="People").click()
    ida.get_by_text("eva@mail.se").wait_for()
    narrow(ida)
    ida.get_by_role("link", name="Get them as a file").click()
    ida.get_by_label("Format").select_option("csv")
    ida.get_by_label("What for").fill("Our newsletter in October")
    narrow(ida)
    with ida.expect_download() as download:
        ida.get_by_role("button", name="Get the file").click()
    download.value.save_as(tmp_path / "people.csv")
    with (tmp_path / "people.csv").open(encoding="utf-8-sig") as file:
        assert {row["email"] for row in csv.DictReader(file)} == {"eva@mail.se", "jan@mail.pl"}
    export = Export.objects.get()
    assert (export.by.username, export.rows, export.reason) == ("ida@aurora.example", 2, "Our newsletter in October")

    consent.withdraw(eva, Purpose.PARTNER, organisation=aurora, method="link")
    cache.clear()  # a minute later
    ida.get_by_role("link", name="Figures").click()
    ida.get_by_role("link", name="See who").click()
    ida.get_by_text("eva@mail.se").wait_for()
    narrow(ida)
    ida.get_by_role("button", name="These are removed").click()
    ida.get_by_text("1 person is removed").wait_for()
    ida.get_by_role("link", name="Files").click()
    ida.get_by_text("Our newsletter in October").wait_for()
    narrow(ida)
    ida.get_by_role("button", name="Log out").click()
    ida.get_by_role("heading", name="Log in for partners").wait_for()
    ida.goto("/partners/people/")
    assert ida.url.endswith("/partners/login/")
    assert ida.troubles == []
