import io
import logging

import pytest
from django.urls import reverse

from config.logs import Discreet


@pytest.fixture
def lines():
    """What is logged of requests, as it is written."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Discreet("{levelname} {message}", style="{"))
    logger = logging.getLogger("django.request")
    logger.addHandler(handler)
    yield lambda: stream.getvalue().splitlines()
    logger.removeHandler(handler)


@pytest.mark.django_db
def test_a_refused_request_is_logged_without_the_secret_in_its_address(client, lines):
    client.post(reverse("campaigns:mailchimp_webhook", args=["a-secret-token"]), b"x", content_type="text/plain")
    client.get("/nowhere/ann@mail.se")
    written = lines()
    assert written
    assert not [line for line in written if "secret-token" in line or "ann@mail.se" in line]
    assert written[-1] == "WARNING Not Found: an address that leads nowhere"


def test_an_error_is_told_by_kind_and_place(lines):
    try:
        raise ValueError("ann@mail.se is there already")
    except ValueError:
        logging.getLogger("django.request").exception("It failed")
    text = "\n".join(lines())
    assert "ValueError" in text
    assert "ann@mail.se" not in text.replace('raise ValueError("ann@mail.se is there already")', "")
