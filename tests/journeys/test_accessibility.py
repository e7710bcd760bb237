"""What axe-core finds against WCAG 2.2 AA on every page for supporters, and what it can't find: keyboard, reflow, sizes."""

import re

import pytest
from django.core.cache import cache
from django.test import RequestFactory

from crm.disclosing import making
from supporters import crowd, links, moving
from supporters.links import Link
from supporters.models import InboxRequest, PetitionText
from supporters.receipts import sealing
from supporters.signing import totals
from tests.factories import (
    ask_to_sign,
    make_consent,
    make_donation,
    make_organisation,
    make_petition,
    make_pledge,
    make_signature,
    make_supporter,
)
from tests.journeys.looking import FOCUS, LOOKS, STICKS_OUT, complaints, examined, look
from tests.supporters.tallying.batches import counted

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MISSING = {"unknown": 404, "expired": 410, "gone": 410, "no_news": 404, "nowhere": 404, "fault": 500}
LANGUAGES = {"en": LOOKS, "ar": LOOKS[::3], "bg": LOOKS[::3], "fi": LOOKS[::3]}
"""And in which looks: colours are the same in all of them, and what is too long for a line is so in each scheme."""


@pytest.fixture(autouse=True)
def petition(settings, broker):
    cache.clear()
    settings.SWISH_NUMBER, settings.BANKGIRO = "1234679304", "9001223"
    settings.BANK_IBAN, settings.BANK_BIC = "SE4550000000058398257466", "ESSESESS"
    settings.GIVING_AMOUNTS = {"SEK": (100, 250, 500), "EUR": (10, 25, 50)}
    settings.DONATE_URL = f"{settings.SITE_URL}/give/"
    petition = make_petition(slug="one-law", goal=1000, target="the Commission", asks_postcode=True)
    for language, title in (("en", "One law for all"), ("ar", "قانون واحد للجميع")):
        PetitionText.objects.create(
            petition=petition, language=language, title=title, body=f"**{title}**\n\n> {title}"
        )
    make_petition(slug="closed", state="closed")
    make_organisation(name="Talita", source_code="talita")
    for number, country in enumerate(("SE", "PL", "NO", "")):
        person = make_supporter(first_name=f"Anna{number}")
        make_signature(
            petition,
            person,
            state="validated",
            validated_at=f"2026-0{number + 1}-01T00:00Z",
            shown=True,
            country=country,
        )
    counted(petition=petition)
    return petition


@pytest.fixture
def paths(petition):
    """Every page for supporters, by a name."""
    person = make_supporter(email="ola@mail.se", consent=True, country="SE")
    make_consent(person, purpose="post")
    make_donation(person)
    make_signature(petition, person, state="validated", validated_at="2026-01-01T00:00Z")
    sealing.seal()
    pending = ask_to_sign(petition)
    moving.ask(person.uuid, "ola@home.se", "en")
    of_move = links.token(Link.MOVE, InboxRequest.objects.get().uuid)
    of_me = links.dated_token(Link.PREFERENCES, person.uuid)
    asker = make_supporter()
    make_consent(asker, state="requested")
    pledges = {
        "swish": make_pledge(method="swish", currency="SEK"),
        "bank": make_pledge(method="bank", currency="SEK"),
        "euro": make_pledge(method="bank", currency="EUR"),
        "paid": make_pledge(state="paid"),
        "failed": make_pledge(state="failed"),
    }
    gifts = {name: links.token(Link.GIVE, pledge.uuid) for name, pledge in pledges.items()}
    of_pending, of_counted = (links.token(Link.CONFIRM, each.uuid) for each in (pending, person.signatures.get()))
    return {
        "petition": "p/one-law/?via=talita",
        "closed": "p/closed/",
        "signed": "p/one-law/signed/",
        "confirmed": f"s/{of_counted}/",
        "confirm": f"s/{of_pending}/",
        "unknown": "s/nonsense/",
        "thanks": "p/one-law/thanks/",
        "totals": "p/one-law/totals/",
        "poster": "p/one-law/poster/?via=talita",
        "embed": "p/one-law/embed/?via=talita",
        "embed_signed": "p/one-law/embed/signed/?via=talita",
        "give": "give/?currency=SEK",
        **{name: f"give/pay/{gifts[name]}/" for name in ("swish", "bank", "euro")},
        "given": f"give/thanks/{gifts['swish']}/",
        "given_paid": f"give/thanks/{gifts['paid']}/",
        "given_failed": f"give/thanks/{gifts['failed']}/",
        "cancelled": f"give/cancelled/{gifts['swish']}/",
        "news": f"give/news/{links.token(Link.NEWS, asker.uuid)}/",
        "no_news": "give/news/nonsense/",
        "ask": "me/",
        "asked": "me/asked/",
        "me": f"me/{of_me}/",
        "data": f"me/{of_me}/data/",
        "read": f"me/{of_me}/data/read/",
        "receipts": f"me/{of_me}/receipts/",
        "move": f"me/address/{of_move}/",
        "moved": "me/address/done/",
        "never": "never/",
        "never_asked": "never/asked/",
        "never_confirm": f"never/{links.token(Link.NEVER_BY_SIGNATURE, pending.uuid)}/",
        "never_done": "never/done/",
        "gone": "never/nonsense/",
        "expired": "me/nonsense/",
        "nowhere": "p/no-such-petition/",
    }


def test_axe_finds_nothing_on_any_page(visitor, paths):
    found = []
    for language, looks in LANGUAGES.items():
        for name, path in paths.items():
            answer = visitor.goto(f"/{language}/{path}")
            assert answer.status == MISSING.get(name, 200), name
            assert visitor.locator("html").get_attribute("dir") == ("rtl" if language == "ar" else "ltr")
            for width, scheme in looks:
                found += examined(visitor, f"{name} {language}", width, scheme)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", ["petition", "totals", "give"])
def test_nothing_sticks_out_of_the_narrowest_screen_in_any_language(visitor, paths, settings, name):
    look(visitor, 320, "light")
    found = []
    for code, _language in settings.LANGUAGES:
        visitor.goto(f"/{code}/{paths[name]}")
        visitor.evaluate("document.querySelectorAll('main details').forEach(each => each.open = true)")
        if visitor.evaluate(STICKS_OUT):
            found.append(code)
    assert not found


def test_axe_finds_nothing_where_there_is_much_to_gather_or_a_fault_of_ours(visitor, paths, monkeypatch):
    found = []
    monkeypatch.setattr(making, "AT_ONCE", -1)
    for language in LANGUAGES:
        assert visitor.goto(f"/{language}/{paths['data']}").status == 200
        found += examined(visitor, f"to gather {language}", *LOOKS[0])
        visitor.locator("main form button").click()
        visitor.get_by_role("status").wait_for()
        found += examined(visitor, f"gathering {language}", *LOOKS[3])
    monkeypatch.setattr(totals, "standing", None)
    for language, looks in LANGUAGES.items():
        assert visitor.goto(f"/{language}/{paths['petition']}").status == 500
        assert visitor.locator("html").get_attribute("lang") == language
        for width, scheme in looks:
            found += examined(visitor, f"fault {language}", width, scheme)
    assert not found, "\n".join(found)


def test_axe_finds_nothing_where_somebody_leaves(visitor):
    found = []
    for language, looks in LANGUAGES.items():
        person = make_supporter(language=language, consent=True)
        leave = f"/{links.LEAVING}{links.token(Link.LEAVE, person.uuid)}/"
        for name, path in (("choose", f"{leave}choices/"), ("leave", leave)):
            assert visitor.goto(path).status == 200
            assert visitor.locator("html").get_attribute("lang") == language
            for width, scheme in looks:
                found += examined(visitor, f"{name} {language}", width, scheme)
        for name, button in (("left", "form button"), ("never", "details button")):
            for details in visitor.locator("main summary").all():
                details.click()
            visitor.locator(f"main {button}").click()
            for width, scheme in looks:
                found += examined(visitor, f"{name} {language}", width, scheme)
    assert visitor.goto(f"/{links.LEAVING}nonsense/").status == 404
    found += examined(visitor, "unknown", *LOOKS[0])
    assert not found, "\n".join(found)


def test_axe_finds_nothing_where_something_is_wrong_or_has_to_wait(visitor, paths, broker):
    found = []
    for language in LANGUAGES:
        broker.flushdb()
        for name, form in (("petition", "sign"), ("give", "give"), ("ask", "me")):
            visitor.goto(f"/{language}/{paths[name]}")
            send(visitor)
            visitor.locator("p.error").first.wait_for()
            for field in visitor.locator(".wrong input, .wrong select").all():
                said = field.get_attribute("aria-describedby") or field.locator(
                    "xpath=ancestor::fieldset"
                ).get_attribute("aria-describedby")
                assert visitor.locator(f"#{said}").inner_text()
                assert field.get_attribute("aria-invalid") == "true"
            for width, scheme in LOOKS[::3]:
                found += examined(visitor, f"{name} refused {language}", width, scheme)
            exhaust(form)
            for field, text in (("first_name", "Ewa"), ("email", "ewa@mail.pl"), ("postcode", "00-950")):
                if visitor.locator(f"#id_{field}").count():
                    visitor.locator(f"#id_{field}").fill(text)
            if name == "petition":
                visitor.locator("#id_country").select_option("PL")
                visitor.locator("#id_agree").check()
            send(visitor)
            visitor.locator("[data-puzzle]").wait_for()
            for width, scheme in LOOKS[::3]:
                found += examined(visitor, f"{name} held {language}", width, scheme)
    assert not found, "\n".join(found)


def test_axe_would_say_what_is_wrong(visitor):
    visitor.goto("/en/p/one-law/")
    visitor.evaluate("document.querySelector('label[for=id_email]').remove()")
    visitor.evaluate("document.querySelector('.exit').style.color = '#eee'")
    visitor.evaluate(
        "document.querySelectorAll('.share li a').forEach((link) => { link.style.cssText = 'padding: 0; font-size: 6px; display: block; line-height: 1' })"
    )
    visitor.evaluate(
        "document.querySelectorAll('.share ul').forEach((list) => { list.style.cssText = 'display: block' })"
    )
    said = "\n".join(complaints(visitor))
    assert [rule for rule in ("label", "color-contrast", "target-size") if f"{rule}:" not in said] == []


def test_the_form_is_walked_through_and_sent_by_keyboard_and_the_focus_is_always_seen(visitor):
    look(visitor, 320, "light")
    visitor.emulate_media(reduced_motion="reduce")  # or the page is still on its way to the field
    visitor.goto("/en/p/one-law/")
    seen = []
    for _press in range(60):
        visitor.keyboard.press("Tab")
        here = visitor.evaluate(FOCUS)
        assert here["outline"] >= 2, here
        assert here["inside"], here
        assert not here["covered"], here
        assert here["width"] >= 24, here
        assert here["height"] >= 24 or here["inline"], here
        seen.append(here["name"])
        if here["name"] == "Sign":
            break
    fields = [name for name in seen if name in FIELDS]
    assert fields == FIELDS
    assert seen[0] == "skip"
    assert "website" not in seen
    visitor.locator("#id_first_name").focus()
    for text in ("Ewa", "Nowak", "ewa@mail.pl", "Pol", "00-950"):
        visitor.keyboard.type(text)
        visitor.keyboard.press("Tab")
    visitor.keyboard.press("Space")
    visitor.locator("#id_email").focus()
    visitor.keyboard.press("Enter")
    visitor.wait_for_url(re.compile("/signed/"))


def test_in_forced_colours_fields_buttons_and_focus_have_edges(visitor):
    look(visitor, 320, "dark")
    visitor.emulate_media(forced_colors="active")
    visitor.goto("/en/give/?currency=SEK")
    for selector in ("button[type=submit]", "#id_first_name", ".exit", ".choices label"):
        assert visitor.locator(selector).first.evaluate("e => parseFloat(getComputedStyle(e).borderTopWidth)") >= 1, (
            selector
        )
    chosen, other = (
        visitor.locator(f".choices label:has(input{state})").first for state in (":checked", ":not(:checked)")
    )
    assert chosen.evaluate("e => getComputedStyle(e).borderTopColor") != other.evaluate(
        "e => getComputedStyle(e).borderTopColor"
    )


FIELDS = ["first_name", "last_name", "email", "country", "postcode", "agree", "news", "shown"]


def send(page):
    page.locator("form button[type=submit]").click()


def exhaust(form):
    """Take every turn that there is for a visitor of this machine."""
    request = RequestFactory().post("/", REMOTE_ADDR="127.0.0.1")
    while not crowd.hold(request, form):
        pass
