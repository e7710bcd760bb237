"""Requests to be erased on the staff site: what is due, and what is decided. supporters.erasing owns them."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display

from supporters import erasing
from supporters.admin.base import ReadOnlyAdmin
from supporters.admin.donation import money
from supporters.admin.pages import StaffForm, form_page
from supporters.models import ErasureRequest, Supporter
from supporters.payments import ending

State, Door = ErasureRequest.State, ErasureRequest.Door
Identified, Ground = ErasureRequest.Identified, ErasureRequest.Ground
MOST = 5_000
"""People who are erased by one list."""
SOON = timedelta(days=7)
_ACTIONS = {
    State.RECEIVED: ("approve", "extend", "refuse", "take_back"),
    State.APPROVED: ("approve", "extend", "take_back"),
    State.ELSEWHERE: ("extend",),
}
"""What may still be done in each state."""


_IDENTIFIED = [choice for choice in Identified.choices if choice[0] not in {Identified.NEEDLESS, Identified.LINK}]


class ApprovalForm(StaffForm):
    identified = forms.ChoiceField(label=gettext_lazy("How you know that it is they"), choices=_IDENTIFIED)
    ended = forms.BooleanField(
        label=gettext_lazy("The agreements that Lodestar can't end have been ended where the money is taken"),
        required=False,
    )

    def __init__(self, person: Supporter, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.by_hand = list(ending.to_end_by_hand([person.pk]))
        if not self.by_hand:
            del self.fields["ended"]

    def clean(self) -> dict:
        said = super().clean()
        if self.by_hand and self.carries_out(said) and not said.get("ended"):
            self.add_error("ended", _("Money would go on coming: end them there first."))
        return said

    def carries_out(self, said: dict) -> bool:
        return True


class AskForm(ApprovalForm):
    """What somebody asked, and whether it is carried out at once."""

    door = forms.ChoiceField(label=gettext_lazy("How they asked"), choices=Door.choices)
    received_on = forms.DateField(
        label=gettext_lazy("On"), initial=timezone.localdate, help_text=gettext_lazy("It is due a month later.")
    )
    identified = forms.ChoiceField(
        label=gettext_lazy("How you know that it is they"),
        choices=[("", gettext_lazy("Not known yet")), *_IDENTIFIED],
        required=False,
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        widget=forms.Textarea,
        required=False,
        max_length=2000,
        help_text=gettext_lazy("It goes with the person."),
    )
    now = forms.BooleanField(label=gettext_lazy("Erase them now, for good"), required=False)
    field_order = ["door", "received_on", "identified", "note", "now", "ended"]

    def clean_received_on(self) -> date:
        if self.cleaned_data["received_on"] > timezone.localdate():
            raise forms.ValidationError(_("This day has not come yet."))
        return self.cleaned_data["received_on"]

    def clean(self) -> dict:
        said = super().clean()
        if said.get("now") and not said.get("identified") and said.get("door") != Door.OURS:
            self.add_error("identified", _("Say how you know that it is they who ask."))
        return said

    def carries_out(self, said: dict) -> bool:
        return bool(said.get("now"))


class ManyForm(StaffForm):
    """The same for all who were chosen on a list."""

    door = forms.ChoiceField(label=gettext_lazy("Why"), choices=Door.choices, initial=Door.OURS)
    identified = forms.ChoiceField(
        label=gettext_lazy("How you know that it is they"),
        choices=[("", gettext_lazy("Nobody asked")), *_IDENTIFIED],
        required=False,
    )
    number = forms.IntegerField(
        label=gettext_lazy("How many people are erased"),
        help_text=gettext_lazy("Write the number, so that nobody is erased by one wrong click."),
    )
    people = forms.CharField(widget=forms.HiddenInput)

    def clean_people(self) -> list[int]:
        named = self.cleaned_data["people"].split(",")
        if not all(each.isascii() and each.isdigit() and len(each) < 19 for each in named):
            raise forms.ValidationError(_("Choose them on the list again."))
        return [int(each) for each in named][:MOST]

    def clean(self) -> dict:
        said = super().clean()
        if said.get("door") != Door.OURS and not said.get("identified"):
            self.add_error("identified", _("Say how you know that it is they who ask."))
        if "people" in said and "number" in said and len(said["people"]) != said["number"]:
            self.add_error("number", _("It is another number: look at the list again."))
        return said


class ExtensionForm(StaffForm):
    why = forms.CharField(label=gettext_lazy("Why it takes longer"), max_length=250)


class RefusalForm(StaffForm):
    ground = forms.ChoiceField(label=gettext_lazy("On the ground of"), choices=Ground.choices)
    why = forms.CharField(label=gettext_lazy("Why"), widget=forms.Textarea, max_length=2000)


def what_goes() -> list[str]:
    return [
        _(
            "Name, addresses, references, tags, consents and notes go, here and in Mailchimp; so do rows of files that name them."
        ),
        _("Donations stay in the books and signatures in the count, both without the person."),
        _("The email address is kept as a hash only, so that it is never written to again."),
    ]


def what_ends(person: Supporter) -> list[str]:
    """What a page says of the agreements to give of somebody who is to be erased."""
    by_hand = set(ending.to_end_by_hand([person.pk]))
    points = []
    for agreement in ending.running([person.pk]).order_by("pk"):
        what = {"amount": money(agreement), "provider": agreement.provider or "–"}
        if agreement in by_hand:
            points.append(_("An agreement over %(amount)s (%(provider)s) runs. Lodestar can't end it there.") % what)
        else:
            points.append(_("The agreement over %(amount)s is ended at %(provider)s first.") % what)
    return points


class BatchFilter(admin.SimpleListFilter):
    """Those that were asked for together; by a link, not by choice."""

    title = gettext_lazy("one list")
    parameter_name = "batch"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        batch = _uuid(request.GET.get("batch", ""))
        return [(str(batch), _("Chosen together"))] if batch else []

    def queryset(self, request: HttpRequest, rows: QuerySet) -> QuerySet:
        batch = _uuid(self.value() or "")
        return rows.filter(batch=batch) if batch else rows


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@admin.register(ErasureRequest)
class ErasureRequestAdmin(ReadOnlyAdmin):
    list_display = ["who", "status", "due", "received_on", "door", "trouble", "done_at"]
    list_before_template = "supporters/admin/erasure_figures.html"
    list_filter = [("state", ChoicesDropdownFilter), ("door", ChoicesDropdownFilter), BatchFilter]
    list_select_related = []
    list_prefetch = ["supporter"]
    search_fields = ["=number"]
    search_help_text = gettext_lazy("The number of the record.")
    sortable_by = ["received_on", "due", "done_at"]
    actions_detail = ["approve", "extend", "refuse", "take_back"]
    fieldsets = [
        (None, {"fields": ["whom", ("state", "due_on"), "waits_for"]}),
        (
            gettext_lazy("The request"),
            {"fields": [("received_on", "door"), "identified", "note", "made_by", ("extended_on", "extension")]},
        ),
        (
            gettext_lazy("What came of it"),
            {"fields": [("decided_by", "decided_at"), ("ground", "refusal"), ("erased_at", "done_at"), "stayed"]},
        ),
    ]
    readonly_fields = ["whom", "waits_for", "stayed"]

    def get_ordering(self, request: HttpRequest) -> list:
        """What somebody waits for first, by when it is due."""
        return [F("done_at").desc(nulls_first=True), "due_on", "-pk"]

    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        figures = erasing.figures(_uuid(request.GET.get("batch", "")))
        return super().changelist_view(request, {**(extra_context or {}), "figures": figures})

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list:
        state = ErasureRequest.objects.filter(pk=object_id).values_list("state", flat=True).first()
        wanted = _ACTIONS.get(state, ())
        names = {f"supporters_erasurerequest_{name}" for name in wanted}
        return [each for each in super().get_actions_detail(request, object_id) if each.action_name in names]

    def has_erase_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("supporters.erase_supporter")

    # What is shown

    @display(description=gettext_lazy("Who"))
    def who(self, request: ErasureRequest) -> str:
        return str(request.supporter or _("Erased: record %(number)s") % {"number": request.number})

    @display(description=gettext_lazy("Who"))
    def whom(self, request: ErasureRequest) -> SafeString | str:
        if request.supporter is None:
            return self.who(request)
        link = reverse("admin:supporters_supporter_change", args=[request.supporter_id])
        return format_html('<a class="font-medium underline" href="{}">{}</a>', link, str(request.supporter))

    @display(
        description=gettext_lazy("State"),
        ordering="state",
        label={
            "received": "warning",
            "approved": "info",
            "elsewhere": "info",
            "done": "success",
            "refused": "danger",
            "taken_back": "default",
        },
    )
    def status(self, request: ErasureRequest) -> tuple[str, str]:
        return request.state, request.get_state_display()

    @display(
        description=gettext_lazy("Due"),
        ordering="due_on",
        label={"late": "danger", "soon": "warning", "far": "default"},
    )
    def due(self, request: ErasureRequest) -> tuple[str, str]:
        day = date_format(request.due_on, "DATE_FORMAT")
        left = request.due_on - timezone.localdate()
        if not request.is_open or left > SOON:
            return "far", day
        if left < timedelta(0):
            return "late", _("%(day)s: overdue") % {"day": day}
        return "soon", day

    @display(description=gettext_lazy("Waits for"))
    def waits_for(self, request: ErasureRequest) -> str:
        if request.state == State.RECEIVED:
            return _("Your decision.")
        if request.state == State.APPROVED:
            return request.trouble or _("A worker, who takes it up within a minute.")
        if request.state != State.ELSEWHERE:
            return "–"
        return request.trouble or _("Mailchimp, which is to confirm that it has forgotten them.")

    @display(description=gettext_lazy("What stayed"))
    def stayed(self, request: ErasureRequest) -> str:
        if not request.erased_at:
            return "–"
        gifts, names = request.kept.get("donations", 0), request.kept.get("signatures", 0)
        parts = [
            ngettext("%(number)d gift in the books", "%(number)d gifts in the books", gifts) % {"number": gifts},
            ngettext("%(number)d signature in the count", "%(number)d signatures in the count", names)
            % {"number": names},
            _("the hash of the address"),
        ]
        return _("%(parts)s; all without the person.") % {"parts": ", ".join(parts)}

    # What is decided

    @action(description=gettext_lazy("Carry it out…"), url_path="approve", icon="check", permissions=["erase"])
    def approve(self, request: HttpRequest, object_id: int) -> HttpResponse:
        asked = self._open(request, object_id)
        if asked is None:
            return self._too_late(request, object_id)
        initial = {"identified": asked.identified}
        form = ApprovalForm(asked.supporter, request.POST or None, initial=initial)

        def decide(said: dict) -> None:
            if form.by_hand:
                ending.ended_by_hand([asked.supporter_id])
            if asked.state == State.APPROVED:
                erasing.try_again(asked)
            else:
                erasing.approve(asked, request.user, said["identified"])

        return self._page(
            request,
            asked,
            form,
            decide,
            title=_("Erase %(name)s?") % {"name": asked.supporter},
            submit=_("Erase for good"),
            danger=True,
            text=_("This can't be undone. Tell the person first that it is done: afterwards nobody knows how."),
            points=[*what_ends(asked.supporter), *what_goes()],
        )

    @action(description=gettext_lazy("Take longer…"), url_path="extend", icon="schedule", permissions=["erase"])
    def extend(self, request: HttpRequest, object_id: int) -> HttpResponse:
        asked = get_object_or_404(ErasureRequest, pk=object_id)
        last = erasing.months_after(asked.received_on, erasing.MONTHS_EXTENDED)
        return self._page(
            request,
            asked,
            ExtensionForm(request.POST or None),
            lambda said: erasing.extend(asked, said["why"]),
            title=_("Take longer"),
            submit=_("Take two months more"),
            text=_("Only where it is complex, or where there are many requests. It is then due on %(day)s.")
            % {"day": date_format(last, "DATE_FORMAT")},
            points=[_("Tell the person within the first month that it takes longer, and why.")],
        )

    @action(description=gettext_lazy("Refuse…"), url_path="refuse", icon="block", permissions=["erase"])
    def refuse(self, request: HttpRequest, object_id: int) -> HttpResponse:
        asked = get_object_or_404(ErasureRequest, pk=object_id)
        return self._page(
            request,
            asked,
            RefusalForm(request.POST or None),
            lambda said: erasing.refuse(asked, said["ground"], said["why"], request.user),
            title=_("Refuse"),
            submit=_("Refuse it"),
            text=_("The person stays on file. The books are no reason: they keep gifts without the person."),
            points=[
                _(
                    "Tell the person within the month why, that they can complain to the supervisory authority, and that"
                    " they can go to court (article 12(4))."
                )
            ],
        )

    @action(description=gettext_lazy("They take it back…"), url_path="take-back", icon="undo", permissions=["erase"])
    def take_back(self, request: HttpRequest, object_id: int) -> HttpResponse:
        asked = get_object_or_404(ErasureRequest, pk=object_id)
        return self._page(
            request,
            asked,
            StaffForm(request.POST if request.method == "POST" else None),
            lambda said: erasing.take_back(asked, request.user),
            title=_("They take it back"),
            submit=_("Close the request"),
            text=_("The person thought otherwise and stays on file."),
        )

    def _open(self, request: HttpRequest, object_id: int) -> ErasureRequest | None:
        asked = ErasureRequest.objects.select_related("supporter").filter(pk=object_id).first()
        return asked if asked and asked.supporter and asked.state in {State.RECEIVED, State.APPROVED} else None

    def _page(
        self,
        request: HttpRequest,
        asked: ErasureRequest,
        form: StaffForm,
        decide: Callable[[dict], None],
        **page: object,
    ) -> HttpResponse:
        if request.method == "POST" and form.is_valid():
            try:
                decide(form.cleaned_data)
            except erasing.ErasureProblem as problem:
                form.add_error(None, str(problem))
            else:
                self.message_user(request, _("It is written down."), messages.SUCCESS)
                return HttpResponseRedirect(_address(asked.pk))
        return form_page(request, form, back=_address(asked.pk), **page)

    def _too_late(self, request: HttpRequest, object_id: int) -> HttpResponse:
        self.message_user(request, _("There is nothing to decide here any more."), messages.WARNING)
        return HttpResponseRedirect(_address(object_id))


def _address(pk: int) -> str:
    return reverse("admin:supporters_erasurerequest_change", args=[pk])


def erase_one(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down that this person asked to be erased, and have it carried out if it is clear."""
    person = Supporter.objects.filter(pk=pk).first()
    standing = ErasureRequest.objects.filter(number=pk).exclude(state__in=[State.REFUSED, State.TAKEN_BACK])
    if known := standing.order_by("-pk").first():
        return HttpResponseRedirect(_address(known.pk))
    if person is None:
        raise Http404
    form = AskForm(person, request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        identified = said["identified"] or (Identified.NEEDLESS if said["door"] == Door.OURS else "")
        asked = erasing.ask(
            person,
            said["door"],
            received_on=said["received_on"],
            identified=identified,
            note=said["note"],
            by=request.user,
        )
        if said["now"]:
            if form.by_hand:
                ending.ended_by_hand([pk])
            with suppress(erasing.ErasureProblem):  # somebody else was quicker
                erasing.approve(asked, request.user)
        return HttpResponseRedirect(_address(asked.pk))
    return form_page(
        request,
        form,
        title=_("Erase %(name)s?") % {"name": person},
        submit=_("Go on"),
        back=reverse("admin:supporters_supporter_change", args=[pk]),
        danger=True,
        text=_("Write the request down. What is carried out can't be undone."),
        points=[*what_ends(person), *what_goes()],
    )


def erase_many(request: HttpRequest, people: QuerySet[Supporter] | None = None) -> HttpResponse:
    """Ask about those who were chosen on a list; then hand them to a worker."""
    back = reverse("admin:supporters_supporter_changelist")
    if people is not None:
        chosen = list(people.order_by("pk").values_list("pk", flat=True)[: MOST + 1])
        if len(chosen) > MOST:
            messages.error(request, _("No more than %(most)s people can be erased at once.") % {"most": MOST})
            return HttpResponseRedirect(back)
        form = ManyForm(initial={"people": ",".join(map(str, chosen))})
    else:
        form = ManyForm(request.POST)
        if form.is_valid():
            said = form.cleaned_data
            identified = said["identified"] or Identified.NEEDLESS
            batch = erasing.ask_for_many(said["people"], by=request.user, door=said["door"], identified=identified)
            messages.success(request, _("A worker erases them; this list shows how far it is."))
            return HttpResponseRedirect(f"{reverse('admin:supporters_erasurerequest_changelist')}?batch={batch}")
        chosen = form.data.get("people", "").split(",")
    number = len(chosen)
    return form_page(
        request,
        form,
        title=ngettext("Erase %(number)d person?", "Erase %(number)d people?", number) % {"number": number},
        submit=_("Erase for good"),
        back=back,
        action=reverse("admin:supporters_supporter_erase_many"),
        danger=True,
        text=_("This can't be undone."),
        points=[
            *what_goes(),
            _("Whoever has an agreement to give that Lodestar can't end stays until you have said that it is ended."),
        ],
    )


def erased_page(request: HttpRequest, number: int) -> HttpResponse | None:
    """What is left to be said where somebody's page was; None if nobody was erased there."""
    asked = erasing.of_erased(number)
    if asked is None:
        return None
    context = {
        **admin.site.each_context(request),
        "title": _("Record %(number)s was erased") % {"number": number},
        "asked": asked,
        "link": _address(asked.pk) if request.user.has_perm("supporters.view_erasurerequest") else "",
    }
    return TemplateResponse(request, "supporters/admin/erased.html", context, status=410)
