import pytest

from campaigns.mail import compose
from campaigns.mail.fields import FieldError

ADA = {
    "first_name": "Ada",
    "last_name": "Öberg",
    "name": "Ada Öberg",
    "city": "",
    "country": "SE",
    "language": "en",
    "unsubscribe_url": "https://example.org/u/abc/",
    "site_url": "https://example.org",
    "donate_url": "https://example.org/give?a=1&source=spring",
    "petition_url": "",
    "organisation_name": "RealStars",
    "source_code": "spring 26",
}


@pytest.fixture(autouse=True)
def organisation(settings):
    settings.ORGANISATION_NAME = "RealStars"
    settings.ORGANISATION_ADDRESS = "Järntorget 7, Göteborg"
    settings.DONATE_URL = "https://example.org/give"
    settings.PETITION_URL = ""


def letter(body, subject="Hello", preheader="", language="en", **values):
    return compose.compile_text(language, subject, preheader, body).fill({**ADA, **values})


@pytest.mark.parametrize(
    ("source", "line", "said"),
    [
        ("Dear\n\n{{ frist_name }}", 3, "Did you mean “first_name”?"),
        ("{{ first_name|uper }}", 1, "Did you mean “|upper”?"),
        ("One\n{{ first_name", 2, "unexpected end"),
        ("{{ first_name.__class__ }}", 1, "a field is a single name"),
        ("{{ range(10) }}", 1, "can't be called"),
        ("{{ 'a' * 99999999 }}", 1, "can't be used"),
        ("{{ first_name[0] }}", 1, "can't be used"),
        ("{{ name|default(country) }}", 1, "plain text"),
        ("a\n{% for x in y %}", 2, "has no meaning here"),
        ("{# hidden #}", 1, "has no meaning here"),
        ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", 1, "too deeply"),
        ("{{ petition_url }}", 1, "is not set up here"),
        ("text\n\n[here]({{ first_name }})", 3, "is no address"),
        ("[here](/give)", 1, "https://"),
        ("[here](https://{{ country }}.example.org/)", 1, "behind the host"),
        ("![picture](http://example.org/a.png)", 1, "https://"),
    ],
)
def test_check_names_the_line_and_the_mistake(source, line, said):
    problems = compose.check(source)
    assert problems[0].line == line
    assert said in problems[0].message


@pytest.mark.parametrize(
    "source",
    [
        "Dear {{ first_name or 'friend' }}",
        '{{ "Kära" if language == "sv" else "Dear" }} {{ last_name|upper }}',
        "[!Give]({{ donate_url }}) and [more](https://example.org/?c={{ source_code }})",
        "Nothing at all, 100 % plain { and }",
    ],
)
def test_check_accepts_what_can_be_sent(source):
    assert compose.check(source) == []


def test_check_line_refuses_a_second_line():
    assert "single line" in compose.check_line("a\nBcc: everybody@example.org")[0].message


def test_fields_are_filled_in_and_escaped_for_their_place():
    made = letter(
        "Dear {{ first_name }}\n\n[more](https://example.org/?c={{ source_code }})",
        subject="For {{ first_name }}",
        first_name='<b>"A" & Ö</b>\r\nBcc: x@example.org',
    )
    assert made.subject == 'For <b>"A" & Ö</b> Bcc: x@example.org'
    assert 'Dear <b>"A" & Ö</b> Bcc: x@example.org\n' in made.text
    assert "Dear &lt;b&gt;&quot;A&quot; &amp; Ö&lt;/b&gt;" in made.html
    assert "<b>" not in made.html
    assert 'href="https://example.org/?c=spring%2026"' in made.html
    assert "more (https://example.org/?c=spring%2026)" in made.text


def test_an_empty_field_falls_back():
    assert "Dear friend," in letter('Dear {{ first_name or "friend" }},', first_name="").text


def test_a_name_is_never_read_as_markdown_or_as_a_field():
    made = letter("Dear {{ first_name }}", first_name="**{{ last_name }}** [x](https://evil.example)")
    assert "Dear **{{ last_name }}** [x](https://evil.example)" in made.text
    assert "<strong>" not in made.html
    assert "evil.example)" in made.html
    assert 'href="https://evil' not in made.html


def test_raw_html_is_shown_not_interpreted():
    made = letter("<script>alert(1)</script>\n\nHi <img src=x onerror=alert(1)>")
    assert "<script>alert" not in made.html
    assert "&lt;script&gt;" in made.html
    assert "<img src=x" not in made.html


def test_a_link_marked_with_an_exclamation_mark_becomes_a_button():
    made = letter("Please\n\n[!Give today]({{ donate_url }})\n\nThanks")
    assert "Give today" in made.html
    assert "!Give" not in made.html + made.text
    assert 'href="https://example.org/give?a=1&amp;source=spring"' in made.html
    assert "Give today:\nhttps://example.org/give?a=1&source=spring\n" in made.text
    assert made.html.index("Please") < made.html.index("Give today") < made.html.index("Thanks")


@pytest.mark.parametrize(("language", "colon"), [("en", ":"), ("fr", "\u202f:")])
def test_a_colon_before_an_address_is_set_as_the_language_does(language, colon):
    made = letter("[!Go]({{ donate_url }})", language=language).text
    assert f"Go{colon}\nhttps://example.org/give" in made
    assert f"{colon} https://example.org/u/abc/\n" in made


def test_plain_text_is_wrapped_and_keeps_its_structure():
    made = letter("# Title\n\n" + "word " * 40 + "\n\n- one\n- two\n\n> quoted\n\nhard  \nbreak")
    assert max(len(line) for line in made.text.splitlines()) <= 72
    assert "Title\n=====" in made.text
    assert "- one\n- two" in made.text
    assert "> quoted" in made.text
    assert "hard\nbreak" in made.text


def test_every_letter_says_why_it_came_from_whom_and_how_to_leave():
    made = letter("Hi")
    for part in (made.text, made.html):
        assert "because you agreed to hear from RealStars by email" in part
        assert "Järntorget 7, Göteborg" in part
        assert "https://example.org/u/abc/" in part


def test_the_foot_is_in_the_letters_own_language():
    assert "Avsluta utskick" in letter("Hej", language="sv").html
    assert "Abmelden: https://example.org/u/abc/" in letter("Hallo", language="de").text
    arabic = letter("مرحبا", language="ar").html
    assert 'lang="ar" dir="rtl"' in arabic
    assert "إلغاء الاشتراك" in arabic


def test_a_letter_fetches_nothing_from_anybody():
    made = letter("Hi")
    assert "<link" not in made.html
    assert "@import" not in made.html
    assert "<img" not in made.html


def test_a_language_without_translation_gets_english():
    assert "Unsubscribe" in letter("Góðan dag", language="is").html


def test_words_that_look_like_our_markers_stay_as_they_are():
    made = letter("zq0z zblock0z zqq1z {{ first_name }}")
    assert "zq0z zblock0z zqq1z Ada" in made.text
    assert "zq0z zblock0z zqq1z Ada" in made.html


def test_preheader_is_hidden_at_the_top():
    made = letter("Body", preheader="For {{ first_name }} only")
    assert made.html.index("For Ada only") < made.html.index("Body")
    assert "For Ada only" not in made.text


def test_a_missing_value_is_an_error_of_that_person_only():
    template = compose.compile_text("en", "Hi", "", "Dear {{ first_name }}")
    with pytest.raises(FieldError, match="first_name"):
        template.fill({"unsubscribe_url": "x"})
    assert "Dear Ada" in template.fill(ADA).text


def test_a_text_is_compiled_once_for_everybody():
    first = compose.compile_text("en", "Hi", "", "Once {{ first_name }}")
    assert compose.compile_text("en", "Hi", "", "Once {{ first_name }}") is first
    assert compose.compile_text("en", "Hi", "", "Changed {{ first_name }}") is not first


def test_a_space_that_the_writer_put_into_a_field_stays():
    made = letter('Dear friends{{ " and " ~ first_name if first_name }},', subject='You{{ " and " ~ first_name }}')
    assert "Dear friends and Ada," in made.text
    assert made.subject == "You and Ada"
