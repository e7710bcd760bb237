"""What the domain name system says of a sender: asked side by side, with short time-outs, and kept for a while."""

import contextlib
import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import dns.exception
import dns.resolver
from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

PATIENCE = 2.0
"""Seconds for one question."""
KEPT, KEPT_IF_UNANSWERED = 600, 30
"""Seconds that the answers are good for."""
MOST_LOOKUPS = 10
"""Questions that an SPF record may lead to (RFC 7208, 4.6.4)."""
_AT_ONCE = 8
_ASKS = re.compile(r"[+?~-]?(?:(?:a|mx|ptr)(?=[:/]|$)|(?:include|exists):|redirect=)", re.IGNORECASE)
_LEADS_TO = re.compile(r"(?:[+?~-]?include:|redirect=)(?P<domain>[^%]+)$", re.IGNORECASE)

_T = TypeVar("_T")
Records = tuple[str, ...] | None
"""TXT records; None where nobody answered."""


@dataclass(frozen=True)
class Facts:
    spf: Records
    spf_lookups: int | None
    """Questions that the record leads to; None where that could not be found out."""
    dmarc: Records
    dmarc_domain: str
    """Where the DMARC record stands: the sender's domain or one above it."""
    dkim: dict[str, Records]
    """By the name of the record."""

    @property
    def unanswered(self) -> bool:
        return None in (self.spf, self.dmarc, *self.dkim.values())


def facts(sender: str, envelope: str, dkim_names: Iterable[str]) -> Facts:
    """Asks, unless the answers are still good. Takes seconds: never call it inside a transaction."""
    names = tuple(dkim_names)
    found = known(sender, envelope, names)
    if found is None:
        found = _ask(sender, envelope, names)
        with contextlib.suppress(RedisError):
            seconds = KEPT_IF_UNANSWERED if found.unanswered else KEPT
            cache.set(_cache_key(sender, envelope, names), found, seconds)
    return found


def known(sender: str, envelope: str, dkim_names: Iterable[str]) -> Facts | None:
    """What was found out lately, without asking anybody."""
    with contextlib.suppress(RedisError):
        return cache.get(_cache_key(sender, envelope, tuple(dkim_names)))
    return None


def missing_hosts(hosts: Iterable[str]) -> set[str]:
    """Those that certainly don't exist; only so many are asked about, for a person waits."""
    asked = sorted(set(hosts))[: 2 * _AT_ONCE]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return {host for host, exists in zip(asked, pool.map(_exists, asked), strict=True) if exists is False}


def _cache_key(sender: str, envelope: str, names: tuple[str, ...]) -> str:
    return ":".join(["preflight", settings.DNS_SERVER, sender, envelope, *names])


def _ask(sender: str, envelope: str, names: tuple[str, ...]) -> Facts:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        spf = pool.submit(_spf, envelope)
        dmarc = pool.submit(_dmarc, sender)
        dkim = dict(zip(names, pool.map(_txt, names), strict=True))
        return Facts(*spf.result(), *dmarc.result(), dkim)


def _spf(domain: str) -> tuple[Records, int | None]:
    records = _beginning(_txt(domain), "v=spf1")
    if not records or len(records) > 1:
        return records, None
    return records, _lookups(records[0], 0)


def _lookups(record: str, so_far: int) -> int | None:
    for term in record.split()[1:]:
        if not _ASKS.match(term):
            continue
        so_far += 1
        if so_far > MOST_LOOKUPS:
            return so_far
        leads = _LEADS_TO.match(term)
        if leads:
            further = _beginning(_txt(leads["domain"].rstrip(".")), "v=spf1")
            if further is None:
                return None
            counted = _lookups(further[0], so_far) if further else so_far
            if counted is None:
                return None
            so_far = counted
    return so_far


def _dmarc(domain: str) -> tuple[Records, str]:
    """At the domain itself, else at the next one above that has a record (RFC 7489, 6.6.3)."""
    labels = domain.split(".")
    for place in range(max(1, len(labels) - 1)):
        above = ".".join(labels[place:])
        records = _beginning(_txt(f"_dmarc.{above}"), "v=DMARC1")
        if records is None or records:
            return records, above
    return (), domain


def _beginning(records: Records, version: str) -> Records:
    if records is None:
        return None
    return tuple(each for each in records if re.match(rf"{version}(?:[\s;]|$)", each, re.IGNORECASE))


def _txt(name: str) -> Records:
    return _answer(
        lambda resolver: tuple(
            b"".join(record.strings).decode("utf-8", "replace") for record in resolver.resolve(name, "TXT")
        ),
        (),
    )


def _exists(host: str) -> bool | None:
    return _answer(lambda resolver: bool(resolver.resolve_name(host)), False)


def _answer(ask: Callable[[dns.resolver.Resolver], _T], nothing: _T) -> _T | None:
    try:
        return ask(_resolver())
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return nothing
    except (dns.exception.DNSException, OSError, ValueError):
        return None


def _resolver() -> dns.resolver.Resolver:
    if not settings.DNS_SERVER:
        resolver = dns.resolver.Resolver()
    else:
        host, _colon, port = settings.DNS_SERVER.partition(":")
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = [host], int(port or 53)
    resolver.lifetime = resolver.timeout = PATIENCE
    return resolver
