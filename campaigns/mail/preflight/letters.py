"""Whether the messages themselves are as they should be: the way out, both parts, their size, their links."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from campaigns.mail.compose import Letter
from campaigns.mail.preflight import asking
from campaigns.mail.preflight.findings import Finding, Grade

CLIPPED = 102 * 1024
"""Octets of html behind which Gmail hides the rest, the way out with it."""
_PLACEHOLDERS = re.compile(r"(?:^|\.)(?:example|test|invalid|localhost|example\.(?:org|com|net))$")


@dataclass
class Links:
    """What an html part leads to, beside this site."""

    addresses: list[str]
    pictures: int = 0
    unnamed_pictures: int = 0


def unsubscribing() -> Finding:
    """One click has to do, over https (RFC 8058; Gmail's and Yahoo's rules)."""
    if settings.SITE_URL.startswith("https://"):
        return Finding(
            _("Unsubscribing"),
            Grade.GOOD,
            _("Each message carries List-Unsubscribe and List-Unsubscribe-Post, and a link in its foot."),
        )
    return Finding(
        _("Unsubscribing"),
        Grade.REFUSED,
        _("This site is not reached over https, so unsubscribing with one click can't work."),
        _("Whoever runs Lodestar puts a certificate in front of it and sets SITE_URL to https://…"),
    )


def postal_address() -> Finding:
    if settings.ORGANISATION_ADDRESS:
        return Finding(_("Postal address"), Grade.GOOD, _("The foot of each message tells who you are and where."))
    return Finding(
        _("Postal address"),
        Grade.WARNING,
        _("The foot has no postal address, which the law of many countries asks for."),
        _("Whoever runs Lodestar sets ORGANISATION_ADDRESS."),
    )


def judge(letters: Mapping[str, Letter]) -> Iterator[Finding]:
    """What of each letter is worth a look; letters by what staff call them."""
    links = {name: read(letter.html) for name, letter in letters.items()}
    gone = asking.missing_hosts(host for found in links.values() for host in _hosts(found))
    for name, letter in letters.items():
        found = [Finding(name, *each) for each in _of(letter, links[name], gone)]
        size = len(letter.html.encode()) // 1024 + 1
        said = _("Text and html parts are there; the html has %(size)d KB.") % {"size": size}
        yield from found or [Finding(name, Grade.GOOD, said)]


def _of(letter: Letter, links: Links, gone: set[str]) -> Iterator[tuple[Grade, str, str]]:
    size = len(letter.html.encode())
    if size > CLIPPED:
        yield (
            Grade.WARNING,
            _("The html has %(size)d KB; Gmail hides what stands behind 102 KB, the way out with it.")
            % {"size": size // 1024},
            _("Shorten the text."),
        )
    words = letter.text.partition("\n-- \n")[0].split()
    if not words:
        yield Grade.WARNING, _("The plain-text part says nothing."), _("Write more than pictures.")
    elif links.pictures and len(words) < 20:
        yield Grade.WARNING, _("There are hardly any words beside the pictures."), _("Filters distrust that.")
    if links.unnamed_pictures:
        yield (
            Grade.WARNING,
            _("A picture has no description for those who can't see it."),
            _("Write it between the brackets: ![description](https://…)"),
        )
    for address in dict.fromkeys(links.addresses):
        problem = _wrong(address, gone)
        if problem:
            yield Grade.WARNING, f"{address[:80]} – {problem}.", _("Mend the link.")


def _wrong(address: str, gone: set[str]) -> str:
    parts = urlsplit(address)
    host = (parts.hostname or "").lower()
    if parts.scheme not in {"http", "https"}:
        return ""
    if not host or _PLACEHOLDERS.search(host):
        return _("this address is a placeholder")
    if host in gone:
        return _("there is no such site")
    if _is_private(host):
        return _("nobody outside can reach this address")
    return _("this is http, which programs warn of; use https") if parts.scheme == "http" else ""


def _is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host


def _hosts(links: Links) -> Iterator[str]:
    for address in links.addresses:
        host = (urlsplit(address).hostname or "").lower()
        if "." in host and not _PLACEHOLDERS.search(host) and not host.replace(".", "").isdigit():
            yield host


def read(html: str) -> Links:
    reader = _Reader()
    reader.feed(html)
    return reader.links


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links = Links([])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a" and given.get("href"):
            address = str(given["href"])
            if not address.startswith(settings.SITE_URL):
                self.links.addresses.append(address)
        elif tag == "img":
            self.links.pictures += 1
            self.links.unnamed_pictures += not (given.get("alt") or "").strip()
