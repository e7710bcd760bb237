import threading

import pytest

from campaigns.mailchimp.lanes import Job, Lanes
from campaigns.mailchimp.slots import AT_ONCE


def test_eight_calls_are_under_way_at_once_and_their_answers_come_to_one_thread():
    together = threading.Barrier(AT_ONCE)
    got, threads = [], set()

    def call(number):
        together.wait(30)
        return number

    def then(number):
        threads.add(threading.current_thread())
        got.append(number)

    with Lanes() as lanes:
        lanes.work_off(Job(lambda number=number: call(number), then) for number in range(4 * AT_ONCE))
    assert sorted(got) == list(range(4 * AT_ONCE))
    assert threads == {threading.current_thread()}


def test_jobs_are_made_only_when_there_is_room_for_them():
    made, most = [], []
    under_way = set()

    def jobs():
        for number in range(50):
            made.append(number)
            under_way.add(number)
            most.append(len(under_way))
            yield Job(lambda number=number: number, under_way.discard)

    with Lanes() as lanes:
        lanes.work_off(jobs())
    assert len(made) == 50
    assert max(most) <= 2 * AT_ONCE  # as many are under way while those that were answered are worked on


def test_those_in_line_begin_while_this_thread_is_busy():
    begun = threading.Semaphore(0)

    def meanwhile():
        for _call in range(3 * AT_ONCE - len(counted)):
            assert begun.acquire(timeout=30)
            counted.append(1)

    counted: list[int] = []
    with Lanes() as lanes:
        lanes.work_off((Job(begun.release, lambda _none: None) for _n in range(3 * AT_ONCE)), meanwhile, 2 * AT_ONCE)
    assert len(counted) == 3 * AT_ONCE


def test_those_in_line_do_not_begin_after_a_failure():
    others_may_end = threading.Event()
    begun, passes = [], []

    def call(number):
        begun.append(number)
        if number == 0:
            raise ValueError("first")
        assert others_may_end.wait(30)

    def meanwhile():
        passes.append(1)
        if len(passes) > 1:  # the failure has been seen
            others_may_end.set()

    jobs = (Job(lambda number=number: call(number), lambda _none: None) for number in range(50))
    with pytest.raises(ValueError, match="first"), Lanes() as lanes:
        lanes.work_off(jobs, meanwhile, AT_ONCE)
    assert len(begun) <= AT_ONCE + 1


@pytest.mark.parametrize("where", ["call", "then", "making"])
def test_after_a_failure_nothing_more_begins_and_what_is_under_way_is_written_down(where):
    written, made = [], []
    others_are_in = threading.Barrier(AT_ONCE)

    def jobs():
        for number in range(100):
            if where == "making" and number == AT_ONCE - 1:
                others_are_in.wait(30)
                raise ValueError(where)
            made.append(number)
            yield Job(lambda number=number: call(number), then)

    def call(number):
        if number < AT_ONCE:
            others_are_in.wait(30)
        if where == "call" and number == 3:
            raise ValueError(where)
        return number

    def then(number):
        if where == "then" and number == 3:
            raise ValueError(where)
        written.append(number)

    with pytest.raises(ValueError, match=where), Lanes() as lanes:
        lanes.work_off(jobs())
    assert len(made) < 100
    assert set(made) - set(written) <= {3}
