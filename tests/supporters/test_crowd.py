import pytest
from django.test import RequestFactory

from supporters import crowd


def visitor(address, **headers):
    return RequestFactory().post("/", REMOTE_ADDR=address, headers=headers)


def turns(*addresses):
    """How many of these visitors, who come at once, get their turn."""
    return sum(crowd.wait(visitor(address), "sign") == 0 for address in addresses)


def test_one_address_gets_a_burst_and_is_then_slowed(broker):
    assert turns(*["10.0.0.1"] * 30) in range(20, 23)
    assert crowd.wait(visitor("10.0.0.1"), "sign") in {1, 2}


def test_one_network_is_slowed_whatever_address_it_uses(broker):
    assert turns(*[f"10.0.0.{n}" for n in range(60)]) in range(40, 45)


def test_a_network_of_ipv6_is_a_site_and_a_machine_has_many_addresses(broker):
    assert turns(*[f"2001:db8:1:2::{n:x}" for n in range(30)]) in range(20, 23)
    assert turns(*[f"2001:db8:2:{n:x}::1" for n in range(60)]) in range(40, 45)


def test_people_from_everywhere_are_never_slowed(broker):
    assert turns(*[f"10.{n}.0.1" for n in range(200)]) == 200


def test_forms_are_limited_each_for_itself(broker):
    turns(*["10.0.0.1"] * 30)
    assert crowd.wait(visitor("10.0.0.1"), "give") == 0


def test_only_our_own_proxy_is_believed(broker, settings):
    settings.BEHIND_PROXY = True
    waits = [crowd.wait(visitor("127.0.0.1", x_forwarded_for=f"10.9.{n}.1, 10.0.0.1"), "sign") for n in range(30)]
    assert waits.count(0) in range(20, 23)


@pytest.mark.parametrize("said", ["", "nonsense", "1.2.3.4.5"])
def test_addresses_that_are_none_share_one_limit(broker, said):
    assert crowd.wait(visitor(said), "sign") == 0


def test_no_address_stands_in_redis(broker):
    crowd.wait(visitor("10.0.0.1"), "sign")
    assert not [key for key in broker.scan_iter() if b"10.0.0" in key]


def test_without_redis_nobody_is_turned_down(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert turns(*["10.0.0.1"] * 30) == 30
