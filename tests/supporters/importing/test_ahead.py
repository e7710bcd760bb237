import threading
from contextlib import closing

import pytest
from django.utils import translation

from supporters.importing.ahead import one_ahead


def test_items_come_in_order_and_the_next_is_made_meanwhile():
    made = threading.Event()

    def items():
        yield 1
        yield 2
        made.set()
        yield 3

    with closing(one_ahead(items())) as ahead:
        assert next(ahead) == 1
        assert next(ahead) == 2
        assert made.wait(10)
        assert list(ahead) == [3]


def test_what_goes_wrong_comes_when_its_turn_comes():
    def items():
        yield 1
        raise ValueError("2")

    ahead = one_ahead(items())
    assert next(ahead) == 1
    with pytest.raises(ValueError, match="2"):
        next(ahead)


def test_items_are_made_in_the_language_of_who_wants_them():
    with translation.override("sv"), closing(one_ahead(translation.get_language() for _n in range(2))) as ahead:
        assert list(ahead) == ["sv", "sv"]


def test_no_thread_stays_behind():
    with closing(one_ahead(iter(range(1000)))) as ahead:
        assert next(ahead) == 0
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]
