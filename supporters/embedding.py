"""The form for signing in a page of somebody else: which sites may frame it, and how a post is known to come out of it.

Browsers keep cookies from framed pages of another site, so nothing can be held against a cookie. A form out of a frame of ours
says two things that no form on a foreign page can say of itself: the browser's word that it was posted from our own site
(Sec-Fetch-Site, Fetch Metadata), and a token, not older than a day, of the petition and the partner whose words it showed.
"""

import re
from collections.abc import Iterable
from datetime import timedelta
from urllib.parse import urlsplit

import idna
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest
from django.utils.translation import gettext as _

from supporters.models import Organisation, Petition

LIFE = timedelta(days=1)
"""How long a form may be open before its button has to be pressed twice."""
MOST_SITES = 30
"""Of one organisation: all of them go into one header."""
_SIGNER = TimestampSigner(salt="supporters.embedding", sep="~")
_LOOPBACK = ("localhost", "127.0.0.1")
_LABELS = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


def origin_of(text: str) -> str:
    """The origin of a site (RFC 6454) in the one spelling that headers have, from its address or that of any of its pages.

    Raises ValueError, in words for whoever typed it.
    """
    text = text.strip()
    parts = urlsplit(text if "://" in text else f"https://{text}")
    try:
        host, port = parts.hostname or "", parts.port
        host = host if host in _LOOPBACK else idna.encode(host, uts46=True).decode()
    except (idna.IDNAError, UnicodeError, ValueError):
        raise ValueError(_("This is no address of a site. An example: https://www.partner.org")) from None
    if parts.username is not None or not (host in _LOOPBACK or _LABELS.fullmatch(host)):
        raise ValueError(_("This is no address of a site. An example: https://www.partner.org"))
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise ValueError(
            _("The site's address has to begin with https: on any other, the form could be read on its way.")
        )
    usual = {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != usual else "")


def sites_of(partner: Organisation | None) -> list[str]:
    """The origins that may frame this partner's form; nobody may if there are none."""
    return list(partner.sites.values_list("origin", flat=True)[:MOST_SITES]) if partner else []


def ancestors(sites: Iterable[str]) -> str:
    """What the policy of a framed page says (CSP Level 3, frame-ancestors)."""
    return " ".join(sites) or "'none'"


def token(petition: Petition, partner: Organisation | None) -> str:
    return _SIGNER.sign(_of(petition, partner))


def is_ours(request: HttpRequest, petition: Petition, partner: Organisation | None) -> bool:
    """Whether this post comes out of a form that we have shown for this petition and partner of late."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        return False
    try:
        return _SIGNER.unsign(request.POST.get("form", ""), LIFE) == _of(petition, partner)
    except BadSignature:
        return False


def _of(petition: Petition, partner: Organisation | None) -> str:
    return f"{petition.pk}.{partner.pk if partner else 0}"
