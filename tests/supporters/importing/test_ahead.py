import gc
import sys
import threading

import pytest
from django.utils import translation

from supporters.importing.ahead import OneAhead


def test_items_come_in_order_and_the_next_is_made_meanwhile():
    made = threading.Event()

    def items():
        yield 1
        yield 2
        made.set()
        yield 3

    with OneAhead(items()) as ahead:
        each = iter(ahead)
        assert [next(each), next(each)] == [1, 2]
        ahead.begin()
        assert made.wait(10)
        ahead.begin()
        assert list(each) == [3]


def test_nothing_is_made_before_it_is_begun_or_asked_for():
    asked = []

    def items():
        for n in range(3):
            asked.append(n)
            yield n

    with OneAhead(items()) as ahead:
        assert next(iter(ahead)) == 0
    assert asked == [0]


def test_what_goes_wrong_comes_when_its_turn_comes():
    def items():
        yield 1
        raise ValueError("2")

    with OneAhead(items()) as ahead:
        each = iter(ahead)
        assert next(each) == 1
        ahead.begin()
        with pytest.raises(ValueError, match="2"):
            next(each)


def test_items_are_made_in_the_language_of_who_wants_them():
    with translation.override("sv"), OneAhead(translation.get_language() for _n in range(2)) as ahead:
        assert list(ahead) == ["sv", "sv"]


def test_no_thread_stays_behind():
    with OneAhead(iter(range(1000))) as ahead:
        assert next(iter(ahead)) == 0
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]


def test_python_is_as_it_was_afterwards():
    before = gc.get_threshold(), sys.getswitchinterval()
    with OneAhead(iter("ab")) as ahead:
        assert list(ahead) == ["a", "b"]
        assert (gc.get_threshold(), sys.getswitchinterval()) != before
    assert (gc.get_threshold(), sys.getswitchinterval()) == before
