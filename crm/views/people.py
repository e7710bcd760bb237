"""What a person may ask of us: all that is held of them (GDPR, articles 15 and 20)."""

from collections.abc import Iterator

from django import forms
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth.decorators import permission_required
from django.contrib.contenttypes.models import ContentType
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _L
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from crm.disclosing import as_json, making
from supporters import finding
from supporters.admin.pages import StaffForm, form_page
from supporters.models import Disclosure, Supporter


class DisclosureForm(StaffForm):
    form = forms.ChoiceField(
        label=_L("As"),
        choices=Disclosure.Form.choices,
    )
    reason = forms.CharField(
        label=_L("Why"),
        max_length=200,
        help_text=_L("It is kept with your name: who asked, when, and how you know that it is them."),
    )


@never_cache
@staff_member_required
@permission_required("supporters.disclose_supporter", raise_exception=True)
def disclose(request: HttpRequest, pk: int) -> HttpResponse | StreamingHttpResponse:
    """Ask why, keep it, and hand out all that is held of a person."""
    supporter = finding.by_pk(pk)
    if supporter is None:
        raise Http404
    if supporter.pk != pk:
        return redirect("crm:disclose", supporter.pk)
    form = DisclosureForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["form"]
        LogEntry.objects.create(
            user=request.user,
            content_type=ContentType.objects.get_for_model(Supporter),
            object_id=str(pk),
            object_repr=str(supporter)[:200],
            action_flag=CHANGE,
            change_message=_("All that is held was handed out as %(form)s: %(reason)s")
            % {"form": name, "reason": form.cleaned_data["reason"]},
        )
        if making.takes_long(name):
            made = making.ask(supporter, name, form.cleaned_data["reason"], request.user)
            messages.info(request, _("There is much to read: a worker makes the file."))
            return redirect("admin:supporters_disclosure_change", made.pk)
        return _file(name, making.FORMS[name][2](supporter, ""))
    return form_page(
        request,
        form,
        title=_("All that is held of %(name)s") % {"name": supporter},
        submit=_("Hand out"),
        back=reverse("admin:supporters_supporter_change", args=[pk]),
        text=_(
            "Everybody may ask for what is held of them, and gets it within a month. Be sure that it is they who ask: it goes to"
            " nobody else."
        ),
        points=[
            _(
                "Record, consents, signatures, gifts, appeals and what came of them, messages about them, files that name them."
            ),
            _(
                "The page is in the person's language as far as Lodestar speaks it. The JSON's form is described at %(address)s."
            )
            % {"address": reverse("crm:person_schema")},
        ],
    )


@never_cache
@staff_member_required
@permission_required("supporters.disclose_supporter", raise_exception=True)
@require_GET
def disclosure_file(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """A file that a worker has made, while it is kept."""
    ready = Disclosure.objects.filter(state=Disclosure.State.DONE, expires_at__gt=Now())
    made = get_object_or_404(ready, pk=pk)
    return _file(made.form, iter([making.unpacked(made.content)]))


def _file(form: str, pieces: Iterator[str] | Iterator[bytes]) -> StreamingHttpResponse:
    ending, content_type, _stream = making.FORMS[form]
    name = f"person-{timezone.localdate():%Y-%m-%d}.{ending}"
    return StreamingHttpResponse(
        pieces,
        content_type=content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
            "X-Content-Type-Options": "nosniff",
        },
    )


@require_GET
def person_schema(request: HttpRequest) -> JsonResponse:
    """What the JSON of a person looks like: for whoever is handed one."""
    return JsonResponse(as_json.schema(), json_dumps_params={"indent": 1, "ensure_ascii": False})
