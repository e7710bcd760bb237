"""The large receivers: which domains are theirs, how much they bear, and when they ask us to slow down.

Where we begin is the shape that KumoMTA publishes (docs.kumomta.com, shaping files): Google and Microsoft 5 connections of
50 messages each, Yahoo 20 messages a connection, Apple 10 connections of 5. Ours all go to one mail server, which makes
connections of its own, so that becomes a burst (one round of those connections) and a pace (six rounds a minute: a connection
that lasts ten seconds). Staff may change both.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, count

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.text import slugify

from campaigns.models import Receiver, ReceiverDomain

SLOW_FOR = timedelta(minutes=90)
"""How long a receiver that defers us gets one message a minute."""


@dataclass(frozen=True)
class Known:
    """A receiver as it comes with the program."""

    name: str
    connections: int
    messages: int
    """Over one connection."""
    domains: str

    @property
    def burst(self) -> int:
        return self.connections * self.messages

    @property
    def per_minute(self) -> int:
        return self.burst * 6


KNOWN = {
    "google": Known("Google", 5, 50, "gmail.com googlemail.com"),
    "microsoft": Known(
        "Microsoft",
        5,
        50,
        "outlook.com hotmail.com live.com msn.com passport.com windowslive.com "
        "hotmail.be hotmail.co.uk hotmail.de hotmail.dk hotmail.es hotmail.fi hotmail.fr hotmail.gr hotmail.hu hotmail.it "
        "hotmail.nl hotmail.no hotmail.se live.at live.be live.co.uk live.de live.dk live.fi live.fr live.ie live.it "
        "live.nl live.no live.se outlook.at outlook.be outlook.cz outlook.de outlook.dk outlook.es outlook.fr outlook.hu "
        "outlook.ie outlook.it outlook.lv outlook.pt outlook.sk",
    ),
    "yahoo": Known(
        "Yahoo",
        10,
        20,
        "yahoo.com ymail.com rocketmail.com myyahoo.com aol.com aim.com verizon.net yahoo.at yahoo.be yahoo.bg yahoo.co.uk "
        "yahoo.cz yahoo.de yahoo.dk yahoo.es yahoo.fi yahoo.fr yahoo.gr yahoo.hu yahoo.ie yahoo.it yahoo.lt yahoo.lv "
        "yahoo.nl yahoo.no yahoo.pl yahoo.pt yahoo.ro yahoo.se aol.co.uk aol.de aol.es aol.fr aol.it aol.nl aol.pl aol.se",
    ),
    "apple": Known("Apple", 10, 5, "icloud.com me.com mac.com"),
}
_DEFERRED = re.compile(
    r"\b4\.7\.\d+\b|temporar\w+ (?:deferred|rate.?limited)|rate.?limit|unusual rate|too many (?:messages|connections|mail)"
    r"|sending too (?:fast|quickly)|throttl|slow(?:ing)? down",
    re.IGNORECASE,
)
_GREYLISTED = re.compile(r"gr[ae]y.?list", re.IGNORECASE)


def ensure() -> None:
    """Add the known receivers that are missing; what staff made of one stays."""
    Receiver.objects.bulk_create(
        [
            Receiver(code=code, name=known.name, per_minute=known.per_minute, burst=known.burst)
            for code, known in KNOWN.items()
        ],
        ignore_conflicts=True,
    )
    keys = dict(Receiver.objects.filter(code__in=KNOWN, domains=None).values_list("code", "pk"))
    ReceiverDomain.objects.bulk_create(
        [
            ReceiverDomain(domain=domain, receiver_id=keys[code])
            for code, known in KNOWN.items()
            if code in keys
            for domain in known.domains.split()
        ],
        ignore_conflicts=True,
    )


def is_deferral(answer: str) -> bool:
    """Whether a refusal for now is about how much we send, not about this message (RFC 3463: X.7.X is policy)."""
    return bool(_DEFERRED.search(answer)) and not _GREYLISTED.search(answer)


def slow_down(domain: str, because: str) -> str:
    """One message a minute for a while to whoever takes this domain's mail; its code."""
    code = _single_out(domain)
    slow = Receiver.objects.filter(Q(slowed_until=None) | Q(slowed_until__lt=Now()), code=code)
    slow.update(slowed_until=Now() + SLOW_FOR, slowed_because=because[:250])
    return code


def back_to_normal(receiver: Receiver) -> bool:
    """On the word of staff; False if it was not slowed."""
    slowed = Receiver.objects.filter(pk=receiver.pk, slowed_until__isnull=False)
    return bool(slowed.update(slowed_until=None, slowed_because=""))


def _single_out(domain: str) -> str:
    """The code of the domain's receiver; one of its own, and what waits for it marked so, if it had none."""
    code = ReceiverDomain.objects.filter(domain=domain).values_list("receiver__code", flat=True).first()
    if code:
        return code
    with transaction.atomic():
        Receiver.objects.bulk_create([Receiver(code=domain, name=domain)], ignore_conflicts=True)
        own = Receiver.objects.get(code=domain)
        ReceiverDomain.objects.bulk_create([ReceiverDomain(domain=domain, receiver=own)], ignore_conflicts=True)
        relabel([domain])
    return domain


def relabel(domains: list[str]) -> int:
    """Mark what waits for these domains with the receiver they have now; how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE campaigns_delivery d SET receiver = coalesce(r.code, '')
            FROM supporters_supporter s
            LEFT JOIN campaigns_receiverdomain rd ON rd.domain = split_part(s.email, '@', 2)
            LEFT JOIN campaigns_receiver r ON r.id = rd.receiver_id
            WHERE s.id = d.supporter_id AND d.state IN ('held', 'queued') AND split_part(s.email, '@', 2) = ANY(%s)
              AND d.receiver <> coalesce(r.code, '')
            """,
            [domains],
        )
        return cursor.rowcount


def new_code(name: str) -> str:
    """A mark for a receiver that staff add; names with a dot are left to domains that were singled out."""
    code = slugify(name) or "receiver"
    taken = set(Receiver.objects.filter(code__startswith=code).values_list("code", flat=True))
    candidates = chain([code], (f"{code}-{place}" for place in count(2)))
    return next(candidate for candidate in candidates if candidate not in taken)
