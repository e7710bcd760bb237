"""Giving, in a browser: by card once and each month, coming back without paying, by Swish and by bank."""

import re

import pytest
from django.core.cache import cache

from supporters.models import Donation, Pledge, RecurringDonation
from supporters.payments import applying
from tests.factories import make_petition
from tests.standins.stripe import StripeStandIn

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SECRET = "whsec_0123456789abcdef"


@pytest.fixture(autouse=True)
def stripe(settings, broker, live_server):
    cache.clear()
    settings.SITE_URL = live_server.url
    settings.SWISH_NUMBER, settings.BANKGIRO = "1234679304", "9001223"
    settings.BANK_IBAN, settings.BANK_BIC = "SE4550000000058398257466", "ESSESESS"
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRETS = "sk_test_abc", (SECRET,)
    settings.ORGANISATION_NAME = "RealStars"
    with StripeStandIn(webhook_url=f"{live_server.url}/webhooks/stripe/", webhook_secret=SECRET) as stripe:
        settings.STRIPE_API_URL = stripe.url
        yield stripe


@pytest.fixture
def donor(visitor):
    """Somebody on the giving page, and what went wrong in the browser."""
    visitor.troubles = []
    visitor.on("console", lambda said: "Security Policy" in said.text and visitor.troubles.append(said.text))
    visitor.on("pageerror", lambda error: visitor.troubles.append(str(error)))
    visitor.set_viewport_size({"width": 320, "height": 700})
    visitor.goto("/en/give/?currency=SEK&source=spring")
    assert visitor.evaluate("document.documentElement.scrollWidth") <= 320
    return visitor


def fill(page, *choices):
    for label in choices:
        page.get_by_text(label, exact=True).click()
    page.get_by_role("textbox", name="First name").fill("Eva")
    page.get_by_role("textbox", name="Email").fill("eva@mail.se")
    page.get_by_role("button", name="Go on to the payment").click()


def heard(stripe):
    stripe.settle()
    assert {status for posting in stripe.postman.postings for status in posting.answers} == {200}
    applying.apply_owed()


def test_a_card_pays_once_and_only_stripe_s_word_counts(donor, stripe):
    fill(donor, "SEK 500", "Card or wallet")
    donor.wait_for_url(re.compile(re.escape(stripe.url)))
    donor.get_by_label("Card number").fill("4000 0000 0000 0002")
    donor.get_by_role("button", name="Pay").click()
    donor.get_by_text("Your card was declined.").wait_for()
    donor.get_by_label("Card number").fill("4242 4242 4242 4242")
    donor.get_by_role("button", name="Pay").click()
    donor.get_by_role("heading", name="We are waiting for the confirmation").wait_for()
    assert Donation.objects.count() == 0
    heard(stripe)
    donor.get_by_role("link", name="Look again").click()
    donor.get_by_role("heading", name="Your gift has come").wait_for()
    gift = Donation.objects.get()
    assert (str(gift), gift.source_code, gift.supporter.email) == ("500.00 SEK", "spring", "eva@mail.se")
    assert donor.troubles == []


def test_a_card_pays_each_month(donor, stripe):
    fill(donor, "Each month", "Another amount")
    donor.get_by_text("Please write an amount in figures").wait_for()
    donor.get_by_role("textbox", name="Your own amount").fill("150,50")
    donor.get_by_role("button", name="Go on to the payment").click()
    donor.get_by_text("150.50 SEK each month").wait_for()
    donor.get_by_role("button", name="Pay").click()
    donor.get_by_role("heading", name="We are waiting for the confirmation").wait_for()
    heard(stripe)
    assert str(RecurringDonation.objects.get()) == "150.50 SEK, Monthly"
    assert Donation.objects.get().recurring == RecurringDonation.objects.get()


def test_coming_back_without_paying_takes_nothing(donor, stripe):
    fill(donor, "SEK 100")
    donor.get_by_role("link", name="Back without paying").click()
    donor.get_by_role("heading", name="You came back without paying").wait_for()
    donor.get_by_role("link", name="Back to giving").click()
    donor.get_by_role("button", name="Go on to the payment").wait_for()
    assert (Pledge.objects.get().state, Donation.objects.count(), stripe.events) == ("waiting", 0, [])


@pytest.mark.parametrize("way", ["Swish", "Bank transfer"])
def test_numbers_and_a_reference_are_shown_for_other_ways(donor, way):
    fill(donor, "SEK 250", way)
    donor.get_by_role("heading", name="Pay SEK").wait_for()
    assert donor.get_by_text(Pledge.objects.get().reference, exact=True).count() == 1
    assert donor.locator(".code svg").count() == (way == "Swish")
    assert donor.evaluate("document.documentElement.scrollWidth") <= 320
    assert donor.troubles == []


def test_the_form_is_filled_in_by_keyboard_alone(donor):
    donor.get_by_label("Once").focus()
    donor.keyboard.press("Tab")
    donor.keyboard.press("ArrowRight")
    assert donor.locator("[name=amount]:checked").input_value() == "500"
    donor.keyboard.press("Tab")
    donor.keyboard.press("ArrowRight")
    assert donor.locator("[name=method]:checked").input_value() == "swish"


def test_the_buttons_of_a_petition_lead_here_without_scripts(chromium, live_server, stripe, monkeypatch, settings):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    settings.DONATE_URL = f"{live_server.url}/give/"
    settings.GIVING_AMOUNTS = {"SEK": (100, 250), "PLN": (50, 100)}
    make_petition(slug="one-law")
    context = chromium.new_context(base_url=live_server.url, java_script_enabled=False, locale="pl-PL")
    page = context.new_page()
    page.goto("/p/one-law/?source=stall")
    page.locator(".ask [value=month]").check()
    page.get_by_role("button", name="100 zł", exact=True).click()
    page.wait_for_url(re.compile(r"/pl/give/\?currency=PLN&source=stall&interval=month&amount=100$"))
    assert page.locator("[name=amount]:checked").input_value() == "100"
    assert page.locator("[name=interval]:checked").input_value() == "month"
    assert page.locator("[name=source]").input_value() == "stall"
    context.close()
