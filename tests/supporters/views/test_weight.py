"""Pages for supporters open quickly on an old phone on a slow net: few bytes, few requests, nothing that holds up the first look."""

import re
from gzip import compress
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.core.cache import cache

from tests.demo.petition import TEXTS
from tests.factories import make_petition, make_signature, make_supporter

pytestmark = pytest.mark.django_db
LIGHT = 20_000
"""Bytes of a page with all that it needs, as they travel: a second and a half at 128 kbit/s."""


@pytest.fixture
def petition(broker, settings):
    cache.clear()
    settings.DONATE_URL, settings.STRIPE_SECRET_KEY = f"{settings.SITE_URL}/give/", "sk_test_abc"
    petition = make_petition(slug="one-law", asks_postcode=True)
    for language, (title, target, body) in TEXTS.items():
        petition.texts.create(language=language, title=title, target=target, body=body)
    for name in ("Zoë", "Яна", "ليلى", "Åsa", "Jürgen", "Ioana"):
        signer = make_supporter(first_name=name)
        make_signature(
            petition, signer, state="validated", validated_at="2026-05-01T12:00Z", shown=True, country="PL"
        )
    return petition


@pytest.mark.parametrize("language", ["en", "ar", "uk", "pl"])
@pytest.mark.parametrize(
    "path", ["p/one-law/", "p/one-law/thanks/", "p/one-law/totals/", "p/one-law/embed/", "give/", "me/"]
)
def test_a_page_is_light_and_nothing_holds_up_the_first_look(client, petition, language, path):
    answer = client.get(f"/{language}/{path}", headers={"accept-encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    text = client.get(f"/{language}/{path}").text
    files = re.findall(r'(?:src|href)="/static/([^"]+)"', text)
    assert len(files) <= 3
    assert len(answer.content) + sum(travels(name) for name in files) < LIGHT
    head = text.partition("</head>")[0]
    assert all(" defer" in tag for tag in re.findall(r"<script[^>]*>", text))
    assert head.count('rel="stylesheet"') == 1
    assert "@import" not in text
    assert "<img" not in text


def test_style_sheets_fetch_nothing_else():
    css = Path(finders.find("supporters/public.css")).read_text()
    assert "@import" not in css
    assert "url(" not in css


def travels(name: str) -> int:
    """Bytes of a file as it is sent: compressed once, when files are collected."""
    return len(compress(Path(finders.find(name)).read_bytes()))
