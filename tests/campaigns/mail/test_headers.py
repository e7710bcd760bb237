from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import default
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.mail import headers
from campaigns.mail.compose import one_line

LINES = st.text(st.characters(blacklist_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=160).map(one_line)
WORDS = st.lists(
    st.sampled_from(["τον", "νόμο", "åäö", "law", "法律", "🌟", "Ελλάδα,", "and"]), min_size=1, max_size=20
).map(" ".join)


def carried(subject: str, name: str) -> tuple[str, str]:
    """What a reader's program sees of these."""
    raw = headers.unstructured("Subject", subject) + headers.mailbox("To", name, "asa@mail.se")
    assert max(len(line) for line in raw.split(b"\r\n")) <= 78  # RFC 5322, 2.1.1
    assert raw.isascii()
    # The name is read by email.header: the newer parser puts spaces between the encoded words of a phrase.
    encoded, address = parseaddr(message_from_bytes(raw)["To"].replace("\r\n", ""))
    assert address == "asa@mail.se"
    return str(message_from_bytes(raw, policy=default)["Subject"]), str(make_header(decode_header(encoded)))


@given(subject=WORDS, name=WORDS)
def test_no_space_is_lost_between_encoded_words(subject, name):
    assert carried(subject, name) == (subject, name)


@given(subject=LINES)
def test_any_subject_is_read_as_it_was_written(subject):
    assert " ".join(carried(subject, "Åsa")[0].split()) == " ".join(subject.split())


@pytest.mark.parametrize("name", ['Åsa "the" Ek', "Ek, Åsa", "Åsa <asa@evil.test>", "O’Connor (Dublin)", "Anna Ek"])
def test_names_stay_names(name):
    assert carried("x", name)[1] == name
