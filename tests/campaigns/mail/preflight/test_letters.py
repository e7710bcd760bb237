import pytest

from campaigns.mail import compose
from campaigns.mail.preflight import letters
from campaigns.mail.preflight.findings import Grade

WORDS = "The law has to change, and you can help to change it. " * 3
VALUES = {"unsubscribe_url": "https://crm.realstars.eu/u/x/"}


@pytest.fixture(autouse=True)
def sites(settings, names):
    settings.SITE_URL = "https://crm.realstars.eu"
    settings.ORGANISATION_ADDRESS = "Järntorget 7"
    names.records[("realstars.eu", "A")] = ["192.0.2.1"]


def judged(body):
    letter = compose.compile_text("en", "Hi", "", body).fill(VALUES)
    return [(finding.grade, finding.said) for finding in letters.judge({"English": letter})]


def test_a_sound_letter_is_good():
    (found,) = judged(WORDS + "[more](https://realstars.eu/law) [mail](mailto:a@realstars.eu)")
    assert found[0] is Grade.GOOD
    assert "Text and html parts" in found[1]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (WORDS * 700, "Gmail hides what stands behind 102 KB"),
        ("![](https://realstars.eu/a.png)", "says nothing"),
        ("![The court](https://realstars.eu/a.png)\n\nSign today.", "hardly any words"),
        (WORDS + "![](https://realstars.eu/a.png)", "no description"),
        (WORDS + "[x](https://example.org/)", "placeholder"),
        (WORDS + "[x](https://nowhere.realstars.eu/)", "no such site"),
        (WORDS + "[x](http://realstars.eu/)", "use https"),
        (WORDS + "[x](https://192.168.1.1/)", "nobody outside"),
        (WORDS + "[x](https://intranet/)", "nobody outside"),
    ],
)
def test_what_is_worth_a_look_is_said(body, said):
    found = judged(body)
    assert any(grade is Grade.WARNING and said in text for grade, text in found), found


def test_a_site_that_nobody_tells_of_is_not_called_missing(names, impatient):
    names.silent = {"realstars.eu"}
    assert [grade for grade, _said in judged(WORDS + "[x](https://realstars.eu/)")] == [Grade.GOOD]


def test_unsubscribing_wants_https(settings):
    assert letters.unsubscribing().grade is Grade.GOOD
    settings.SITE_URL = "http://crm.realstars.eu"
    assert letters.unsubscribing().grade is Grade.REFUSED


def test_the_foot_wants_a_postal_address(settings):
    assert letters.postal_address().grade is Grade.GOOD
    settings.ORGANISATION_ADDRESS = ""
    assert letters.postal_address().grade is Grade.WARNING
