"""An appeal as a supporter of one's choice will read it, and a test of it to oneself."""

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from uuid import uuid4

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.html import escape
from django.utils.translation import gettext as _

from campaigns.appeals import texts, variants
from campaigns.mail import message, way_out
from campaigns.mail.addresses import AddressUnusable, deliverable
from campaigns.mail.compose import Letter
from campaigns.mail.fields import FieldError
from campaigns.mail.message import Recipient
from campaigns.mail.transport import Connection, MailError
from campaigns.mailchimp.client import MailchimpError
from campaigns.mailchimp.mailing import drafts
from campaigns.mailchimp.mailing.content import Untranslatable
from campaigns.mailchimp.mailing.drafts import NotYet
from campaigns.models import Appeal, AppealText, SegmentMember
from supporters.models import Supporter

if TYPE_CHECKING:
    from campaigns.admin.appeal import AppealAdmin

_SEE_PEOPLE = "supporters.view_supporter"
ANYBODY = "somebody@example.org"


@dataclass(frozen=True)
class _View:
    """One text as one person reads it."""

    appeal: Appeal
    text: AppealText | None
    variant: str
    reader: Supporter | None
    problems: list[str]

    @property
    def query(self) -> str:
        chosen = {
            "supporter": self.reader.pk if self.reader else "",
            "language": self.language,
            "variant": self.variant if self.variant != variants.MAIN else "",
        }
        return urlencode({name: value for name, value in chosen.items() if value})

    @property
    def discreet(self) -> bool:
        return bool(self.reader and self.reader.discreet)

    @property
    def language(self) -> str:
        return self.text.language if self.text else ""

    def recipient(self, email: str = "") -> Recipient:
        # Of no delivery: the way out in a preview or test takes nobody off the list.
        nobody, reader = uuid4(), self.reader
        if reader is None:
            return Recipient(nobody, email or ANYBODY)
        return Recipient(
            nobody,
            email or reader.email or ANYBODY,
            reader.first_name,
            reader.last_name,
            reader.city,
            reader.country,
        )

    def letter(self, recipient: Recipient) -> Letter | None:
        if self.text is None or self.problems:
            return None
        return message.letter(self.appeal, self.text, recipient, discreet=self.discreet)

    def test(self, recipient: Recipient) -> bytes:
        """The message, marked as a test. Raises FieldError and AddressUnusable."""
        if self.text is None or self.problems:
            raise FieldError(" ".join(self.problems))
        text = copy(self.text)
        text.subject = f"{_('Test')}: {text.subject}"
        return message.wire(self.appeal, text, eight_bit=False, discreet=self.discreet).fill(recipient)


def preview(request: HttpRequest, pk: int, model_admin: "AppealAdmin") -> HttpResponse:
    from campaigns.admin.appeal_pages import page

    view = _view(request, pk, model_admin)
    if request.method == "POST" and "test" in request.POST:
        _send_test(request, view, model_admin)
        return HttpResponseRedirect(f"{request.path}?{view.query}")
    # Searching is a POST: names and addresses have no place in URLs and logs.
    search = request.POST.get("search", "").strip()
    may_see_people = request.user.has_perm(_SEE_PEOPLE)
    found = []
    if search and may_see_people:
        found = list(Supporter.objects.matching(search).order_by("-pk")[:8])
    letter, problems = None, view.problems
    try:
        letter = view.letter(view.recipient())
    except FieldError as error:
        problems = [str(error)]
    context = {
        "view": view,
        "letter": letter,
        "problems": problems,
        "reader": view.reader,
        "languages": [
            {"code": language, "variant": letter, "label": label(language, letter)}
            for language, letter in variants.wordings(view.appeal)
        ],
        "language": view.language,
        "variant": view.variant,
        "search": search,
        "found": found,
        "may_see_people": may_see_people,
        "can_test": model_admin.has_change_permission(request) and letter is not None,
        "own_address": request.user.email,
    }
    return page(request, model_admin, view.appeal, "preview", _("Preview"), context)


def preview_html(request: HttpRequest, pk: int, model_admin: "AppealAdmin") -> HttpResponse:
    """The html part alone, for the frame of the preview: it runs nothing and can reach nothing of ours."""
    view = _view(request, pk, model_admin)
    try:
        letter = view.letter(view.recipient())
        content = letter.html if letter else ""
    except FieldError as error:
        content = escape(str(error))
    response = HttpResponse(content)
    response["Content-Security-Policy"] = (
        "sandbox allow-popups; default-src 'none'; img-src https: data:; style-src 'unsafe-inline'"
    )
    return response


def _view(request: HttpRequest, pk: int, model_admin: "AppealAdmin") -> _View:
    appeal = get_object_or_404(Appeal.objects.select_related("segment", "audience"), pk=pk)
    if not model_admin.has_view_permission(request, appeal):
        raise PermissionDenied
    reader = None
    if request.user.has_perm(_SEE_PEOPLE):
        reader = _reader(appeal, request.GET.get("supporter", ""))
    wordings = variants.wordings(appeal)
    languages = {language for language, _letter in wordings}
    language, letter = request.GET.get("language", ""), request.GET.get("variant", "")
    if language not in languages:
        language = texts.chosen(reader.language if reader else "", languages, appeal.default_language)
    if (language, letter) not in wordings:
        letter = variants.MAIN
    text = wordings.get((language, letter))
    problems = texts.broken(text) if text else [_("There is no text yet.")]
    return _View(appeal, text, letter, reader, problems)


def label(language: str, letter: str) -> str:
    """What staff call a wording."""
    name = texts.language_name(language)
    return name if letter == variants.MAIN else f"{name} · {letter}"


def _reader(appeal: Appeal, pk: str) -> Supporter | None:
    """The chosen supporter, else one of the segment."""
    if pk.isdecimal() and (chosen := Supporter.objects.filter(pk=int(pk[:18])).first()):
        return chosen
    member = SegmentMember.objects.filter(segment=appeal.segment_id).select_related("supporter").first()
    return member.supporter if member else None


def _send_test(request: HttpRequest, view: _View, model_admin: "AppealAdmin") -> None:
    """Send it to the person who asks, now, and say how that went."""
    if not model_admin.has_change_permission(request):
        raise PermissionDenied
    address = request.user.email
    if not address:
        said = _("Your own account has no address: add one, then the test can go there.")
        return model_admin.message_user(request, said, messages.ERROR)
    try:
        if view.appeal.channel == Appeal.Channel.MAILCHIMP:
            _test_by_mailchimp(view, address)
        else:
            _test_by_mail(view, address)
    except (FieldError, AddressUnusable, MailError, Untranslatable) as error:
        said = _("The test was not sent. %(why)s") % {"why": error}
        return model_admin.message_user(request, said, messages.ERROR)
    said = _("The test is on its way to %(address)s.") % {"address": address}
    return model_admin.message_user(request, said, messages.SUCCESS)


def _test_by_mail(view: _View, address: str) -> None:
    with Connection(way_out.transport(1)) as server:
        test = view.test(view.recipient(address))
        server.send(deliverable(view.appeal.sender_email), deliverable(address), test)


def _test_by_mailchimp(view: _View, address: str) -> None:
    if view.text is None or view.problems:
        raise FieldError(" ".join(view.problems))
    try:
        drafts.send_test(view.appeal, view.text, address)
    except MailchimpError as error:
        raise FieldError(error.for_staff) from None
    except NotYet:
        raise FieldError(_("Mailchimp has it in hand just now. Try again in two minutes.")) from None
