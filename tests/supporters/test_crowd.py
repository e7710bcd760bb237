import json

import pytest
from altcha import Challenge, Payload, solve_challenge
from django.test import RequestFactory

from supporters import crowd, puzzles


def visitor(address, **headers):
    return RequestFactory().post("/", REMOTE_ADDR=address, headers=headers)


def turns(*addresses):
    """How many of these visitors, who come at once, get their turn."""
    return sum(crowd.hold(visitor(address), "sign") is None for address in addresses)


def test_one_address_gets_a_burst_and_is_then_slowed(broker):
    assert turns(*["10.0.0.1"] * 30) in range(20, 23)
    assert crowd.hold(visitor("10.0.0.1"), "sign").seconds in {1, 2}


def test_one_network_is_slowed_whatever_address_it_uses(broker):
    assert turns(*[f"10.0.0.{n}" for n in range(60)]) in range(40, 45)


def test_a_network_of_ipv6_is_a_site_and_a_machine_has_many_addresses(broker):
    assert turns(*[f"2001:db8:1:2::{n:x}" for n in range(30)]) in range(20, 23)
    assert turns(*[f"2001:db8:2:{n:x}::1" for n in range(60)]) in range(40, 45)


def test_people_from_everywhere_are_never_slowed(broker):
    assert turns(*[f"10.{n}.0.1" for n in range(200)]) == 200


def test_forms_are_limited_each_for_itself(broker):
    turns(*["10.0.0.1"] * 30)
    assert crowd.hold(visitor("10.0.0.1"), "give") is None


def test_only_our_own_proxy_is_believed(broker, settings):
    settings.BEHIND_PROXY = True
    holds = [crowd.hold(visitor("127.0.0.1", x_forwarded_for=f"10.9.{n}.1, 10.0.0.1"), "sign") for n in range(30)]
    assert holds.count(None) in range(20, 23)


@pytest.mark.parametrize("said", ["", "nonsense", "1.2.3.4.5"])
def test_addresses_that_are_none_share_one_limit(broker, said):
    assert crowd.hold(visitor(said), "sign") is None


def test_no_address_stands_in_redis(broker):
    turns(*["10.0.0.1"] * 30)
    assert not [key for key in broker.scan_iter() if b"10.0.0" in key]


def test_without_redis_nobody_is_turned_down(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert turns(*["10.0.0.1"] * 30) == 30


def solution_of(hold):
    challenge = Challenge.from_dict(json.loads(hold.puzzle))
    return Payload(challenge, solve_challenge(challenge)).to_base64()


def held(address="10.0.0.1", form="sign", about="one-law"):
    while not (hold := crowd.hold(visitor(address), form, about)):
        pass
    return hold


def with_solution(said, address="10.0.0.1"):
    return RequestFactory().post("/", {"solved": said}, REMOTE_ADDR=address)


def test_a_solved_puzzle_lets_through_who_would_have_to_wait_and_only_once(broker):
    said = solution_of(held())
    assert crowd.hold(with_solution(said), "sign", "one-law") is None
    assert crowd.hold(with_solution(said), "sign", "one-law") is not None


def test_a_puzzle_is_not_used_up_by_who_need_not_wait(broker):
    said = solution_of(held())
    assert crowd.hold(with_solution(said, "10.7.0.1"), "sign", "one-law") is None
    assert crowd.hold(with_solution(said), "sign", "one-law") is None


@pytest.mark.parametrize("other", [("sign", "another"), ("me", "one-law")])
def test_a_puzzle_opens_the_form_it_was_made_for(broker, other):
    said = solution_of(held())
    held("10.0.0.1", *other)
    assert crowd.hold(with_solution(said), *other) is not None


def test_the_more_a_network_asks_for_the_harder_its_puzzles_get_and_no_other_s(broker, monkeypatch):
    monkeypatch.setattr(puzzles, "ROUNDS", 1)
    holds = [held(f"10.0.0.{n % 250}") for n in range(300)]
    first, middle, last, elsewhere = map(tries, (holds[0], holds[100], holds[-1], held("10.7.0.1")))
    assert max(first, elsewhere) < puzzles.TRIES * 2 < min(middle, last)
    assert last > puzzles.TRIES * puzzles.HARDEST / 2 - 1
    assert last < puzzles.TRIES * puzzles.HARDEST * 2


def tries(hold):
    return solve_challenge(Challenge.from_dict(json.loads(hold.puzzle))).counter
