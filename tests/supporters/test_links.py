from base64 import urlsafe_b64encode
from uuid import uuid4

import pytest
from django.core.signing import Signer

from supporters import links
from supporters.links import Link


def test_a_token_opens_its_own_kind_of_link_only():
    uuid = uuid4()
    token = links.token(Link.LEAVE, uuid)
    assert links.read(Link.LEAVE, token) == uuid
    assert links.read(Link.LEAVE_BY_DELIVERY, token) is None


def test_a_token_shows_nothing_and_fits_a_path():
    uuid = uuid4()
    token = links.unsubscribe_token(uuid)
    assert uuid.hex not in token
    assert token.replace("-", "").replace("_", "").replace(".", "").isalnum()


@pytest.mark.parametrize("garbled", ["", "x", "x.y", "%00", "é" * 30, "." * 10])
def test_a_garbled_token_opens_nothing(garbled):
    assert links.read(Link.LEAVE, garbled) is None


def test_a_changed_token_opens_nothing():
    token = links.token(Link.LEAVE, uuid4())
    changed = ("A" if token[0] != "A" else "B") + token[1:]
    assert links.read(Link.LEAVE, changed) is None


def test_a_token_outlives_a_new_secret(settings):
    uuid = uuid4()
    token = links.token(Link.LEAVE, uuid)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key, long enough to be taken for one 0123456789"
    assert links.read(Link.LEAVE, token) == uuid


def test_a_token_is_what_django_would_sign(settings):
    uuid = uuid4()
    for settings.SECRET_KEY in ("one key, long enough to be taken for one 0123456789", "another of them 0123456789"):
        value = urlsafe_b64encode(uuid.bytes).rstrip(b"=").decode()
        signed = Signer(salt="supporters.links.leave.supporter", sep=".").sign(value)
        assert links.token(Link.LEAVE, uuid) == signed
