"""Signing with real sessions side by side."""

import threading
from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, connections, transaction

from supporters import signing
from supporters.models import Letter, Petition, Signature
from tests.factories import ask_to_sign, make_petition

pytestmark = pytest.mark.django_db(transaction=True)


class Meanwhile:
    """Somebody who acts in a session of their own, while we hold what they wait for."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.failure: Exception | None = None
        self._thread = threading.Thread(target=self._act, args=[act])
        self._thread.start()
        self._thread.join(0.5)
        assert self._thread.is_alive()

    def _act(self, act: Callable[[], object]) -> None:
        try:
            act()
        except Exception as failure:  # told in the test's own thread
            self.failure = failure
        finally:
            connections.close_all()

    def wait(self) -> None:
        self._thread.join(10)
        assert not self._thread.is_alive()
        if self.failure:
            raise self.failure


def delete(petition: Petition) -> None:
    """Past Django, which would look for signatures first."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM supporters_petition WHERE id = %s", [petition.pk])


def test_who_signs_twice_at_the_same_moment_signs_once_and_the_last_word_counts():
    petition = make_petition()
    with transaction.atomic():
        ask_to_sign(petition=petition, first_name="Ewa")
        second = Meanwhile(lambda: ask_to_sign(petition=petition, first_name="Eva"))
    second.wait()
    assert Signature.objects.get().typed["first_name"] == "Eva"
    assert Letter.objects.count() == 1


def test_who_signs_again_in_the_moment_of_confirming_is_asked_again():
    petition = make_petition()
    first = ask_to_sign(petition=petition)
    with transaction.atomic():
        assert signing.confirm(first.uuid)
        second = Meanwhile(lambda: ask_to_sign(petition=petition))
    second.wait()
    assert set(Signature.objects.values_list("state", flat=True)) == {"validated", "pending"}
    assert Letter.objects.get().signature.state == "pending"


def test_a_petition_is_not_deleted_under_those_who_sign_it():
    petition = make_petition()
    with transaction.atomic():
        ask_to_sign(petition=petition)
        deleted = Meanwhile(lambda: delete(petition))
    with pytest.raises(IntegrityError, match="signed"):
        deleted.wait()
    with pytest.raises(IntegrityError, match="signed"):
        delete(petition)
    assert Signature.objects.get().petition == petition


def test_who_signs_a_petition_in_the_moment_of_its_deletion_does_not_sign():
    petition = make_petition()
    done = []
    with transaction.atomic():
        delete(petition)
        late = Meanwhile(lambda: done.append(ask_to_sign(petition=petition)))
    with pytest.raises(Signature.DoesNotExist):
        late.wait()
    assert (done, Signature.objects.count(), Letter.objects.count()) == ([], 0, 0)


def test_a_letter_goes_with_its_signature():
    petition = make_petition()
    other = ask_to_sign(petition=petition, email="eva@mail.se")
    signature = ask_to_sign(petition=petition)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM supporters_signature WHERE id = %s", [signature.pk])
    assert Letter.objects.get().signature == other
