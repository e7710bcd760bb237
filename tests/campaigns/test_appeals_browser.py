"""An appeal on the staff site as a browser shows it: scheduled by hand, watched while it goes."""

import pytest
from playwright.sync_api import expect

from campaigns import appeals
from campaigns.models import Appeal
from tests.campaigns.conftest import make_appeal, make_people

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_an_appeal_is_scheduled_sent_and_watched(page, server, broker):
    appeal = make_appeal(make_people(2))
    page.goto(f"/admin/campaigns/appeal/{appeal.pk}/change/")
    page.get_by_role("link", name="Schedule or send").click()
    page.get_by_label("Day").fill("2099-12-24")
    page.get_by_label("Hour").fill("09:00")
    page.get_by_role("button", name="Schedule", exact=True).click()
    expect(page.locator(".appeal-state")).to_contain_text("Goes out on 24 Dec 2099, 09:00 (Europe/Stockholm)")

    page.get_by_role("button", name="Back to draft").click()
    page.get_by_role("link", name="Schedule or send").click()
    page.get_by_role("button", name="Send now").click()
    expect(page.locator(".appeal-badge")).to_have_text("Scheduled")
    appeals.tick()
    # Nobody reloads: the page sees for itself that it started, how far it is, and that it is done.
    expect(page.locator(".appeal-badge")).to_have_text("Sending")
    expect(page.locator("[data-state=queued] strong")).to_have_text("2")
    assert appeals.work(appeal.pk) == {"sent": 2}
    expect(page.locator(".appeal-badge")).to_have_text("Sent")
    expect(page.locator("[data-state=sent] strong")).to_have_text("2")
    assert Appeal.objects.get().state == "sent"
