"""The page on which an import is undone: supporters.importing.undoing."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from supporters.importing import undoing
from supporters.importing.undoing.footing import in_words
from supporters.importing.undoing.slices import CHANGE, GIFT, PERSON
from supporters.models import ImportRun, ImportUndo, Supporter
from supporters.tasks import work_on_undo

_LINES: list[tuple[str, str | Promise, str | Promise]] = [
    (PERSON, _("People who would be removed"), _("People removed")),
    (CHANGE, _("Records that would be as they were"), _("Records that are as they were")),
    (GIFT, _("Donations that would be removed"), _("Donations removed")),
    ("refunds", "", _("Refunds removed")),
    ("references", "", _("References taken away")),
    ("tags", "", _("Tags taken away")),
    ("grants", "", _("Consents taken out")),
    ("withdrawn", "", _("Consents withdrawn, since something was sent on them")),
    ("gone", _("Merged or erased since"), _("Merged or erased since")),
    ("kept", _("What has to stay"), _("What had to stay")),
]
_KINDS = {
    PERSON: _("New person"),
    CHANGE: _("Changed person"),
    GIFT: _("Donation"),
}


class Undoing:
    """For ImportRunAdmin."""

    def undo_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        run = get_object_or_404(ImportRun, pk=pk)
        if not self.has_change_permission(request, run):
            raise PermissionDenied
        change = reverse("admin:supporters_importrun_change", args=[run.pk])
        if request.method == "POST":
            return self._undo_or_look(request, run, change)
        undo = ImportUndo.objects.filter(run=run).first()
        if undo is None:
            return HttpResponseRedirect(change)
        over = undo.state == ImportUndo.State.UNDONE
        part = "_inside" if request.GET.get("part") else ""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Undo: %(name)s") % {"name": run.file_name},
            "run": run,
            "undo": undo,
            "back": change,
            "over": over,
            "live": undo.state in {ImportUndo.State.LOOKING, ImportUndo.State.UNDOING},
            "all_slices": run.traces.count(),
            "lines": [
                {"key": key, "label": after if over else before, "number": undo.counts.get(key, 0)}
                for key, before, after in _LINES
                if (after if over else before) and (undo.counts.get(key) or key in {PERSON, CHANGE, "kept"})
            ],
            "kept": _listed(undo),
            "more": max(undo.counts.get("kept", 0) - len(undo.kept), 0),
        }
        return TemplateResponse(request, f"supporters/admin/import_undo{part}.html", context)

    def _undo_or_look(self, request: HttpRequest, run: ImportRun, change: str) -> HttpResponse:
        if "undo" in request.POST:
            begun = undoing.start(run, request.user)
            if begun:
                self.log_change(request, run, gettext("Undone"))
        else:
            begun = undoing.ask(run, request.user)
        if not begun:
            messages.warning(request, gettext("There is nothing here that can be undone by now."))
            return HttpResponseRedirect(change)
        work_on_undo.delay_on_commit(run.pk)
        return HttpResponseRedirect(request.path)


def _listed(undo: ImportUndo) -> list[dict]:
    people = Supporter.objects.in_bulk({key for _row, kind, key, _why in undo.kept if kind != GIFT})
    return [
        {
            "row": row,
            "kind": _KINDS[kind],
            "who": people.get(key) if kind != GIFT else None,
            "key": key,
            "why": in_words(why),
        }
        for row, kind, key, why in undo.kept
    ]
