"""Too much from one place: what a public form takes from one network address, and from the network round it.

Whoever is over the limit is asked to wait for some seconds, and what they typed stays. A browser may solve a puzzle
meanwhile and need not wait; the more of them a network asks for, the harder they get. A page that is busy because people
everywhere come to it is limited nowhere, and if Redis is away nobody is turned down.
"""

import math
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from django.http import HttpRequest

from supporters import limiter, puzzles, visitors
from supporters.limiter import Bucket


@dataclass(frozen=True)
class Limit:
    """What a form takes: a second, and at once."""

    address: tuple[float, int]
    network: tuple[float, int]
    """A /24 of IPv4, a /48 of IPv6 (RFC 6177: what one site gets)."""


USUAL = Limit(address=(0.5, 20), network=(1.0, 40))
"""A school class at one router gets through."""
LIMITS = {"give": Limit(address=(0.02, 12), network=(0.1, 60))}
"""Who tries stolen cards is slowed more."""
PUZZLES = 240
"""That a network asks for faster than its limit's rate, until they are at their hardest."""


@dataclass(frozen=True)
class Hold:
    """Somebody has to wait."""

    seconds: int
    puzzle: str
    """As JSON: who solves it need not wait."""


def hold(request: HttpRequest, form: str, about: str = "") -> Hold | None:
    """Take this visitor's turn at a form; None if it is theirs now. `about` is what the form is for, such as a petition."""
    limit = LIMITS.get(form, USUAL)
    address, network = _places(request)
    wide = f"{form}:{visitors.hidden(network)}"
    buckets = [Bucket(f"{form}:{visitors.hidden(address)}", *limit.address), Bucket(wide, *limit.network)]
    taken = limiter.take(1, buckets, [])
    about = f"{form}:{about}"
    if taken.total or not taken.together or puzzles.solved(request.POST.get("solved", ""), about):
        return None
    seconds = max(1, math.ceil(max(bucket.wait(tokens) for bucket, tokens in taken.left.items())))
    return Hold(seconds, puzzles.make(about, _over(Bucket(f"{wide}:puzzles", limit.network[0], PUZZLES))))


def _over(asked: Bucket) -> float:
    """Count another puzzle that a network asks for; 0 for the first, 1 where they are at their hardest."""
    (left,) = limiter.take(1, [asked], []).left.values()
    return 1 - (left + 1) / asked.burst


def _places(request: HttpRequest) -> tuple[str, str]:
    """The visitor's address and network. One of IPv6 is a /64: a machine picks any address in it."""
    try:
        address = ip_address(visitors.address(request))
    except ValueError:
        return "unknown", "unknown"
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    near, wide = (64, 48) if isinstance(address, IPv6Address) else (32, 24)
    return _begins(address, near), _begins(address, wide)


def _begins(address: IPv4Address | IPv6Address, bits: int) -> str:
    return f"{address.version}/{bits}:{int(address) >> (address.max_prefixlen - bits)}"
