import re

import pytest

from campaigns.mail import compose, message, readers, tracking
from campaigns.mail.message import Recipient
from campaigns.models import Appeal, AppealLink, Delivery
from tests.campaigns.conftest import make_appeal, make_people, make_text

pytestmark = pytest.mark.django_db
BODY = """Dear {{ first_name }}

[our report](https://example.org/report?for={{ source_code }}) and [again](https://example.org/report?for={{ source_code }})

[!Give today]({{ donate_url }})

[yours](https://example.org/?name={{ first_name }}) <https://example.org/seen> [write](mailto:a@example.org)
[leave]({{ unsubscribe_url }}) [call](tel:+46123)
"""


@pytest.fixture(autouse=True)
def addresses(settings):
    settings.SITE_URL = "https://crm.example.org"
    settings.DONATE_URL = "https://example.org/give?a=1"


def sent(appeal, text):
    person = make_people(1, first_name="Åsa")[0]
    delivery = Delivery.objects.create(appeal=appeal, supporter=person, language="en")
    recipient = Recipient(delivery.uuid, person.email, person.first_name)
    return delivery, message.letter(appeal, text, recipient, tracking.counting(appeal, text))


def test_links_lead_through_us_and_say_whose_message_it_was():
    appeal = make_appeal(languages=[], source_code="spring")
    delivery, letter = sent(appeal, make_text(appeal, body=BODY))
    targets = dict(AppealLink.objects.values_list("target", "code"))
    assert set(targets) == {"https://example.org/report?for=spring", "https://example.org/give?a=1&source=spring"}
    through = re.findall(r'href="https://crm\.example\.org/c/([\w-]+)/([\w-]+)"', letter.html)
    report, give = (
        targets["https://example.org/report?for=spring"],
        targets["https://example.org/give?a=1&source=spring"],
    )
    assert [code for code, _reader in through] == [report, report, give]
    assert {readers.read(reader) for _code, reader in through} == {delivery.uuid}


def test_what_is_personal_or_no_page_is_left_as_it_is():
    appeal = make_appeal(languages=[], source_code="spring")
    _delivery, letter = sent(appeal, make_text(appeal, body=BODY))
    for href in (
        *("https://example.org/?name=%C3%85sa", "https://example.org/seen", "mailto:a@example.org", "tel:+46123"),
        *("https://crm.example.org/u/",),
    ):
        assert f'href="{href}' in letter.html
    assert (
        letter.html.count('href="https://crm.example.org/u/') == 3
    )  # in the text, and to leave and to choose in the foot
    assert "/c/" not in letter.text
    assert "https://example.org/give?a=1&source=spring" in letter.text


def test_nothing_is_counted_where_the_appeal_or_the_organisation_says_so(settings):
    appeal = make_appeal(languages=[])
    text = make_text(appeal, body=BODY)
    settings.COUNT_CLICKS = False
    assert tracking.counting(appeal, text) == compose.NOTHING_COUNTED
    settings.COUNT_CLICKS = True
    Appeal.objects.update(count_clicks=False)
    appeal.refresh_from_db()
    assert tracking.counting(appeal, text) == compose.NOTHING_COUNTED
    assert not AppealLink.objects.exists()


def test_a_preview_has_no_counted_links(staff_client):
    appeal = make_appeal(languages=[])
    make_text(appeal, body=BODY)
    assert "/c/" not in staff_client.get(f"/admin/campaigns/appeal/{appeal.pk}/preview_html/").text


def test_each_link_is_written_down_once_however_many_workers_ask():
    appeal = make_appeal(languages=[])
    text = make_text(appeal, body=BODY)
    first = tracking.counting(appeal, text)
    assert tracking.counting(appeal, text) == first
    assert len(dict(first.links)) == 2
    assert AppealLink.objects.count() == 2


def test_known_links_cost_one_query(django_assert_num_queries):
    appeal = make_appeal(languages=[])
    text = make_text(appeal, body=BODY)
    tracking.counting(appeal, text)
    with django_assert_num_queries(1):
        tracking.counting(appeal, text)


def test_a_field_that_looks_like_a_link_of_ours_stays_a_field():
    made = compose.compile_text(
        "en",
        "Hi",
        "",
        "zq0z [a](https://a.example/)",
        compose.Counting((("https://a.example/", "https://s/c/zq0z/"),)),
    )
    html = made.fill({"unsubscribe_url": "https://s/u/x/", "reader": "READER"}).html
    assert 'href="https://s/c/zq0z/READER"' in html
    assert "zq0z <a" in html


def test_no_picture_tells_of_opening_unless_the_organisation_wants_it(settings):
    appeal = make_appeal(languages=[])
    text = make_text(appeal, body="Hello")
    quiet = sent(appeal, text)[1]
    assert "<img" not in quiet.html
    assert "opened" not in quiet.html + quiet.text
    settings.COUNT_OPENS = True
    delivery, letter = sent(appeal, text)
    code, reader = re.search(
        r'<img src="https://crm\.example\.org/c/([\w-]+)/([\w-]+)"\s+width="1"', letter.html
    ).groups()
    assert AppealLink.objects.get(code=code).target == ""
    assert readers.read(reader) == delivery.uuid
    assert letter.html.index("<img") < letter.html.index("</body>")
    for part in (letter.html, letter.text):
        assert "We can see whether it was opened." in part
    swedish = sent(appeal, make_text(appeal, "sv", body="Hej"))[1]
    assert "Vi kan se om det har öppnats." in swedish.text
