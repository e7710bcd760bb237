"""Partners' pages, and the page of all that is held of a person: what axe-core finds against WCAG 2.2 AA, and what it can't find."""

from datetime import date

import pytest
from django.core.cache import cache

from crm.disclosing import as_page
from supporters import consent, links
from supporters.links import Link
from supporters.models import Export, Handover, OrganisationSite, PartnerEvent, PetitionText, Purpose, SignatureCount
from supporters.partners import people
from tests.factories import make_donation, make_organisation, make_petition, make_signature, make_supporter
from tests.journeys.looking import FOCUS, LOOKS, complaints, examined, look
from tests.supporters.partners.conftest import PASSWORD, allow, make_member
from tests.supporters.tallying.batches import counted

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DOOR = ("login", "password", "password/asked", "password/{token}", "password/nonsense")
INSIDE = (
    "",
    "petitions/one-law",
    "people",
    "people/left",
    "files",
    "files/new/partner-people",
    "files/new/partner-left",
)
MISSING = {"password/nonsense": 410}
EMAIL = "ida@organisation-with-a-long-name.example"


@pytest.fixture
def ida(broker):
    """Somebody of a partner whose pages have something of all that they can show."""
    cache.clear()
    partner = make_organisation(name="Women’s Council of the Northern Regions", source_code="council")
    OrganisationSite.objects.create(organisation=partner, origin="https://www.organisation-with-a-long-name.example")
    law = make_petition(slug="one-law", goal=1000)
    for language, title in (("en", "One law for all of us"), ("ar", "قانون واحد للجميع")):
        PetitionText.objects.create(petition=law, language=language, title=title, body=title)
    for country, day, number in (("SE", "2026-09-01", 1_240), ("NO", "2026-09-09", 12), ("MT", "2026-09-20", 1)):
        SignatureCount.objects.create(
            petition=law, organisation=partner, country=country, day=date.fromisoformat(day), number=number
        )
    counted(petition=law, organisation=partner)
    ida = make_member(partner, EMAIL)
    stays = allow(partner, first_name="Eva", last_name="Lindqvist", email="eva.lindqvist@mail.se", country="SE")
    allow(partner, first_name="Małgorzata", email="malgorzata.wisniewska.dabrowska@poczta.przyklad.pl", country="PL")
    gone = allow(partner, first_name="Jan", last_name="Nowak", email="jan.nowak@mail.pl", country="PL")
    for state, reason in (("done", "Our newsletter in October"), ("queued", "For the meeting"), ("expired", "x")):
        export = Export.objects.create(
            **{
                "listing": people.PEOPLE,
                "what": "x",
                "columns": [],
                "format": "xlsx",
                "people": True,
                "traced": True,
            },
            **{"reason": reason, "by": ida.user, "state": state, "rows": 1_200, "expires_at": "2027-01-01T00:00Z"},
        )
    for person in (stays, gone):
        Handover.objects.create(organisation=partner, supporter=person, email=person.email, export=export)
    consent.withdraw(gone, Purpose.PARTNER, organisation=partner, method="link")
    PartnerEvent.objects.create(organisation=partner, kind="erased", number=1, happened_at="2100-01-01T00:00Z")
    return ida


@pytest.fixture
def inside(ida, visitor, client, live_server):
    """A page of hers, logged in."""
    client.force_login(ida.user)
    cookie = client.cookies["sessionid"].value
    visitor.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    return visitor


def opened(page, language, path):
    answer = page.goto(f"/{language}/partners/{path}/".replace("//", "/"))
    assert answer.status == MISSING.get(path, 200), path
    assert page.locator("html").get_attribute("dir") == ("rtl" if language == "ar" else "ltr")


@pytest.mark.parametrize("language", ["en", "ar"])
def test_axe_finds_nothing_at_the_door(visitor, ida, language):
    found = []
    token = links.dated_token(Link.PARTNER_PASSWORD, ida.key)
    for path in DOOR:
        opened(visitor, language, path.format(token=token))
        for width, scheme in LOOKS:
            found += examined(visitor, path, width, scheme)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_axe_finds_nothing_inside(inside, language):
    found = []
    for path in INSIDE:
        opened(inside, language, path)
        for details in inside.locator("main details > summary").all():
            details.click()
        for width, scheme in LOOKS:
            found += examined(inside, path, width, scheme)
    assert not found, "\n".join(found)


def test_what_is_wrong_is_said_at_its_field_and_stands_out(inside, ida):
    found = []
    inside.context.clear_cookies()
    token = links.dated_token(Link.PARTNER_PASSWORD, ida.key)
    for path in ("login", "password", f"password/{token}"):
        opened(inside, "en", path)
        inside.locator("main form button").click()
        _told_at_the_fields(inside)
        for width, scheme in LOOKS:
            found += examined(inside, f"{path} refused", width, scheme)
    opened(inside, "en", f"password/{token}")
    inside.locator("#id_password").fill("password123")
    inside.locator("#id_again").fill("password1234")
    inside.locator("main form button").click()
    _told_at_the_fields(inside)
    opened(inside, "en", "login")
    inside.locator("#id_email").fill(EMAIL)
    inside.locator("#id_password").fill("wrong")
    inside.keyboard.press("Enter")
    assert inside.locator("[role=alert]").inner_text()
    assert inside.locator("#id_email").input_value() == EMAIL
    assert not inside.locator("#id_password").input_value()
    assert not found, "\n".join(found)


def _told_at_the_fields(page):
    fields = page.locator(".wrong input").all()
    assert fields
    for field in fields:
        assert field.get_attribute("aria-invalid") == "true"
        for said in field.get_attribute("aria-describedby").split():
            assert page.locator(f"#{said}").inner_text()


@pytest.mark.parametrize("width", [320, 1280])
def test_one_gets_in_takes_a_file_and_out_by_keyboard_and_always_sees_where_one_is(visitor, ida, width):
    look(visitor, width, "light")
    visitor.emulate_media(reduced_motion="reduce")  # or the page is still on its way to the field
    opened(visitor, "en", "login")
    _to(visitor, "email")
    visitor.keyboard.type(EMAIL)
    _to(visitor, "password")
    visitor.keyboard.type(PASSWORD)
    with visitor.expect_navigation():
        visitor.keyboard.press("Enter")
    for name in ("People", "Get them as a file"):
        _to(visitor, name)
        with visitor.expect_navigation():
            visitor.keyboard.press("Enter")
    _to(visitor, "format")
    _to(visitor, "reason")
    visitor.keyboard.type("Our newsletter")
    with visitor.expect_download():
        visitor.keyboard.press("Enter")
    _to(visitor, "Log out")
    with visitor.expect_navigation():
        visitor.keyboard.press("Enter")
    assert visitor.locator("#id_password").is_visible()


def _to(page, name):
    """Tab to what bears this name; on the way and there, the focus is seen and nothing is too small to hit."""
    for _press in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            continue  # the browser's own bar has it
        here = page.evaluate(FOCUS)
        assert here["outline"] >= 2, here
        assert here["inside"], here
        assert not here["covered"], here
        assert here["height"] >= 24 or here["inline"], here
        if here["name"] == name:
            return
    raise AssertionError(name)


@pytest.mark.parametrize("language", ["en", "ar", "de"])
def test_the_page_of_all_that_is_held_is_readable_by_everybody(visitor, broker, language):
    person = make_supporter(
        first_name="Zeb", last_name="Quist", email="zeb@mail.se", country="SE", language=language, consent=True
    )
    make_donation(person)
    make_signature(supporter=person, comment="Now!", state="validated", validated_at="2026-01-01T00:00Z")
    visitor.set_content("".join(as_page.stream(person)))
    found = []
    for width in (320, 1280):
        found += examined(visitor, "held", width, "light")
    assert not found, "\n".join(found)
    assert complaints(visitor) == []
