"""Our texts said in Mailchimp's merge tags."""

import pytest

from campaigns.appeals import texts
from campaigns.mailchimp.mailing.content import content, problem
from tests.campaigns.conftest import make_appeal

pytestmark = pytest.mark.django_db


@pytest.fixture
def appeal(audience, swedes):
    audience.merge_fields = {"FNAME": "first_name", "LNAME": "last_name", "COUNTRY": "country"}
    audience.save()
    return make_appeal(
        segment=swedes, languages=("sv",), default_language="sv", channel="mailchimp", audience=audience
    )


@pytest.fixture
def text(appeal):
    return appeal.texts.get()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("{{ first_name }}", "*|FNAME|*"),
        ("{{ first_name|upper }}", "*|UPPER:FNAME|*"),
        ("{{ first_name|trim }}", "*|FNAME|*"),
        ("{{ name }}", "*|FNAME|* *|LNAME|*"),
        ("{{ first_name or 'friend' }}", "*|IF:FNAME|**|FNAME|**|ELSE:|*friend*|END:IF|*"),
        ("{{ 'Hej' if not first_name else first_name }}", "*|IF:FNAME|**|FNAME|**|ELSE:|*Hej*|END:IF|*"),
        ("{{ 'Tack' if country == 'SE' else 'Thanks' }}", "*|IF:COUNTRY=SE|*Tack*|ELSE:|*Thanks*|END:IF|*"),
        ("{{ 'Thanks' if country != 'SE' else 'Tack' }}", "*|IF:COUNTRY=SE|*Tack*|ELSE:|*Thanks*|END:IF|*"),
        ("{{ 'Kära' if language == 'sv' else 'Dear' }}", "Kära"),
        ("{{ source_code|upper }}", "APPEAL"),
    ],
)
def test_a_field_is_said_in_merge_tags(appeal, text, ours, theirs):
    appeal.source_code = "appeal"
    text.subject = text.preheader = text.body = ours
    made = content(appeal, text)
    assert (made.subject, made.preview) == (theirs, theirs)
    assert theirs in made.html
    assert made.text.startswith(theirs.strip())


def test_the_way_out_is_mailchimps(appeal, text):
    made = content(appeal, text)
    assert 'href="*|UNSUB|*"' in made.html
    assert "*|UNSUB|*" in made.text


def test_constants_are_escaped_for_their_place(appeal, text):
    text.subject = text.body = "{{ first_name or 'A & B <3' }}"
    made = content(appeal, text)
    assert "A & B <3" in made.subject
    assert "A &amp; B &lt;3" in made.html


@pytest.mark.parametrize(
    ("ours", "why"),
    [
        ("{{ city }}", "does not go along to the audience"),
        ("{{ first_name|capitalize }}", "no way to say {{ first_name|capitalize }}"),
        ("{{ first_name or (last_name or 'x') }}", "no way to say"),
        ("{{ 'a' if country == 'S|*' else 'b' }}", "no way to say"),
        ("[x](https://example.org/?n={{ first_name }})", "in a link"),
        ("*|UNSUB|*", "a meaning of their own in Mailchimp"),
    ],
)
def test_what_cannot_be_said_there_stands_in_the_way_of_scheduling(appeal, text, ours, why):
    text.subject = ours if ours.startswith("*") else text.subject
    text.body = ours
    text.save()
    assert why in problem(appeal, text)
    assert any(why in obstacle.message and obstacle.final for obstacle in texts.obstacles(appeal))


def test_a_segment_that_does_not_go_to_the_audience_stands_in_the_way(appeal):
    appeal.audience.links.all().delete()
    (obstacle,) = texts.obstacles(appeal)
    assert (obstacle.message, obstacle.final) == (
        "The segment “Swedes” does not go to the audience “RealStars”: add it there first.",
        True,
    )
