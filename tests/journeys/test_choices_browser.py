"""What somebody chooses on their own page, in a browser: reached from the foot of an appeal by way of the inbox."""

import re

import pytest
from django.core.cache import cache

from campaigns import appeals, letters
from supporters import consent
from supporters.models import Supporter
from tests.campaigns.conftest import launched, server
from tests.factories import make_supporter

__all__ = ["server"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def eva(settings, broker, live_server):
    cache.clear()
    settings.SITE_URL = live_server.url
    settings.ORGANISATION_NAME = "RealStars"
    return make_supporter(
        first_name="Eva", last_name="Ek", email="eva@mail.se", country="SE", language="en", consent=True
    )


@pytest.fixture
def reader(visitor):
    """Somebody with a small phone, and what went wrong in the browser."""
    visitor.troubles = []
    visitor.on("console", lambda said: "Security Policy" in said.text and visitor.troubles.append(said.text))
    visitor.on("pageerror", lambda error: visitor.troubles.append(str(error)))
    visitor.set_viewport_size({"width": 320, "height": 700})
    yield visitor
    assert visitor.troubles == []


def letter(server, to, number=-1):
    letters.work(linger=0)
    return [mail for mail in server.mails if mail["To"].addresses[0].addr_spec == to][number]


def link_in(mail, part):
    text = mail.get_body(("plain",)).get_content()
    return re.search(rf"https?://\S*{part}\S*", text)[0]


def press(page, what, button):
    page.locator(f'form:has(input[name="what"][value="{what}"])').get_by_role("button", name=button).click()
    page.wait_for_url(f"**?done={what}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_from_the_foot_of_an_appeal_to_ones_own_choices(reader, server, eva):
    appeal = launched([eva])
    assert appeals.work(appeal.pk) == {"sent": 1}
    reader.goto(link_in(letter(server, eva.email), "/u/[^/]*/choices/"))
    reader.get_by_role("button", name="Send me the link").click()
    reader.get_by_role("heading", name="Open your inbox.").wait_for()
    reader.goto(link_in(letter(server, eva.email), "/me/[^/]{9}"))

    reader.get_by_label("At most once in four weeks").check()
    reader.get_by_label("Write to me discreetly").check()
    press(reader, "how", "Keep my choices")
    assert reader.get_by_label("At most once in four weeks").is_checked()
    assert reader.get_by_label("Write to me discreetly").is_checked()
    assert appeals.work(launched([eva]).pk) == {"skipped": 1}

    own = reader.url
    reader.get_by_label("New email address").fill("eva@home.se")
    press(reader, "move", "Ask the new address")
    to_new = letter(server, "eva@home.se")
    assert to_new["From"].addresses[0].display_name == "Info"
    reader.goto(link_in(to_new, "/me/address/"))
    reader.get_by_role("button", name="Yes, write to me here").click()
    reader.wait_for_url("**/me/address/done/")
    eva.refresh_from_db()
    assert eva.email == "eva@home.se"

    reader.goto(own)
    reader.locator("summary", has_text="Never write to me again").click()
    press(reader, "never", "Never write to me again")
    assert reader.get_by_label("Write to me discreetly").count() == 0
    assert set(consent.suppressions_of("eva@home.se").values_list("reason", flat=True)) == {"never"}
    assert not Supporter.objects.contactable().exists()


def test_a_stranger_to_us_says_never_again(reader, server, eva):
    reader.goto("/en/me/")
    reader.get_by_role("link", name="Never write to me again").click()
    reader.get_by_label("Email").fill("nobody@mail.se")
    reader.get_by_role("button", name="Send me the link").click()
    reader.get_by_role("heading", name="Open your inbox.").wait_for()
    reader.goto(link_in(letter(server, "nobody@mail.se"), "/never/"))
    assert reader.evaluate("document.documentElement.scrollWidth") <= 320
    reader.get_by_role("button", name="Never write to me again").click()
    reader.get_by_role("heading", name="We won't write to you again.").wait_for()
    assert consent.is_suppressed("nobody@mail.se")
    assert not consent.is_suppressed(eva.email)
