"""The form in a page of another site, in a browser: signed there, with and without scripts, and by nobody who may not."""

import pytest
from django.core.cache import cache

from supporters.models import OrganisationSite, PetitionText, Signature
from tests.factories import make_organisation, make_petition
from tests.standins.partner_site import PartnerSite

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def aurora(live_server, broker, visitor):
    cache.clear()
    petition = make_petition(slug="one-law", target="the Commission", goal=100)
    for language, title in (("en", "One law"), ("pl", "Jedno prawo")):
        PetitionText.objects.create(petition=petition, language=language, title=title, body="A common law.")
    return make_organisation(name="Aurora", source_code="aurora")


@pytest.fixture
def site(aurora, live_server, staff_client, settings):
    """Aurora's own site, with the tag that the staff site says to copy."""
    settings.SITE_URL = live_server.url
    links = staff_client.get(f"/admin/supporters/organisation/{aurora.pk}/change/").context["links"]
    texts = {str(label): text for label, text in links[0]["texts"]}
    with PartnerSite(texts["Tag for its site"], texts["Frame"], language="pl") as site:
        OrganisationSite.objects.create(organisation=aurora, origin=site.url)
        yield site


@pytest.fixture
def reader(visitor):
    visitor.troubles = []
    visitor.on("console", lambda said: said.type == "error" and visitor.troubles.append(said.text))
    visitor.on("pageerror", lambda error: visitor.troubles.append(str(error)))
    visitor.set_viewport_size({"width": 390, "height": 800})
    return visitor


def fill(form):
    form.locator("#id_first_name").fill("Ewa")
    form.locator("#id_email").fill("ewa@mail.pl")
    form.locator("#id_country").select_option("PL")
    form.locator("#id_agree").check()
    form.locator("#id_partner_news").check()
    form.locator("form button").click()


def signed(form):
    form.locator("body.framed h1:not(:has(a))").wait_for()


def height(page):
    return page.evaluate("document.querySelector('iframe').getBoundingClientRect().height")


def test_somebody_signs_on_the_partners_own_site(reader, site, aurora):
    reader.goto(site.url)
    form = reader.frame_locator("iframe")
    form.get_by_role("heading", name="Jedno prawo").wait_for()
    frame = reader.locator("iframe")
    reader.wait_for_function("document.querySelector('iframe').title.startsWith('Jedno prawo')")
    assert frame.get_attribute("lang") == "pl"
    # As tall as what is in it: nothing scrolls within.
    assert height(reader) > 1000
    assert form.locator("html").evaluate("e => e.scrollHeight <= e.clientHeight && e.scrollWidth <= e.clientWidth")
    before = height(reader)
    form.locator("form button").click()  # nothing filled in
    form.locator(".error").first.wait_for()
    reader.wait_for_function(f"document.querySelector('iframe').getBoundingClientRect().height > {before}")
    fill(form)
    signed(form)
    reader.wait_for_function(f"document.querySelector('iframe').getBoundingClientRect().height < {before} / 2")
    assert reader.url == f"{site.url}/"
    signature = Signature.objects.get()
    assert (signature.organisation, signature.email, signature.language) == (aurora, "ewa@mail.pl", "pl")
    assert reader.context.cookies() == []
    assert [
        said for said in reader.troubles if "422" not in said and "favicon" not in said and "404" not in said
    ] == []


def test_a_frame_does_without_scripts(chromium, site, aurora):
    with chromium.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{site.url}/framed/")
        form = page.frame_locator("iframe")
        fill(form)
        signed(form)
    assert Signature.objects.get().organisation == aurora


def test_a_site_that_is_not_on_the_list_gets_no_form(reader, site, aurora):
    OrganisationSite.objects.update(origin="https://elsewhere.example")
    reader.goto(site.url)
    reader.wait_for_timeout(500)
    assert reader.frame_locator("iframe").locator("form").count() == 0
    assert any("frame-ancestors" in said for said in reader.troubles)


def test_the_frame_grows_at_no_word_but_ours(reader, site):
    reader.goto(site.url)
    reader.frame_locator("iframe").locator("form").wait_for()
    reader.wait_for_function("document.querySelector('iframe').title.startsWith('Jedno prawo')")
    before = height(reader)
    reader.evaluate("window.postMessage({lodestar: 'size', height: 5000}, '*')")
    reader.wait_for_timeout(200)
    assert height(reader) == before
    with reader.expect_event("framenavigated"):
        reader.evaluate("document.querySelector('iframe').src = '/framed/'")
    inside = reader.main_frame.child_frames[0]
    inside.wait_for_load_state()
    inside.evaluate("parent.postMessage({lodestar: 'size', height: 5000}, '*')")
    reader.wait_for_timeout(200)
    assert height(reader) == before, "nor at that of another page in the same frame"


def test_leaving_quickly_leaves_the_page_round_the_form_too(reader, site, settings, live_server):
    settings.QUICK_EXIT_URL = f"{live_server.url}/embed.js"  # somewhere that is there
    reader.goto(site.url)
    reader.frame_locator("iframe").locator("[data-exit]").click()
    reader.wait_for_url(settings.QUICK_EXIT_URL)
