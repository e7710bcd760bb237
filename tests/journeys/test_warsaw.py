"""The whole story of one person: by phone, in Polish, by a partner's link or on its own site; signing, confirming, giving, choosing, leaving.

The letters are sent and the payments applied by a real worker; what stands in for the world outside is the mail server and Stripe.
"""

import re
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.core.management import call_command
from playwright.sync_api import expect

from supporters import consent
from supporters.models import (
    Consent,
    Donation,
    Letter,
    PaymentEvent,
    PetitionText,
    Pledge,
    Purpose,
    Signature,
    SignatureCount,
    Supporter,
    Suppression,
)
from supporters.partners import members
from tests.factories import make_organisation, make_petition
from tests.processes import Worker, wait_for
from tests.standins.mail import MailCatcher
from tests.standins.partner_site import PartnerSite
from tests.standins.stripe import StripeStandIn

pytestmark = [pytest.mark.browser, pytest.mark.workers, pytest.mark.django_db(transaction=True)]
SECRET = "whsec_0123456789abcdef"
ALL = {"SEK": (100, 250, 500), "EUR": (10, 25, 50), "PLN": (50, 100, 200)}


@pytest.fixture
def world(settings, live_server, broker):
    """A petition, the mail server, Stripe, and a worker that knows of them."""
    cache.clear()
    settings.SITE_URL = live_server.url
    settings.ORGANISATION_NAME = "RealStars"
    settings.DONATE_URL = f"{live_server.url}/give/"
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRETS = "sk_test_abc", (SECRET,)
    petition = make_petition(slug="one-law", title="One law", target="the Commission")
    PetitionText.objects.create(
        petition=petition, language="pl", title="Jedno prawo", target="Komisja Europejska", body="Wspólne **prawo**."
    )
    with (
        MailCatcher() as mail,
        StripeStandIn(webhook_url=f"{live_server.url}/webhooks/stripe/", webhook_secret=SECRET) as stripe,
    ):
        settings.STRIPE_API_URL = stripe.url
        environment = {
            "EMAIL_URL": mail.smtp_url,
            "SITE_URL": live_server.url,
            "ORGANISATION_NAME": "RealStars",
            "STRIPE_SECRET_KEY": "sk_test_abc",
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "STRIPE_API_URL": stripe.url,
        }
        with Worker(**environment) as worker:
            yield mail, stripe, worker


@pytest.fixture
def phone(chromium, live_server, monkeypatch):
    """A small one with a touch screen that speaks Polish, and what it asked of whom."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright runs a loop in this thread
    context = chromium.new_context(
        base_url=live_server.url,
        locale="pl-PL",
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
    )
    page = context.new_page()
    page.hosts, page.troubles = set(), []
    page.on("request", lambda request: page.hosts.add(urlsplit(request.url).netloc))
    page.on("console", lambda said: said.type == "error" and page.troubles.append((said.location["url"], said.text)))
    page.on("pageerror", lambda error: page.troubles.append((live_server.url, str(error))))
    yield page
    context.close()


@pytest.fixture
def partner(live_server):
    partner = make_organisation(name="La Strada", source_code="la-strada", country="PL")
    tag = f'<script src="{live_server.url}/embed.js" data-petition="one-law" data-via="la-strada" async></script>'
    with PartnerSite(tag, name="La Strada", language="pl") as site:
        partner.sites.create(origin=site.url)
        partner.address = site.url
        yield partner


@pytest.mark.parametrize(
    ("way", "currency", "button", "amount", "written"),
    [
        ("their link", "PLN", "100 zł", "100.00", "100,00 zł"),
        ("their own site", "EUR", "25 €", "25.00", "25,00 €"),
    ],
    ids=["by the partner's link, in zloty", "on the partner's site, in euro where zloty are off"],
)
def test_ewa_in_warsaw_signs_gives_chooses_and_leaves(
    client, phone, world, partner, settings, way, currency, button, amount, written
):
    mail, stripe, worker = world
    settings.GIVING_AMOUNTS = {code: amounts for code, amounts in ALL.items() if code in {"SEK", "EUR", currency}}
    other = make_organisation(name="Talita", source_code="talita", country="SE")
    log_in_for(client, partner)

    # The browser, or the site round the form, says in which language.
    if way == "their link":
        phone.goto("/p/one-law/?via=la-strada")
        form = phone
    else:
        phone.goto(partner.address)
        form = phone.frame_locator("iframe")
    expect(form.locator("html")).to_have_attribute("lang", "pl")
    fits(phone)
    expect(form.get_by_role("heading", level=1)).to_have_text("Jedno prawo")
    expect(form.locator(".progress strong")).to_have_text("0")
    form.locator("[name=first_name]").fill("Ewa")
    form.locator("[name=last_name]").fill("Wiśniewska")
    form.locator("[name=email]").fill("Ewa.Wisniewska@Mail.pl")
    form.locator("[name=country]").select_option("PL")
    assert form.locator("input[type=checkbox]:checked").count() == 0
    assert "La Strada" in form.locator("label[for=id_partner_news]").inner_text()
    for box in ("agree", "partner_news", "shown"):
        form.locator(f"[name={box}]").tap()
    form.locator("form[action='#sign'] button").tap()
    if way == "their link":
        phone.wait_for_url(re.compile(r"/pl/p/one-law/signed/"))
    else:
        form.locator("body.framed h1:not(:has(a))").wait_for()
    fits(phone)
    assert (Signature.objects.get().state, Supporter.objects.count(), Consent.objects.count()) == ("pending", 0, 0)

    # From the mail: looking does nothing, the button does.
    letter = letters_to_ewa(mail, 1)[-1]
    assert "Jedno prawo" in letter.text
    assert letter.header("Content-Language") == "pl"
    phone.goto(link_in(letter, "/pl/s/"))
    fits(phone)
    assert Signature.objects.get().state == "pending"
    phone.locator("main form button").tap()
    phone.wait_for_url(re.compile(r"/pl/p/one-law/thanks/"))
    fits(phone)
    ewa = Supporter.objects.get()
    expect(phone.locator(".progress strong")).to_have_text("1", timeout=30_000)

    assert "ewa.wisniewska@mail.pl" in client.get("/partners/people/").text

    # She gives, by a button of the thanks.
    phone.get_by_role("button", name=button, exact=True).tap()
    phone.wait_for_url(re.compile(r"/pl/give/"))
    fits(phone)
    assert phone.locator("[name=amount]:checked").input_value() == amount.removesuffix(".00")
    assert phone.locator("[name=interval]:checked").input_value() == "once"
    phone.locator("[name=first_name]").fill("Ewa")
    phone.locator("[name=email]").fill("ewa.wisniewska@mail.pl")
    phone.locator("[name=news]").tap()
    phone.locator("main form button[type=submit]").tap()
    phone.wait_for_url(re.compile(re.escape(stripe.url)))
    expect(phone.get_by_text(f"{amount} {currency}")).to_be_visible()
    phone.get_by_role("button", name="Pay").tap()
    phone.wait_for_url(re.compile(r"/pl/give/thanks/"))
    fits(phone)
    stripe.settle()
    wait_for(lambda: Donation.objects.filter(state="received").exists(), "the worker to book the gift")
    phone.reload()
    expect(phone.get_by_text(written)).to_be_visible()

    # The receipt asks whether the box for news was hers to tick.
    receipt = letters_to_ewa(mail, 2)[-1]
    assert written in receipt.text.replace("\u00a0", " ")
    assert consent.state_of(ewa, Purpose.EMAIL) == Consent.State.REQUESTED
    phone.goto(link_in(receipt, "/pl/give/news/"))
    fits(phone)
    phone.locator("main form button").tap()
    expect(phone.locator("main form")).to_have_count(0)
    assert consent.state_of(ewa, Purpose.EMAIL) == Consent.State.GRANTED

    # Her own page: she takes back what the partner may, and then everything.
    phone.goto("/pl/me/")
    phone.locator("[name=email]").fill("ewa.wisniewska@mail.pl")
    phone.locator("main form button").tap()
    phone.wait_for_url(re.compile(r"/pl/me/asked/"))
    fits(phone)
    phone.goto(link_in(letters_to_ewa(mail, 3)[-1], "/pl/me/"))
    fits(phone)
    expect(phone.get_by_text(written)).to_be_visible()
    allowed = phone.locator("[name=allow]:checked")
    assert [box.get_attribute("value") for box in allowed.all()] == ["email", f"partner:{partner.pk}"]
    phone.locator(f"[name=allow][value='partner:{partner.pk}']").tap()
    phone.locator("form[aria-labelledby=hear] button").tap()
    phone.get_by_role("status").wait_for()
    assert story_of(ewa)["partner"] == ["requested", "granted", "withdrawn"]
    assert "mail.pl" not in client.get("/partners/people/").text
    assert consent.state_of(ewa, Purpose.EMAIL) == Consent.State.GRANTED
    phone.locator("form:has([value=leave]) button").tap()
    phone.wait_for_url(re.compile(r"done=leave"))
    fits(phone)

    # What stands in the database after all that.
    signature = Signature.objects.get()
    assert (signature.state, signature.supporter, signature.email, signature.typed) == ("validated", ewa, None, {})
    assert (signature.country, signature.language, signature.organisation) == ("PL", "pl", partner)
    assert (ewa.first_name, ewa.last_name, ewa.email) == ("Ewa", "Wiśniewska", "ewa.wisniewska@mail.pl")
    counts = SignatureCount.objects.values_list("organisation", "country", "number")
    assert list(counts) == [(partner.pk, "PL", 1)]
    assert not SignatureCount.objects.filter(organisation=other).exists()
    seen = client.get("/partners/").text
    assert re.search(r'<td class="number">1</td>', seen)
    assert "mail.pl" not in seen
    gift = Donation.objects.get()
    assert (str(gift), gift.state, gift.method, gift.supporter) == (f"{amount} {currency}", "received", "card", ewa)
    assert (gift.source_code, Pledge.objects.get().organisation) == ("la-strada", partner)
    assert Pledge.objects.get().state == "paid"
    assert set(PaymentEvent.objects.values_list("state", flat=True)) <= {"applied", "ignored"}
    assert story_of(ewa) == {
        "email": ["requested", "granted", "withdrawn"],
        "partner": ["requested", "granted", "withdrawn"],
        "signature": ["requested", "granted"],
    }
    assert all(
        line.wording and line.wording_version and line.language == "pl"
        for line in ewa.consents.filter(state="granted")
    )
    assert not Supporter.objects.contactable().exists()
    assert Suppression.objects.filter(reason=Suppression.Reason.LEFT).exists()
    kinds = Letter.objects.filter(partner=None).order_by("pk").values_list("kind", "state", "language")
    assert list(kinds) == [
        ("receipt", "sent", "pl"),
        ("preferences", "sent", "pl"),
    ]  # that of the confirmation is done with
    assert len(letters_to_ewa(mail, 3)) == 3
    call_command("verify_consents")

    # And what the phone was asked to do.
    beside = {urlsplit(partner.address).netloc} if way == "their own site" else set()
    assert phone.hosts == {urlsplit(settings.SITE_URL).netloc, urlsplit(stripe.url).netloc} | beside
    assert phone.context.cookies() == []
    assert [said for where, said in phone.troubles if where.startswith(settings.SITE_URL)] == []
    assert "mail.pl" not in worker.output()


def fits(page):
    """Nothing is wider than the screen, and what is to be touched is large enough to be touched."""
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    small = page.evaluate(
        """[...document.querySelectorAll("main button, main a.button, main select, main input:not([type=hidden], [tabindex='-1'])")]
            .filter(each => each.checkVisibility() && each.getBoundingClientRect().height < 20)
            .map(each => each.outerHTML)"""
    )
    assert small == []


def log_in_for(client, partner):
    """Somebody of the partner, who watches what comes through its link."""
    member = members.invite(partner, "anna@la-strada.org", by=None)
    assert members.set_password(member, "a long password")
    assert (
        client.post("/partners/login/", {"email": "anna@la-strada.org", "password": "a long password"}).status_code
        == 303
    )


def letters_to_ewa(mail, number):
    wait_for(lambda: len(mail.to("ewa.wisniewska@mail.pl")) >= number, f"letter {number}")
    return mail.to("ewa.wisniewska@mail.pl")


def link_in(letter, path):
    """As she follows it: the same in the text and behind the button."""
    (link,) = re.findall(rf"https?://\S+?{re.escape(path)}[\w.:=-]+/", letter.text)
    assert link in letter.html.replace("&amp;", "&")
    return link


def story_of(person):
    """What was said about each purpose, in its order."""
    told = {}
    for purpose, state in person.consents.order_by("purpose", "pk").values_list("purpose", "state"):
        told.setdefault(purpose, []).append(state)
    return told
