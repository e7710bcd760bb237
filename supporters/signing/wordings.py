"""The words that a signer agrees to. What was shown is kept with the consent, whatever becomes of the words here."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256

from django.conf import settings
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _

from supporters.models import Organisation, Petition, Purpose


@dataclass(frozen=True)
class Wording:
    """What one box says."""

    purpose: str
    text: str
    language: str
    organisation: int | None = None

    @cached_property
    def version(self) -> str:
        """Changes whenever a letter of the text does."""
        return sha256(self.text.encode()).hexdigest()[:12]

    def as_json(self) -> dict[str, object]:
        said = {"purpose": self.purpose, "text": self.text, "language": self.language}
        return said | {"organisation": self.organisation, "version": self.version}


def proof(kept: Mapping[str, object]) -> dict[str, object]:
    """What the consent ledger is told of words that were kept by `as_json`."""
    return {"wording": kept["text"], "wording_version": kept["version"], "language": kept["language"]}


def for_signing(petition: Petition) -> Wording:
    """The explicit consent without which nobody signs: a signature reveals a political opinion (GDPR, art. 9(2)(a))."""
    if petition.asks_postcode:
        text = _(
            "I agree that %(organisation)s keeps my name, email address, country and postcode, counts my signature and hands"
            " it over to %(target)s. I know that a signature shows a political opinion. I can withdraw this consent at any time."
        )
    else:
        text = _(
            "I agree that %(organisation)s keeps my name, email address and country, counts my signature and hands it over to"
            " %(target)s. I know that a signature shows a political opinion. I can withdraw this consent at any time."
        )
    target = petition.target or gettext("those whom the petition addresses")
    return _wording(Purpose.SIGNATURE, text, organisation=settings.ORGANISATION_NAME, target=target)


def for_news() -> Wording:
    text = _("%(organisation)s may send me news and appeals by email. I can stop this at any time.")
    return _wording(Purpose.EMAIL, text, organisation=settings.ORGANISATION_NAME)


def for_post() -> Wording:
    text = _("%(organisation)s may write to me by post. I can stop this at any time.")
    return _wording(Purpose.POST, text, organisation=settings.ORGANISATION_NAME)


def for_calls() -> Wording:
    text = _("%(organisation)s may call me and send me text messages. I can stop this at any time.")
    return _wording(Purpose.PHONE, text, organisation=settings.ORGANISATION_NAME)


def for_partner(partner: Organisation) -> Wording:
    text = _(
        "%(partner)s may write to me by email, and gets my name, email address and country for this."
        " I can stop this at any time."
    )
    return _wording(Purpose.PARTNER, text, partner.pk, partner=partner.name)


def _wording(purpose: str, text: str, whose: int | None = None, **names: str) -> Wording:
    return _translated(get_language() or settings.LANGUAGE_CODE, purpose, text, whose, **names)


@lru_cache(maxsize=1024)
def _translated(language: str, purpose: str, text: str, whose: int | None, **names: str) -> Wording:
    """In the language that is active, which `language` is the name of."""
    return Wording(purpose, gettext(text) % names, language, whose)
