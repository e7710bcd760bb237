import os
import subprocess
import sys

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supporters.hygiene import phones
from supporters.places import EU

PLACES = sorted(EU | {"GB", "NO", "CH", "IS", "UA", "US"})
KINDS = (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE)


@st.composite
def numbers(draw) -> tuple[str, str]:
    """A number of a country's plan with some figures changed, as people may write it, and where they are."""
    country = draw(st.sampled_from(PLACES))
    example = phonenumbers.example_number_for_type(country, draw(st.sampled_from(KINDS)))
    figures = list(phonenumbers.national_significant_number(example))
    for place in draw(st.lists(st.integers(0, len(figures) - 1), max_size=4)):
        figures[place] = draw(st.sampled_from("0123456789"))
    before = draw(
        st.sampled_from(["", "0", "06", "8", "1", f"+{example.country_code} ", f"00{example.country_code}", "+"])
    )
    after = draw(st.sampled_from(["", "", "", "7", "-12"]))
    between = draw(st.sampled_from(["", "-", " ", "/", ") "]))
    return f"{before}{''.join(figures[:3])}{between}{''.join(figures[3:])}{after}", draw(
        st.sampled_from([country, "SE"])
    )


@settings(deadline=None)  # the first of a country reads its plan
@given(numbers())
def test_the_quick_way_says_what_the_library_says(number):
    """A number that the quick way takes is the one that the library takes."""
    written, country = number
    if found := phones._usual(written, country):
        assert found == phones._unusual(written, country)


@pytest.mark.parametrize("country", [place for place in PLACES if place != "US"])
def test_usual_numbers_go_the_quick_way(country):
    for kind in KINDS:
        example = phonenumbers.example_number_for_type(country, kind)
        written = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.NATIONAL)
        assert phones._usual(written, country) == phonenumbers.format_number(
            example, phonenumbers.PhoneNumberFormat.E164
        )


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        ("+46701234567", "070-123 45 67"),
        ("+46812345678;ext=12", "08-123 456 78 ext. 12"),
        ("+4930901820", "+49 30 901820"),
        ("+1", "+1"),
        ("ask me", "ask me"),
        ("", ""),
    ],
)
def test_numbers_are_shown_as_people_write_them(kept, shown, settings):
    settings.ORGANISATION_COUNTRY = "SE"
    assert phones.show_phone(kept) == shown


def test_numbers_are_found_in_any_spelling():
    assert phones.figures_of("070-123 45 67") == phones.figures_of("0701234567") == "701234567"
    assert phones.figures_of("+46 70 123 45 67") == "46701234567"
    assert phones.figures_of("Anna 070") == phones.figures_of("1234") == ""


def test_workers_that_send_mail_load_none_of_it():
    code = (
        "import django, sys; django.setup();"
        "import config.celery, crm.tasks, supporters.tasks, campaigns.tasks, campaigns.appeals.sending;"
        "print(sorted({'phonenumbers', 'disposable_email_domains'} & set(sys.modules)))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert shown.stdout.strip() == "[]"
