"""Who gave: found by address or written down, never written over."""

from uuid import UUID

from django.db import IntegrityError, transaction

from supporters import consent, finding
from supporters.addresses import AddressError, normalise_email
from supporters.hygiene.marks import of_email
from supporters.hygiene.names import split_name
from supporters.models import Consent, Pledge, Purpose, Supporter
from supporters.signing import wordings


def donor_of(pledge: Pledge | None, email: str = "", name: str = "") -> Supporter | None:
    """The person of the pledge's address, else of the payment's; None if there is neither.

    Whoever pays has not shown that the address is theirs. So nothing is changed about somebody on file, and somebody new
    comes without any consent: a receipt is not an appeal.
    """
    if pledge and pledge.supporter:
        return pledge.supporter
    said = pledge if pledge and pledge.email else None
    try:
        address = said.email if said else normalise_email(email)
    except AddressError:
        return None
    if pledge and not said and consent.is_erased(address, pledge.created_at):
        return None  # they gave, and were erased before we heard of it
    first, last = split_name(name[:150])
    return _by_address(
        address,
        first_name=said.first_name if said else first,
        last_name=said.last_name if said else last,
        language=said.language if said else "",
        source_code=said.source_code if said else "",
        organisation_id=said.organisation_id if said else None,
    )


def _by_address(email: str, **said: object) -> Supporter:
    found = finding.by_email(email)
    if found:
        return found
    try:
        with transaction.atomic():
            return Supporter.objects.create(email=email, marks=of_email(email), **said)
    except IntegrityError:
        return Supporter.objects.get(email=email)


def request_news(pledge: Pledge, supporter: Supporter | None) -> None:
    """Record that the box for news was ticked. It is granted when its owner says so from the inbox (the receipt asks)."""
    if (
        not (pledge.news and supporter)
        or consent.state_of(supporter, pledge.news["purpose"]) == Consent.State.GRANTED
    ):
        return
    consent.request(
        supporter,
        pledge.news["purpose"],
        method=Consent.Method.FORM,
        source="give",
        happened_at=pledge.created_at,
        **wordings.proof(pledge.news),
    )


def news_asked_for(supporter: Supporter) -> Consent | None:
    """The line that says that news was asked for on our pages, if that is the last word and was not confirmed yet."""
    lines = supporter.consents.filter(purpose=Purpose.EMAIL, organisation=None)
    last = lines.order_by("-happened_at", "-state", "-pk").first()
    return last if last and (last.state, last.method) == (Consent.State.REQUESTED, Consent.Method.FORM) else None


@transaction.atomic
def confirm_news(uuid: UUID) -> bool:
    """Grant what was asked for, now that its owner says so from the inbox; False where there is nothing to confirm."""
    supporter = finding.by_uuid(uuid, lock=True)
    asked = news_asked_for(supporter) if supporter else None
    if asked is None:
        return False
    consent.grant(
        supporter,
        asked.purpose,
        wording=asked.wording,
        wording_version=asked.wording_version,
        language=asked.language,
        method=Consent.Method.CONFIRMED,
        source=asked.source,
    )
    return True
