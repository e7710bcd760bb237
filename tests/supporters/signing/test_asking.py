"""Signing with real sessions side by side."""

import threading

import pytest
from django.db import connections, transaction

from supporters import signing
from supporters.models import Letter, Signature
from tests.factories import ask_to_sign, make_petition

pytestmark = pytest.mark.django_db(transaction=True)


class Meanwhile:
    """Somebody who signs in a session of their own, while we hold what they wait for."""

    def __init__(self, **typed: str) -> None:
        self.failure: Exception | None = None
        self._thread = threading.Thread(target=self._sign, kwargs=typed)
        self._thread.start()
        self._thread.join(0.5)
        assert self._thread.is_alive()

    def _sign(self, **typed: str) -> None:
        try:
            ask_to_sign(**typed)
        except Exception as failure:  # told in the test's own thread
            self.failure = failure
        finally:
            connections.close_all()

    def wait(self) -> None:
        self._thread.join(10)
        assert not self._thread.is_alive()
        assert self.failure is None, self.failure


def test_who_signs_twice_at_the_same_moment_signs_once_and_the_last_word_counts():
    petition = make_petition()
    with transaction.atomic():
        ask_to_sign(petition=petition, first_name="Ewa")
        second = Meanwhile(petition=petition, first_name="Eva")
    second.wait()
    assert Signature.objects.get().typed["first_name"] == "Eva"
    assert Letter.objects.count() == 1


def test_who_signs_again_in_the_moment_of_confirming_is_asked_again():
    petition = make_petition()
    first = ask_to_sign(petition=petition)
    with transaction.atomic():
        assert signing.confirm(first.uuid)
        second = Meanwhile(petition=petition)
    second.wait()
    assert set(Signature.objects.values_list("state", flat=True)) == {"validated", "pending"}
    assert Letter.objects.get().signature.state == "pending"
