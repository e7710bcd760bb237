"""Whether receivers will believe the sender: SPF, DKIM, DMARC, and what Gmail and Yahoo ask of bulk senders.

Their rules: https://support.google.com/a/answer/81126 and https://senders.yahooinc.com/best-practices/. Both want SPF and
DKIM and a DMARC record of the sender's domain, one of the two in line with the From address, and unsubscribing in one
click. Google means senders of 5,000 a day; Yahoo names no number, so everybody is held to it here. Only what is certain is
refused: what nobody could tell us, and what the mail server may add by itself, is said and no more.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from campaigns.mail.addresses import deliverable
from campaigns.mail.dkim import Key
from campaigns.mail.preflight import asking
from campaigns.mail.preflight.asking import MOST_LOOKUPS, Facts
from campaigns.mail.preflight.findings import Finding, Grade

_MAILBOX = re.compile(
    r"(?:gmail|googlemail|ymail|rocketmail|aol|outlook|hotmail|live|msn|icloud|me|mac)\.com"
    r"|yahoo(?:\.[a-z]+)+|gmx\.[a-z]+|web\.de|mail\.ru|proton\.me"
)
"""Whose owners alone may send in their names: their DMARC records say so."""


@dataclass(frozen=True)
class Sender:
    """In whose name an appeal goes out: the domains that receivers compare."""

    domain: str
    envelope: str
    """Where bounces go, which is what SPF is about."""
    keys: tuple[Key, ...]
    """What we sign with; a provider signs by itself, with keys of its own."""
    signing: str = ""
    """The d= of our signatures."""

    @classmethod
    def of(cls, address: str) -> "Sender":
        """Raises addresses.AddressUnusable."""
        domain = _domain(address)
        if settings.EMAIL_PROVIDER:
            return cls(domain, domain, ())
        envelope = _domain(settings.BOUNCE_ADDRESS) if settings.BOUNCE_ADDRESS else domain
        return cls(domain, envelope, settings.DKIM_KEYS, settings.DKIM_DOMAIN or domain)

    @property
    def dkim_names(self) -> list[str]:
        return [key.name(self.signing) for key in self.keys]

    def facts(self) -> Facts:
        """Asks if need be: never inside a transaction."""
        return asking.facts(self.domain, self.envelope, self.dkim_names)

    def known_facts(self) -> Facts | None:
        return asking.known(self.domain, self.envelope, self.dkim_names)


def judge(sender: Sender, facts: Facts) -> Iterator[Finding]:
    """What the answers mean for this sender."""
    if _MAILBOX.fullmatch(sender.domain):
        yield Finding(
            _("Sender"),
            Grade.REFUSED,
            _("The sender's address is a mailbox at %(domain)s, in whose name only %(domain)s may send.")
            % {"domain": sender.domain},
            _("Use an address of your own organisation's domain; replies can still go to this one."),
        )
        return
    yield from _spf(sender, facts)
    yield from _dkim(sender, facts)
    yield from _dmarc(sender, facts)


def _spf(sender: Sender, facts: Facts) -> Iterator[Finding]:
    domain, topic = {"domain": sender.envelope}, "SPF"
    if settings.EMAIL_PROVIDER and facts.spf == ():
        yield Finding(
            topic,
            Grade.WARNING,
            _("%(domain)s doesn't say which servers may send in its name.") % domain,
            _("Your mail provider's pages tell which SPF record it wants, if any."),
        )
    elif facts.spf is None:
        yield _unanswered(topic, sender.envelope)
    elif not facts.spf:
        yield Finding(
            topic,
            Grade.REFUSED,
            _("%(domain)s doesn't say which servers may send in its name.") % domain,
            _("Ask whoever runs your mail server for the SPF record, and have it published at %(domain)s.") % domain,
        )
    elif len(facts.spf) > 1:
        yield Finding(
            topic,
            Grade.REFUSED,
            _("%(domain)s has more than one SPF record, so none of them counts.") % domain,
            _("Join them into one."),
        )
    elif facts.spf[0].split()[1:] == ["-all"]:
        yield Finding(
            topic,
            Grade.REFUSED,
            _("%(domain)s says that no server may send in its name.") % domain,
            _("Name your mail server in its SPF record, or send from another domain."),
        )
    elif facts.spf_lookups is not None and facts.spf_lookups > MOST_LOOKUPS:
        yield Finding(
            topic,
            Grade.REFUSED,
            _("The SPF record of %(domain)s leads to more than ten others, so receivers give up on it.") % domain,
            _("Take out the services that you don't send with any more."),
        )
    elif "+all" in facts.spf[0].split() or "all" in facts.spf[0].split():
        yield Finding(
            topic,
            Grade.WARNING,
            _("The SPF record of %(domain)s lets anybody send in its name.") % domain,
            _("Have it end in ~all or -all."),
        )
    else:
        yield Finding(topic, Grade.GOOD, _("%(domain)s says which servers may send in its name.") % domain)


def _dkim(sender: Sender, facts: Facts) -> Iterator[Finding]:
    topic = "DKIM"
    if settings.EMAIL_PROVIDER:
        yield Finding(
            topic,
            Grade.UNKNOWN,
            _("Your mail provider signs what it sends, in your name if you have set that up with it."),
            _("Its pages tell whether %(domain)s is verified there.") % {"domain": sender.domain},
        )
        return
    if not sender.keys:
        yield Finding(
            topic,
            Grade.WARNING,
            _("Lodestar doesn't sign what it sends; Gmail and Yahoo want bulk mail signed."),
            _("If your mail server signs, all is well. If not, whoever runs Lodestar sets DKIM_KEY."),
        )
        return
    for key in sender.keys:
        name = key.name(sender.signing)
        records = facts.dkim.get(name)
        published = (name, key.record)
        if records is None:
            yield _unanswered(topic, name, published)
        elif not records:
            yield Finding(
                topic,
                Grade.REFUSED,
                _("Messages are signed, but the key to check the signature is not published."),
                _("Have this TXT record published; it may take an hour to be seen everywhere."),
                published,
            )
        elif not any(_tags(record).get("p", "").replace(" ", "") == key.public for record in records):
            yield Finding(
                topic,
                Grade.REFUSED,
                _("Messages are signed with another key than the one that is published at %(name)s.")
                % {"name": name},
                _("Publish this TXT record instead of the old one, or sign under another selector."),
                published,
            )
        else:
            yield Finding(topic, Grade.GOOD, _("Messages are signed, and %(name)s proves it.") % {"name": name})
    if all(key.algorithm == "ed25519" for key in sender.keys):
        yield Finding(
            topic,
            Grade.WARNING,
            _("Only an Ed25519 key is set, which many receivers can't check yet."),
            _("Whoever runs Lodestar adds an RSA key of 2,048 bits to DKIM_KEY."),
        )


def _dmarc(sender: Sender, facts: Facts) -> Iterator[Finding]:
    domain, topic = {"domain": sender.domain}, "DMARC"
    if facts.dmarc is None:
        yield _unanswered(topic, sender.domain)
        return
    if not facts.dmarc:
        yield Finding(
            topic,
            Grade.REFUSED,
            _("%(domain)s has no DMARC record; Gmail and Yahoo ask for one.") % domain,
            _("Have at least this TXT record published."),
            (f"_dmarc.{sender.domain}", "v=DMARC1; p=none"),
        )
        return
    tags = _tags(facts.dmarc[0])
    if len(facts.dmarc) > 1 or tags.get("p", "").lower() not in {"none", "quarantine", "reject"}:
        yield Finding(
            topic,
            Grade.REFUSED,
            _("The DMARC record at %(domain)s can't be understood by receivers.") % {"domain": facts.dmarc_domain},
            _("Have a single record published that says p=none, p=quarantine or p=reject."),
        )
        return
    signed = bool(sender.keys) and _aligned(sender, sender.signing, tags.get("adkim", ""), facts.dmarc_domain)
    returned = _aligned(sender, sender.envelope, tags.get("aspf", ""), facts.dmarc_domain)
    if signed or returned:
        yield Finding(topic, Grade.GOOD, _("%(domain)s has a DMARC record, and the sender fits it.") % domain)
    else:
        yield Finding(
            topic,
            Grade.REFUSED if sender.keys else Grade.WARNING,
            _("Neither the signature nor the return address belongs to %(domain)s, so DMARC fails.") % domain,
            _("Whoever runs Lodestar sets DKIM_DOMAIN, or BOUNCE_ADDRESS, to %(domain)s or below it.") % domain,
        )


def _aligned(sender: Sender, other: str, mode: str, organisation: str) -> bool:
    """RFC 7489, 3.1; the organisation's domain is the one where the record stands."""
    if sender.domain == other or mode.lower() == "s":
        return sender.domain == other
    pairs = ((sender.domain, other), (other, sender.domain), (other, organisation))
    return any(below == above or below.endswith(f".{above}") for below, above in pairs)


def _tags(record: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): value.strip() for name, _equals, value in pairs}


def _unanswered(topic: str, name: str, record: tuple[str, str] | None = None) -> Finding:
    return Finding(
        topic,
        Grade.UNKNOWN,
        _("Nobody answered when we asked about %(name)s.") % {"name": name},
        _("It is asked again at the next look; it doesn't keep the appeal from going out."),
        record,
    )


def _domain(address: str) -> str:
    return deliverable(address).rpartition("@")[2].lower()
