from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.mail import readers


@given(st.uuids())
def test_what_was_made_is_read(uuid):
    token = readers.reader_token(uuid)
    assert len(token) == 35
    assert readers.read(token) == uuid


@given(st.uuids(), st.integers(0, 34), st.sampled_from("abcXYZ019-_"))
def test_one_other_letter_and_it_is_not_ours(uuid, place, letter):
    token = readers.reader_token(uuid)
    other = token[:place] + letter + token[place + 1 :]
    assert readers.read(other) == (uuid if other == token else None)


@pytest.mark.parametrize("token", ["", "x", "é" * 35, "=" * 35, "a" * 35, "a" * 4000, "a.b", "%00"])
def test_nonsense_is_nobodys(token):
    assert readers.read(token) is None
    assert (
        readers.read(readers.reader_token(UUID(int=0)) + token) is (UUID(int=0) if not token else None) or not token
    )


def test_a_link_outlives_a_change_of_the_secret(settings):
    uuid = uuid4()
    token = readers.reader_token(uuid)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a new one", [settings.SECRET_KEY]
    assert readers.read(token) == uuid
    settings.SECRET_KEY_FALLBACKS = []
    assert readers.read(token) is None
