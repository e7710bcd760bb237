"""The page that shows what an import would do before it runs: supporters.importing.preview."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from supporters.admin.pages import StaffForm
from supporters.importing import mapping as mappings
from supporters.importing import policy, preview
from supporters.importing import run as runs
from supporters.importing.policy import Winner
from supporters.importing.preview import outcomes
from supporters.importing.problems import FileProblem
from supporters.models import ImportPreview, ImportRun, Purpose, Supporter
from supporters.tasks import work_on_import, work_on_preview

OUTCOMES: dict[str, tuple[str | Promise, str]] = {
    outcomes.CHANGED: (_("Changed"), "updated"),
    outcomes.NEW: (_("New"), "created"),
    outcomes.FAILED: (_("Refused"), "failed"),
    outcomes.DOUBTFUL: (_("Doubtful"), "doubtful"),
    outcomes.NOT_TAKEN: (_("Left out"), "not_taken"),
    outcomes.UNCHANGED: (_("Unchanged"), "unchanged"),
}
"""Outcomes in the order in which they are shown: what they are called, and which count is theirs."""
_ALSO = {
    "tag": _("New tag"),
    "reference": _("New reference"),
    "granted": _("Consent given"),
    "withdrawn": _("Consent withdrawn"),
    "person": _("Makes a new person"),
    "refund_of": _("Refund of"),
    "refunded": _("Given back in all"),
}


class PolicyForm(StaffForm):
    """For each field that the file brings, whether the file or the record wins."""

    def __init__(self, run: ImportRun, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        chosen = policy.chosen(run.options)
        for field in brought(run):
            self.fields[field] = forms.ChoiceField(
                label=mappings.label_of(field), choices=Winner.choices, initial=chosen[field]
            )
        self.dress()


def brought(run: ImportRun) -> list[str]:
    """The fields of a record that this run's rows can say something of."""
    if run.kind != ImportRun.Kind.SUPPORTERS:
        return []
    used = {column["field"] for column in run.mapping.get("columns", [])}
    used |= {name for name in ("country", "language", "source_code") if run.options.get(name)}
    if "name" in used:
        used |= {"first_name", "last_name"}
    return [field for field in policy.COLUMNS if field in used and field not in policy.CAREFUL]


class Previewing:
    """For ImportRunAdmin."""

    def preview_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        run = get_object_or_404(ImportRun, pk=pk)
        if not self.has_change_permission(request, run):
            raise PermissionDenied
        review = reverse("admin:supporters_importrun_change", args=[run.pk])
        if run.state != ImportRun.State.UPLOADED:
            return HttpResponseRedirect(review)
        if request.method == "POST":
            try:
                if "start" in request.POST:
                    runs.start(run)
                    work_on_import.delay(run.pk)
                    return HttpResponseRedirect(review)
                self._ask_again(request, run)
            except FileProblem as problem:
                messages.error(request, problem.for_staff)
                return HttpResponseRedirect(review)
            return HttpResponseRedirect(request.path)
        found = preview.of(run)
        if found is None:
            return HttpResponseRedirect(review)
        part = "_inside" if request.GET.get("part") else ""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("What would change: %(name)s") % {"name": run.file_name},
            "run": run,
            "preview": found,
            "live": found.state in {ImportPreview.State.OWED, ImportPreview.State.RUNNING},
            "review": review,
            **(_told(request, run, found) if found.state == ImportPreview.State.DONE else {}),
        }
        return TemplateResponse(request, f"supporters/admin/import_preview{part}.html", context)

    def _ask_again(self, request: HttpRequest, run: ImportRun) -> None:
        form = PolicyForm(run, request.POST)
        if "policy" in request.POST and form.is_valid():
            said = policy.differing(policy.chosen(run.options) | form.cleaned_data)
            run.options = {name: value for name, value in run.options.items() if name != "policy"}
            if said:
                run.options["policy"] = said
            runs.settle_on(run, ["options"])
        self.ask_for_preview(run)

    def ask_for_preview(self, run: ImportRun) -> None:
        """Raises FileProblem."""
        preview.ask(run)
        work_on_preview.delay_on_commit(run.pk)


def _told(request: HttpRequest, run: ImportRun, found: ImportPreview) -> dict:
    counts = [
        {"key": key, "label": label, "rows": found.counts.get(count, 0)} for key, (label, count) in OUTCOMES.items()
    ]
    asked = request.GET.get("row", "").strip()
    show = request.GET.get("show", "")
    if show not in OUTCOMES:
        show = next((count["key"] for count in counts if count["rows"]), outcomes.UNCHANGED)
    if asked:
        number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 18 else 0
        row = preview.outcome_of(found, number)
        rows = [(number, row)] if row else []
    else:
        rows = preview.examples(found, show)
    people = Supporter.objects.in_bulk({row["who"] for _number, row in rows if row.get("who")})
    return {
        "counts": [count for count in counts if count["rows"] or count["key"] != outcomes.NOT_TAKEN],
        "policy": [
            {"field": field, "filled": filled, "replaced": replaced}
            for field in PolicyForm(run)
            for filled, replaced in [found.fields.get(field.name, (0, 0))]
        ],
        "show": show,
        "asked": asked,
        "rows": [_shown(number, row, people.get(row.get("who"))) for number, row in rows],
        "more": 0 if asked else max(found.counts.get(OUTCOMES[show][1], 0) - len(rows), 0),
    }


def _shown(number: int, row: dict, who: Supporter | None) -> dict:
    return {
        "number": number,
        "outcome": OUTCOMES[row["outcome"]][0],
        "why": row.get("why", ""),
        "who": who,
        "fields": [(mappings.label_of(name), old, new) for name, old, new in row.get("fields", ())],
        "also": [(_ALSO[kind], _called(kind, text)) for kind, text in row.get("also", ())],
    }


def _called(kind: str, text: str) -> str:
    return str(Purpose(text).label) if kind in {"granted", "withdrawn"} else text
