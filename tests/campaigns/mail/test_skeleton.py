"""The octets of the skeleton say what the plain way says, whatever goes into them."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import parseaddr, parsedate_to_datetime
from uuid import UUID

import pytest
from django.conf import settings
from hypothesis import HealthCheck, Phase, assume, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from campaigns.mail import compose, message
from campaigns.mail.compose import NOTHING_COUNTED, Counting
from campaigns.mail.fields import FIELDS, FILTERS
from campaigns.mail.message import Recipient
from campaigns.models import Appeal, AppealText
from tests.campaigns.mail import plain

NO_SHRINKING = [Phase.explicit, Phase.reuse, Phase.generate]
"""To make a failing example smaller would take longer than anybody waits."""
DATE = datetime(2026, 5, 1, 12, tzinfo=UTC)
NASTY = st.sampled_from(
    [
        *(
            ".",
            "..",
            ".hidden",
            "",
            " ",
            "\r\n.\r\n",
            "a\r\nBcc: all@example.org",
            "\x00",
            "\x85",
            "\u2028.",
            "\ud800",
        ),
        *("=?utf-8?q?=41?=", "=?utf-8?b?", "=_", "--=_", "=\r\n", "=2E", "--boundary--", "From here", "{{ name }}"),
        *("\u202eevil\u202c", "\u200f", "e\u0301" * 30, "🌟" * 40, "名" * 300, "x" * 3000, ". " * 700, "<b>&amp;\"'"),
        *("Ann, Bo; Co <a@b.example>", '"', "\\", "zq0z", "%s %b", "O’Connor (Dublin)", "אבג abc דהו", "a  b   c"),
    ]
)
WORDS = st.one_of(NASTY, st.text(max_size=40), st.lists(NASTY, max_size=3).map("".join))
EXPRESSIONS = [
    *FIELDS,
    *(f"first_name|{name}" for name in FILTERS if name != "default"),
    'first_name or "friend"',
    '"Kära" if language == "sv" else "Dear " ~ name',
    r'"two\nlines" ~ city',
]
FIELD = st.sampled_from(EXPRESSIONS).map("{{{{ {} }}}}".format)
LINK = FIELD.map("[here](https://example.org/?c={})".format)
BUTTON = st.just("\n\n[!Give]({{ donate_url }})\n\n")
MARKS = st.sampled_from(["\n", "\n\n", "\n\n    ", "**", "\n- ", "\n> ", "`", "\n```\n", "  \n", ".", "\n\n."])
LITERAL = WORDS.map(lambda text: re.sub(r"[{}\ud800-\udfff\x00]", "", text))
BODY = st.lists(st.one_of(LITERAL, FIELD, LINK, BUTTON, MARKS), min_size=1, max_size=12).map("".join)
LINE = st.lists(st.one_of(LITERAL, FIELD), min_size=1, max_size=4).map(lambda text: " ".join("".join(text).split()))
COUNTED = Counting((("{{ donate_url }}", "https://crm.example/c/x1/"),), "https://crm.example/c/x2/")
PEOPLE = st.builds(
    Recipient,
    delivery=st.uuids(),
    email=st.sampled_from(
        ["ann@mail.se", "o'brien+law@mail.se", "jörgen@mail.se", '"odd one"@mail.se', "a" * 64 + "@" + "b.se" * 40]
    ),
    first_name=WORDS,
    last_name=WORDS,
    city=WORDS,
    country=st.sampled_from(["SE", ""]),
)


@pytest.fixture(autouse=True)
def links(settings):
    settings.DONATE_URL = "https://example.org/give?a=1"
    settings.PETITION_URL = "https://example.org/sign"
    settings.ORGANISATION_NAME = "Réal & Stars"
    settings.ORGANISATION_ADDRESS = ".Järntorget 7"


def parts_of(raw):
    """What Python's own parser reads: each header, then text and html."""
    mail = message_from_bytes(raw, policy=policy.default)
    headers = {}
    for name, value in mail.items():
        if name in {"From", "To", "Reply-To"}:
            (address,) = value.addresses
            headers[name] = (_display_name(raw, name), address.addr_spec)
        elif name == "Content-Type":
            headers[name] = value.content_type
        elif name not in {"Date", "Content-Transfer-Encoding"}:
            headers[name] = str(value)
    assert not mail.defects
    text, html = mail.iter_parts()
    assert [text.get_content_type(), html.get_content_type()] == ["text/plain", "text/html"]
    return headers, text.get_content(), html.get_content()


def _display_name(raw, name):
    # By the older parser: the newer one puts spaces between the encoded words of a phrase.
    value = str(message_from_bytes(raw)[name]).replace("\r\n", "")
    return " ".join(str(make_header(decode_header(parseaddr(value)[0]))).split())


@effort(deadline=None, max_examples=100, phases=NO_SHRINKING, suppress_health_check=list(HealthCheck))
@given(
    people=st.lists(PEOPLE, min_size=1, max_size=3),
    language=st.sampled_from([code for code, _name in settings.LANGUAGES]),
    subject=LINE,
    preheader=LINE,
    body=BODY,
    sender=LITERAL,
    eight_bit=st.booleans(),
    counting=st.sampled_from([NOTHING_COUNTED, COUNTED]),
)
def test_the_skeleton_reads_as_the_plain_message(
    people, language, subject, preheader, body, sender, eight_bit, counting
):
    appeal = Appeal(pk=7, source_code="spring 26", sender_name=sender, sender_email="hej@realstars.se")
    text = AppealText(language=language, subject=subject, preheader=preheader, body=body)
    assume(not (compose.check_line(subject) or compose.check_line(preheader) or compose.check(body)))
    skeleton = message.wire(appeal, text, counting, eight_bit=eight_bit)
    for person in people:
        raw, wired = skeleton.fill(person, DATE), skeleton.fill_wire(person, DATE)
        assert parts_of(raw) == parts_of(plain.build(appeal, text, person, counting))
        assert re.sub(rb"(?m)^\.\.", b".", wired) == raw
        assert not re.search(rb"(?m)^\.(?!\.)", wired)
        assert parsedate_to_datetime(str(message_from_bytes(raw)["Date"])) == DATE
        check_lines(raw, eight_bit, person.needs_smtputf8)


def check_lines(raw, eight_bit, utf8):
    assert b"\x00" not in raw
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert raw.endswith(b"\r\n")
    assert max(map(len, raw.split(b"\r\n"))) <= 998  # RFC 5322, 2.1.1
    assert eight_bit or utf8 or raw.isascii()
    for part in message_from_bytes(raw, policy=policy.default).iter_parts():
        assert part["Content-Transfer-Encoding"] in {"8bit", "quoted-printable"}
        if part["Content-Transfer-Encoding"] == "quoted-printable":
            lines = part.get_payload().splitlines()
            assert max(map(len, lines), default=0) <= 76  # RFC 2045, 6.7
            assert not any(line.startswith(".") for line in lines)


def filled(body, eight_bit=True, language="sv", subject="Hej", **person):
    text = AppealText(language=language, subject=subject, body=body)
    appeal = Appeal(pk=7, source_code="spring", sender_name="RealStars", sender_email="hej@realstars.se")
    recipient = Recipient(**{"delivery": UUID(int=1), "email": "ann@mail.se", **person})
    return message.wire(appeal, text, eight_bit=eight_bit), recipient


def encodings(raw):
    return [part["Content-Transfer-Encoding"] for part in message_from_bytes(raw).get_payload()]


def test_eight_bits_where_the_server_takes_them():
    skeleton, ann = filled("Räksmörgås åt {{ first_name }}", first_name="Åsa")
    raw = skeleton.fill(ann)
    assert encodings(raw) == ["8bit", "8bit"]
    assert message_from_bytes(raw)["Content-Transfer-Encoding"] == "8bit"  # RFC 2045, 6.4
    assert "Räksmörgås åt Åsa".encode() in raw


def test_seven_bits_elsewhere():
    skeleton, ann = filled("Räksmörgås åt {{ first_name }}", eight_bit=False, first_name="Åsa")
    raw = skeleton.fill(ann)
    assert encodings(raw) == ["quoted-printable", "quoted-printable"]
    assert raw.isascii()
    assert parts_of(raw)[1].startswith("Räksmörgås åt Åsa\r\n")


def test_a_value_too_long_for_its_line_makes_that_message_quoted_printable():
    skeleton, ann = filled("Hej {{ first_name }}", first_name="名" * 1500)
    assert encodings(skeleton.fill(ann)) == ["quoted-printable", "quoted-printable"]
    assert encodings(skeleton.fill(Recipient(UUID(int=2), "bo@mail.se", "Bo"))) == ["8bit", "8bit"]


def test_a_text_line_too_long_for_eight_bits_makes_its_part_quoted_printable():
    skeleton, ann = filled("法" * 400)
    assert encodings(skeleton.fill(ann)) == ["quoted-printable", "quoted-printable"]
    skeleton, ann = filled("law " * 400)
    assert encodings(skeleton.fill(ann)) == ["8bit", "8bit"]


def test_a_value_that_looks_like_the_border_between_the_parts_is_no_border():
    skeleton, ann = filled("{{ first_name }}")
    boundary = message_from_bytes(skeleton.fill(ann)).get_boundary()
    for name in (f"--{boundary}", f"--{boundary}--"):
        raw = skeleton.fill(Recipient(UUID(int=2), "bo@mail.se", name))
        assert parts_of(raw)[1].startswith(f"{name}\r\n")


@pytest.mark.parametrize(
    ("body", "name"),
    [("{{ first_name }}", ".x"), ("{{ first_name }}.x", ""), ("{{ first_name }}{{ city }}.x", ""), (".x", "Ann")],
)
def test_a_dot_that_begins_a_line_is_doubled_on_the_wire(body, name):
    skeleton, ann = filled(body, first_name=name)
    assert b"\r\n\r\n.x\r\n" in skeleton.fill(ann)
    assert b"\r\n\r\n..x\r\n" in skeleton.fill_wire(ann)


def test_a_field_that_fails_for_one_person_fails_for_that_one():
    skeleton, ann = filled('{{ "x" if first_name < 1 else "" }}', first_name="Ann")
    with pytest.raises(compose.FieldError, match="first_name"):
        skeleton.fill(ann)


def test_a_skeleton_is_compiled_once():
    assert filled("Hej {{ name }}")[0] is filled("Hej {{ name }}")[0]
    assert filled("Hej {{ name }}")[0] is not filled("Hej {{ name }}", eight_bit=False)[0]
