"""The files of all that is held of a person, made by a worker where it takes long.

    queued ──make──▶ done ──a day later──▶ expired
       └──fault────▶ failed

Whoever dies over it leaves it queued. It is made whole in memory and stored with its state in one UPDATE; it goes with the
person.
"""

import logging
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q, Sum, Value
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import override

from crm.disclosing import as_json, as_page, language_of
from supporters import finding
from supporters.locks import advisory_lock
from supporters.mentions import stored
from supporters.models import Disclosure, Supporter
from supporters.nudging import nudge

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

logger = logging.getLogger(__name__)
AT_ONCE = 2_000_000
"""Bytes of stored files that are read while a person waits."""
KEPT = timedelta(days=1)
State, Form = Disclosure.State, Disclosure.Form
Stream = Callable[[Supporter, str], Iterator[str]]
FORMS: dict[str, tuple[str, str, Stream]] = {
    Form.PAGE: ("html", "text/html; charset=utf-8", as_page.stream),
    Form.JSON: ("json", "application/json", as_json.stream),
    Form.GIVEN: ("json", "application/json", as_json.stream_given),
}
"""Ending of the file, type of its content, and what makes it, of a person in a language: their own if that is empty."""
OWN = (Form.PAGE, Form.JSON)
"""What people gather of themselves. The page is shown within one of ours, and so kept without head and foot."""


def takes_long(form: str) -> bool:
    """Whether a worker had better make it: the stored files are much to read."""
    if form == Form.GIVEN:
        return False
    return (stored().aggregate(size=Sum("file_size"))["size"] or 0) > AT_ONCE


def ask(
    supporter: Supporter, form: str, reason: str, by: "AbstractBaseUser | None", language: str = ""
) -> Disclosure:
    made = Disclosure.objects.create(supporter=supporter, form=form, reason=reason, by=by, language=language)
    transaction.on_commit(lambda: nudge("crm.tasks.make_disclosures"))
    return made


def ask_own(supporter: Supporter, language: str) -> None:
    """By the person, on their own page; what is being made or kept in this language is not made anew."""
    with transaction.atomic():
        if finding.by_pk(supporter.pk, lock=True) is None:
            return
        for form in OWN:
            if own(supporter, form, language) is None:
                ask(supporter, form, _("Asked for on their own page"), None, language)


def own(supporter: Supporter, form: str, language: str) -> Disclosure | None:
    """What they asked for themselves and can be had, now or soon."""
    theirs = Disclosure.objects.filter(supporter=supporter, form=form, by=None, language=language)
    return theirs.filter(Q(state=State.QUEUED) | Q(state=State.DONE, expires_at__gt=Now())).order_by("-pk").first()


def make_owed() -> dict[str, int]:
    """For crm.jobs: make what is owed, and delete files whose day is over."""
    made = 0
    for pk in list(Disclosure.objects.filter(state=State.QUEUED).order_by("pk").values_list("pk", flat=True)):
        made += make(pk)
    over = Disclosure.objects.filter(state=State.DONE, expires_at__lt=Now())
    return {"disclosed": made, "expired": over.update(state=State.EXPIRED, content=None)}


def make(pk: int) -> bool:
    """Make one; False if somebody else is at it or was, or it failed."""
    with advisory_lock(f"disclosure:{pk}") as ours:
        asked = ours and Disclosure.objects.select_related("supporter").filter(pk=pk, state=State.QUEUED).first()
        if not asked:
            return False
        owed = Disclosure.objects.filter(pk=pk, state=State.QUEUED)
        try:
            with override(language_of(asked.supporter, asked.language)):
                content = _packed(_pieces(asked))
        except (OperationalError, InterfaceError):
            raise  # the database is away: it stays owed
        except Exception:
            logger.exception("Disclosure %s failed", pk)
            owed.update(state=State.FAILED)
            return False
        done = owed.update(state=State.DONE, content=content, made_at=Now(), expires_at=Now() + Value(KEPT))
        return done == 1


def _pieces(asked: Disclosure) -> Iterator[str]:
    if asked.language and asked.form == Form.PAGE:
        return as_page.within(asked.supporter, asked.language)
    return FORMS[asked.form][2](asked.supporter, asked.language)


def unpacked(content: bytes) -> bytes:
    return zlib.decompress(bytes(content))


def _packed(pieces: Iterator[str]) -> bytes:
    packer = zlib.compressobj()
    return b"".join([*(packer.compress(piece.encode()) for piece in pieces), packer.flush()])
