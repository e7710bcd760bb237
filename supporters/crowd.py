"""Too much from one place: what a public form takes from one network address, and from the network round it.

Whoever is over the limit is asked to wait for some seconds, and what they typed stays. A page that is busy because
people everywhere come to it is limited nowhere, and if Redis is away nobody is turned down.
"""

import math
from ipaddress import IPv6Address, ip_address, ip_network

from django.http import HttpRequest

from supporters import limiter, visitors
from supporters.limiter import Bucket

ADDRESS = (0.5, 20)
"""A second, and at once, from one address: a school class at one router gets through."""
NETWORK = (1.0, 40)
"""From its network: a /24 of IPv4, a /48 of IPv6 (RFC 6177: what one site gets)."""


def wait(request: HttpRequest, form: str) -> int:
    """Take this visitor's turn at a form; seconds to wait, 0 if it is theirs now."""
    address, network = _places(request)
    buckets = [
        Bucket(f"{form}:{visitors.hidden(address)}", *ADDRESS),
        Bucket(f"{form}:{visitors.hidden(network)}", *NETWORK),
    ]
    taken = limiter.take(1, buckets, [])
    if taken.total or not taken.together:
        return 0
    return max(1, math.ceil(max(bucket.wait(tokens) for bucket, tokens in taken.left.items())))


def _places(request: HttpRequest) -> tuple[str, str]:
    """The visitor's address and network. One of IPv6 is a /64: a machine picks any address in it."""
    try:
        address = ip_address(visitors.address(request))
    except ValueError:
        return "unknown", "unknown"
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    near, wide = (64, 48) if isinstance(address, IPv6Address) else (32, 24)
    return tuple(str(ip_network((address, bits), strict=False)) for bits in (near, wide))
