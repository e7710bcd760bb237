"""Many calls handed to Mailchimp at once, for what it lets nobody do to many members in one call.

    nothing ──hand in──▶ its id in Audience.place ──finished, results applied──▶ nothing

Mailchimp works them off by and by and packs the answers into an archive, whose address lives ten minutes and is fetched without
our key (https://mailchimp.com/developer/marketing/guides/run-async-requests-batch-endpoint/). Each answer is a call's own: all
may have failed in what is finished. A run that ends meanwhile leaves the id, and the next one looks again; what is handed in
twice does no harm.
"""

import io
import json
import tarfile
import time
from collections.abc import Iterator, Sequence

import requests

from campaigns.mailchimp.client import MOST_BYTES, READ_TIMEOUT, Mailchimp, MailchimpError
from campaigns.mailchimp.sync import OutOfTime
from campaigns.models import Audience

FEW = 20
"""So many are quicker by themselves."""
POLL = 2
"""Seconds between two looks."""
PLACE = "handed in"


def hand_in(mailchimp: Mailchimp, audience: Audience, operations: Sequence[dict]) -> None:
    """Each with method, path, body (a text of JSON) and an operation_id of ours. Raises MailchimpError."""
    _keep(audience, mailchimp.hand_in(operations))


def results(mailchimp: Mailchimp, audience: Audience, until: float) -> list[tuple[str, int, dict]]:
    """Wait for what was handed in: id, status and answer of each; nothing, if none is under way. `done` has to follow.

    Raises OutOfTime, MailchimpError.
    """
    handed_in = audience.place.get(PLACE)
    while handed_in:
        try:
            told = mailchimp.handed_in(handed_in)
        except MailchimpError as error:
            if error.status != 404:
                raise
            return []  # kept for seven days only
        if told["status"] == "finished":
            return list(_unpacked(_fetched(told["response_body_url"])))
        if time.monotonic() > until:
            raise OutOfTime
        time.sleep(POLL)
    return []


def done(audience: Audience) -> None:
    """The results are applied."""
    if PLACE in audience.place:
        _keep(audience, None)


def _keep(audience: Audience, handed_in: str | None) -> None:
    audience.place.pop(PLACE, None)
    if handed_in:
        audience.place[PLACE] = handed_in
    audience.save(update_fields=["place"])


def _fetched(url: str) -> bytes:
    try:
        with requests.get(url, timeout=READ_TIMEOUT, stream=True, allow_redirects=False) as answer:
            content = answer.raw.read(MOST_BYTES + 1)
    except (requests.RequestException, OSError) as failure:
        raise MailchimpError(0, type(failure).__name__) from None
    if answer.status_code != 200 or len(content) > MOST_BYTES:
        raise MailchimpError(502, "Unreadable answer")
    return content


def _unpacked(archive: bytes) -> Iterator[tuple[str, int, dict]]:
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            for entry in tar:
                file = tar.extractfile(entry) if entry.isfile() and entry.size <= MOST_BYTES else None
                for one in json.load(file) if file else []:
                    yield str(one["operation_id"]), int(one["status_code"]), json.loads(one["response"] or "{}")
    except (tarfile.TarError, ValueError, KeyError, TypeError, EOFError, OSError):
        raise MailchimpError(502, "Unreadable answer") from None
