import re

import pytest
from django.core.cache import cache

from supporters import crowd, links
from supporters.links import Link
from supporters.models import Consent, Donation, Pledge, Supporter
from supporters.payments import references
from supporters.payments.donors import request_news
from tests.factories import make_organisation, make_pledge, make_supporter
from tests.standins.stripe import StripeStandIn

pytestmark = pytest.mark.django_db
GIVE = "/en/give/"


@pytest.fixture(autouse=True)
def stripe(settings, broker):
    cache.clear()
    settings.SWISH_NUMBER, settings.BANKGIRO = "1234679304", "9001223"
    settings.BANK_IBAN, settings.BANK_BIC = "SE4550000000058398257466", "ESSESESS"
    settings.GIVING_AMOUNTS = {"SEK": (100, 250, 500), "EUR": (10, 25, 50)}
    settings.ORGANISATION_NAME = "RealStars"
    with StripeStandIn() as stripe:
        settings.STRIPE_SECRET_KEY = "sk_test_abc"
        settings.STRIPE_WEBHOOK_SECRETS = ("whsec_0123456789abcdef",)
        settings.STRIPE_API_URL = stripe.url
        yield stripe


def typed(**fields):
    return {
        "currency": "SEK",
        "interval": "once",
        "amount": "250",
        "method": "card",
        "first_name": "Eva",
        "last_name": "Ek",
        "email": " Eva@Mail.se",
        **fields,
    }


def text(answer):
    return answer.content.decode()


def test_the_page_offers_amounts_ways_and_an_unticked_box(client):
    answer = client.get("/sv/give/")
    assert answer.status_code == 200
    for words in ("100\u00a0kr", "250\u00a0kr", "500\u00a0kr", 'value="swish"', 'value="bank"', 'value="month"'):
        assert words in text(answer)
    assert 'name="news"' in text(answer)
    assert "checked" not in text(answer).partition('name="news"')[2][:80]
    assert "unsafe-inline" not in answer["Content-Security-Policy"]
    assert answer.cookies == {}


def test_swish_is_for_kronor_only(client):
    euros = text(client.get(GIVE, {"currency": "EUR"}))
    assert "€10" in euros
    assert 'value="swish"' not in euros
    assert 'value="bank"' in euros


def test_without_any_way_to_give_there_is_no_page(client, settings):
    settings.STRIPE_SECRET_KEY = settings.SWISH_NUMBER = settings.BANKGIRO = settings.BANK_IBAN = ""
    assert client.get(GIVE).status_code == 404


def test_a_gift_by_card_leads_to_stripe_and_is_no_donation_yet(client, stripe):
    partner = make_organisation(source_code="talita")
    answer = client.post(GIVE, typed(via="talita", news="on"))
    pledge = Pledge.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, f"{stripe.url}/c/pay/{pledge.session_id}")
    assert (pledge.minor_units, pledge.currency, pledge.interval, pledge.state) == (25_000, "SEK", "once", "waiting")
    assert (pledge.email, pledge.first_name, pledge.language) == ("eva@mail.se", "Eva", "en")
    assert (pledge.organisation, pledge.source_code, pledge.news["purpose"]) == (partner, "talita", "email")
    assert references.is_whole(pledge.reference)
    assert Donation.objects.count() == Supporter.objects.count() == Consent.objects.count() == 0
    session = stripe.objects[pledge.session_id]
    assert session["mode"] == "payment"
    assert session["success_url"] == f"http://localhost:1/en/give/thanks/{links.token(Link.GIVE, pledge.uuid)}/"
    assert f"'self' {stripe.url}" in client.get(GIVE)["Content-Security-Policy"]


def test_coming_back_from_stripe_marks_nothing_paid(client, stripe):
    client.post(GIVE, typed(interval="month"))
    pledge = Pledge.objects.get()
    assert stripe.objects[pledge.session_id]["mode"] == "subscription"
    stripe.pay(pledge.session_id)
    thanks = f"/en/give/thanks/{links.token(Link.GIVE, pledge.uuid)}/"
    answer = client.get(thanks)
    assert "We are waiting for the confirmation" in text(answer)
    assert "Eva" not in text(answer)
    assert Donation.objects.count() == 0
    pledge.refresh_from_db()
    assert pledge.state == "waiting"
    Pledge.objects.update(state="paid")
    assert "Your gift has come" in text(client.get(thanks))


@pytest.mark.parametrize(
    ("written", "minor"),
    [
        ("150", 15_000),
        ("1 250,5", 125_050),
        ("99.90", 9_990),
        ("10", 1_000),
        ("100000", 10_000_000),
        ("١٬٢٥٠٫٥", 125_050),
        ("１５０", 15_000),
    ],
)
def test_another_amount_is_read_as_people_write_it(client, written, minor):
    client.post(GIVE, typed(amount="other", other=written))
    client.post(GIVE, typed(amount="250", other=written))
    assert list(Pledge.objects.values_list("minor_units", flat=True)) == [minor, minor]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"amount": "other", "other": ""}, "Please write an amount in figures"),
        ({"amount": "other", "other": "-5"}, "Please write an amount in figures"),
        ({"amount": "other", "other": "1.000"}, "Please write an amount in figures"),
        ({"amount": "other", "other": "1e9"}, "Please write an amount in figures"),
        ({"amount": "other", "other": "NaN"}, "Please write an amount in figures"),
        ({"amount": "other", "other": "²"}, "Please write an amount in figures"),
        ({"amount": "other", "other": "٩٩٩٩٩٩٩٩٩"}, "Please give between"),
        ({"amount": "other", "other": "0"}, "Please give between"),
        ({"amount": "other", "other": "999999999"}, "Please give between"),
        ({"amount": "251"}, "Please choose one of the list."),
        ({"method": "paypal"}, "Please choose one of the list."),
        ({"interval": "week"}, "Please choose one of the list."),
        ({"interval": "month", "method": "swish"}, "Monthly gifts go by card."),
        ({"currency": "EUR", "amount": "10", "method": "swish"}, "Please choose one of the list."),
        ({"currency": "XXX"}, "We can&#x27;t take this currency."),
        ({"email": "nobody"}, "This is no email address."),
        ({"email": "a@b.se\r\nBcc: c@d.se"}, "This is no email address."),
        ({"first_name": ""}, "Please fill this in."),
        ({"first_name": "\u202e\u200b"}, "Please fill this in."),
        ({"first_name": "see http://evil.example"}, "A name has no web or email address in it."),
        ({"first_name": "x" * 81}, "This is longer than fits here"),
        ({"last_name": "Ek\x00"}, "This is longer than fits here"),
    ],
)
def test_what_can_t_be_taken_is_said_and_nothing_is_stored(client, stripe, fields, said):
    answer = client.post(GIVE, typed(**fields))
    assert answer.status_code == 422
    assert said in text(answer)
    assert Pledge.objects.count() == 0
    assert stripe.requests == []


def test_line_breaks_in_a_name_become_spaces(client):
    client.post(GIVE, typed(first_name="Eva\r\nBcc: x"))
    assert Pledge.objects.get().first_name == "Eva Bcc: x"


def test_a_program_that_fills_in_everything_gets_nowhere(client, stripe):
    assert client.post(GIVE, typed(website="x"))["Location"] == GIVE
    assert Pledge.objects.count() == 0


def test_too_many_from_one_address_are_slowed_and_not_stored(client, monkeypatch):
    monkeypatch.setitem(crowd.LIMITS, "give", crowd.Limit(address=(0.02, 2), network=(0.1, 60)))
    assert [client.post(GIVE, typed()).status_code for _time in range(3)] == [303, 303, 429]
    assert Pledge.objects.count() == 2
    assert int(client.post(GIVE, typed())["Retry-After"]) in range(45, 51)
    assert client.post(GIVE, typed(), REMOTE_ADDR="192.0.2.7").status_code == 303


def test_what_stripe_finds_too_small_is_said_at_the_amount(client, settings):
    settings.GIVING_AMOUNTS = {"SEK": (10, 100)}
    answer = client.post(GIVE, typed(amount="other", other="1"))
    assert (answer.status_code, "can&#x27;t be paid by card" in text(answer)) == (422, True)
    assert Pledge.objects.count() == 0


def test_stripe_out_of_reach_is_said_and_what_was_typed_stays(client, stripe, monkeypatch):
    from supporters.payments.stripe import client as stripes

    monkeypatch.setattr(stripes, "PAUSE", 0)
    stripe.fail(times=None)
    answer = client.post(GIVE, typed())
    assert answer.status_code == 503
    assert "No money was taken" in text(answer)
    assert 'value="Eva"' in text(answer)


def test_swish_shows_number_message_and_code(client):
    answer = client.post(GIVE, typed(method="swish", amount="100"), follow=True)
    pledge = Pledge.objects.get()
    for words in ("123 467 93 04", pledge.reference, "SEK\u00a0100.00", "<svg"):
        assert words in text(answer)
    assert "eva@mail.se" not in text(answer)


def test_a_bank_transfer_shows_accounts_and_both_references(client):
    answer = client.post(GIVE, typed(method="bank"), follow=True)
    pledge = Pledge.objects.get()
    grouped = references.creditor_reference(pledge.reference)[:4]
    for words in ("900-1223", "SE45 5000 0000 0583 9825 7466", "ESSESESS", pledge.reference, grouped):
        assert words in text(answer)
    assert "<svg" not in text(answer)
    answer = client.post(GIVE, typed(method="bank", currency="EUR", amount="25"), follow=True)
    assert "<svg" in text(answer)
    assert "900-1223" not in text(answer)


@pytest.mark.parametrize("page", ["pay", "thanks", "cancelled", "news"])
def test_forged_links_open_nothing(client, page):
    pledge = make_pledge(method="swish")
    for token in ("x", links.token(Link.CONFIRM, pledge.uuid), links.token(Link.LEAVE, pledge.uuid)):
        assert client.get(f"/en/give/{page}/{token}/").status_code == 404


def test_cancelled_says_that_no_money_was_taken_and_leads_back_to_what_was_chosen(client):
    pledge = make_pledge(minor_units=15_050, currency="SEK", interval="month", source_code="spring")
    answer = client.get(f"/sv/give/cancelled/{links.token(Link.GIVE, pledge.uuid)}/")
    assert "No money was taken" in text(client.get(f"/en/give/cancelled/{links.token(Link.GIVE, pledge.uuid)}/"))
    back = re.search(r'class="button" href="([^"]+)"', text(answer))[1].replace("&amp;", "&")
    assert back == "/sv/give/?currency=SEK&amount=150.5&interval=month&method=card&source=spring"
    form = client.get(back).context["form"]
    assert [form[name].value() for name in ("interval", "amount", "other", "source")] == [
        "month", "other", "150.5", "spring",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "chosen"),
    [
        ("", ("once", "250", None, "card")),
        ("amount=500&interval=month", ("month", "500", None, "card")),
        ("amount=other", ("once", "other", None, "card")),
        ("amount=75&method=swish", ("once", "other", "75", "swish")),
        ("amount=0", ("once", "250", None, "card")),
        ("amount=99999999999999999999999", ("once", "250", None, "card")),
        ("amount=<script>&interval=daily&method=cash", ("once", "250", None, "card")),
    ],
)
def test_a_link_may_choose_beforehand_what_the_form_can_take(client, query, chosen):
    answer = client.get(f"{GIVE}?currency=SEK&{query}")
    assert answer.status_code == 200
    form = answer.context["form"]
    assert tuple(form[name].value() for name in ("interval", "amount", "other", "method")) == chosen
    assert "<script>&" not in text(answer)


@pytest.mark.parametrize(
    ("path", "browser", "currency"),
    [
        ("/sv/give/", "en-GB", "SEK"),
        ("/sv/give/", "sv-FI", "EUR"),
        ("/give/", "sv,en;q=0.5", "SEK"),
        ("/ar/give/", "ar-SE", "SEK"),
        ("/pl/give/", "pl-PL", "EUR"),  # PLN is off here
        ("/en/give/?currency=sek", "de-DE", "SEK"),
        ("/en/give/?currency=XXX", "de-DE", "EUR"),
        ("/en/give/", "x" * 600, "EUR"),
    ],
)
def test_the_currency_is_that_of_the_link_else_of_the_reader_s_country_else_of_the_language(
    client, path, browser, currency
):
    assert client.get(path, headers={"accept-language": browser}).context["form"].currency == currency


def test_only_currencies_that_there_is_a_way_to_give_in_are_offered(client, settings):
    settings.STRIPE_SECRET_KEY = settings.BANK_IBAN = ""
    answer = client.get("/de/give/")
    assert answer.context["form"].currency == "SEK"
    assert [code for code, _path in answer.context["currencies"]] == ["SEK"]
    assert client.post("/de/give/", typed(currency="EUR")).status_code == 422


# News


def asked():
    person = make_supporter(email="eva@mail.se")
    news = {"purpose": "email", "text": "Write to me.", "language": "en", "organisation": None, "version": "v1"}
    request_news(make_pledge(news=news), person)
    return person, f"/en/give/news/{links.token(Link.NEWS, person.uuid)}/"


def test_news_is_granted_by_the_button_only(client):
    person, path = asked()
    assert "Write to me." in text(client.get(path))
    assert not Supporter.objects.contactable().exists()
    assert "You will hear from us" in text(client.post(path))
    assert Supporter.objects.contactable().get() == person
    grant = person.consents.get(state="granted")
    assert (grant.method, grant.wording, grant.wording_version, grant.source) == (
        "confirmed",
        "Write to me.",
        "v1",
        "give",
    )
    assert "nothing to confirm" in text(client.post(path))
    assert person.consents.filter(state="granted").count() == 1


def test_an_old_link_brings_nobody_back_who_left(client):
    from supporters import consent

    person, path = asked()
    consent.leave(person, method="link")
    assert "nothing to confirm" in text(client.post(path))
    assert not Supporter.objects.contactable().exists()
