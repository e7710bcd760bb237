"""The main job, as staff do it in a browser and workers do it behind: a list of people, a segment, an appeal, the mail."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from campaigns.models import Appeal, Delivery, Segment
from crm.tasks import tick
from supporters import consent
from supporters.models import Consent, ImportRun, Supporter
from tests.processes import Worker, wait_for
from tests.standins.mail import MailCatcher

pytestmark = [pytest.mark.browser, pytest.mark.workers, pytest.mark.django_db(transaction=True)]

PEOPLE = """E-post;Förnamn;Efternamn;Land;Språk
asa@mail.se;Åsa;Öberg;Sverige;sv
jurgen@mail.de;Jürgen;Weiß;Deutschland;de
dimitra@mail.gr;Δήμητρα;Παππά;Ελλάδα;el
bjorn@mail.se;Björn;Ek;Sverige;sv
ingen adress;Nils;Fel;Sverige;sv
"""


def test_astrid_brings_a_list_to_the_inbox(visitor, staff, broker, tmp_path, settings):
    page = visitor
    file = tmp_path / "stall.csv"
    file.write_bytes(PEOPLE.encode("utf-16"))
    with MailCatcher() as mail, Worker(EMAIL_URL=mail.smtp_url, ORGANISATION_ADDRESS="Järntorget 7, Göteborg"):
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", urlsplit(mail.smtp_url).port
        settings.ORGANISATION_ADDRESS = "Järntorget 7, Göteborg"
        page.goto("/admin/")
        page.fill("input[name=username]", "astrid")
        page.fill("input[name=password]", "a long password")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_text("May be written to")).to_be_visible()

        # The list, with what its people said yes to.
        page.goto("/admin/supporters/importrun/add/")
        page.locator("[name=file]").set_input_files(file)
        page.get_by_role("button", name="Upload and look").click()
        expect(page.get_by_role("cell", name="Δήμητρα")).to_be_visible()
        expect(page.get_by_text("is no email address")).to_be_visible()
        page.locator("[name=consent_purpose]").select_option("email")
        page.locator("[name=consent_wording]").fill("Ja, skriv till mig om uppropet.")
        page.locator("[name=consent_on]").fill("2026-05-01")
        page.locator("[name=consent_how]").fill("Paper list at a stall in Göteborg")
        page.get_by_role("button", name="Start the import").click()
        expect(page.get_by_text("Done", exact=True)).to_be_visible(timeout=30_000)
        run = ImportRun.objects.get()
        assert (run.created, run.failed) == (4, 1)

        # Björn leaves before anything is sent.
        consent.leave(Supporter.objects.get(email="bjorn@mail.se"), method=Consent.Method.LINK)

        # A segment, without writing code.
        page.goto("/admin/campaigns/segment/add/")
        page.locator("[name=name]").fill("Sweden and Greece")
        page.get_by_role("button", name="+ Add a rule").click()
        search = page.get_by_placeholder("Search…")
        search.fill("Swed")
        search.press("Enter")
        search = page.get_by_placeholder("Search…")
        search.fill("Greece")
        search.press("Enter")
        expect(page.locator(".rules-count")).to_contain_text("2 people who may be written to")
        page.get_by_role("button", name="Save", exact=True).click()
        wait_for(lambda: Segment.objects.get().size == 2, "the worker to refresh the segment")

        # An appeal, in the language of whoever reads it.
        page.goto("/admin/campaigns/appeal/add/")
        page.locator("[name=name]").fill("Autumn")
        page.locator("[name=source_code]").fill("autumn")
        page.locator("[name=sender_name]").fill("Malin")
        page.locator("[name=sender_email]").fill("hej@realstars.se")
        page.locator("[name=segment]").select_option(label="Sweden and Greece")
        _text(page, 0, "en", "{{ first_name }}, one law", "Dear {{ first_name }}, *thank you*.")
        page.get_by_role("button", name="Save and continue editing").click()
        appeal = Appeal.objects.get()
        page.goto(f"/admin/campaigns/appeal/{appeal.pk}/change/")
        page.get_by_role("link", name="Schedule or send").click()
        page.get_by_label("I know; send it anyway.").check()  # there is no Swedish and no Greek text
        page.get_by_role("button", name="Send now").click()
        tick.delay()
        expect(page.locator(".appeal-badge")).to_have_text("Sent", timeout=60_000)

        assert sorted(message.to[0] for message in mail.messages) == ["asa@mail.se", "dimitra@mail.gr"]
        (letter,) = [message for message in mail.messages if message.to == ["dimitra@mail.gr"]]
        assert letter.subject == "Δήμητρα, one law"
        assert Delivery.objects.filter(state="sent").count() == 2

        # Åsa leaves from the mail: looking at the page does nothing, the button does.
        (letter,) = [message for message in mail.messages if message.to == ["asa@mail.se"]]
        link = re.search(r"/u/[^/>\s]+/", letter.raw.decode()).group()
        page.goto(link)
        assert consent.state_of(Supporter.objects.get(email="asa@mail.se")) == Consent.State.GRANTED
        page.get_by_role("button").first.click()
        wait_for(lambda: not Supporter.objects.contactable().filter(email="asa@mail.se").exists(), "Åsa to have left")


def _text(page, index: int, language: str, subject: str, body: str) -> None:
    if not page.locator(f"[name=texts-{index}-subject]").count():
        page.get_by_role("link", name=re.compile("Add another")).last.click()
    page.locator(f"[name=texts-{index}-language]").select_option(language)
    page.locator(f"[name=texts-{index}-subject]").fill(subject)
    page.locator(f"[name=texts-{index}-body]").fill(body)
