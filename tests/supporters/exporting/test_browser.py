"""The way a file takes from a list to somebody's disk, in a browser."""

import csv
from pathlib import Path

import pytest
from django.urls import reverse

from supporters.exporting import making
from supporters.models import Export
from tests.factories import make_supporter

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def rows(download) -> list[dict]:
    return list(csv.DictReader(Path(download.path()).read_text("utf-8-sig").splitlines()))


def test_from_a_filtered_list_to_the_file(page, broker, settings):
    make_supporter(first_name="Ann", email="ann@mail.se", country="SE")
    make_supporter(first_name="Finn", email="finn@mail.fi", country="FI")
    page.goto(reverse("admin:supporters_supporter_changelist", query={"country": "SE"}))
    page.locator("a[href*='/supporter/export/']").click()
    page.get_by_role("button", name="None").click()
    page.get_by_label("Email", exact=True).check()
    page.get_by_label("Format").select_option("csv")
    page.get_by_role("button", name="Export").click()
    assert "say why it leaves the house" in page.content()
    assert not page.get_by_label("Phone", exact=True).is_checked()
    page.get_by_label("Why").fill("A letter to all")
    with page.expect_download() as found:
        page.get_by_role("button", name="Export").click()
    (row,) = rows(found.value)
    assert list(row) == ["email", "may_be_emailed", "email_consent", "post_consent", "phone_consent"]
    assert row["email"] == "ann@mail.se"

    settings.EXPORT_AT_ONCE = 0
    page.get_by_role("button", name="Export").click()
    page.get_by_text("A worker is at it").wait_for()
    making.work(Export.objects.get(state=Export.State.QUEUED).pk)
    with page.expect_download() as found:
        page.get_by_role(
            "link", name="Download", exact=True
        ).click()  # the page finds by itself that the file is there
    assert [row["email"] for row in rows(found.value)] == ["ann@mail.se"]
