"""The page on which staff say whose a doubtful row is: supporters.importing.doubts."""

from collections.abc import Iterable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from supporters.importing import doubts
from supporters.importing import mapping as mappings
from supporters.models import ImportRow, ImportRun, Supporter
from supporters.tasks import settle_doubts

Verdict = ImportRow.Verdict
PAGE = 50
_CHOICES = {verdict.value for verdict in (Verdict.SAME, Verdict.SECOND, Verdict.LEFT_OUT)}


class DoubtfulRows:
    """For ImportRunAdmin."""

    def doubtful_rows(self, request: HttpRequest, pk: int) -> HttpResponse:
        run = get_object_or_404(ImportRun, pk=pk)
        if not self.has_view_permission(request, run):
            raise PermissionDenied
        if request.method == "POST":
            if not self.has_change_permission(request, run):
                raise PermissionDenied
            self._decide(request, run)
            return HttpResponseRedirect(request.path)
        reasons = doubts.reasons(run)
        why = request.GET.get("why", "")
        rows = doubts.waiting(run).select_related("supporter")
        if why in dict(reasons):
            rows = rows.filter(reason=why)
        else:
            why = ""
        page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Doubtful rows: %(name)s") % {"name": run.file_name},
            "run": run,
            "page": page,
            "pairs": list(_pairs(run, page.object_list)),
            "reasons": reasons,
            "why": why,
            "may_decide": self.has_change_permission(request, run),
            "back": reverse("admin:supporters_importrun_change", args=[run.pk]),
        }
        return TemplateResponse(request, "supporters/admin/import_doubtful.html", context)

    def _decide(self, request: HttpRequest, run: ImportRun) -> None:
        verdict = request.POST.get("verdict", "")
        everything = request.POST.get("all") == "1"
        numbers = [int(number) for number in request.POST.getlist("row") if number.isascii() and number.isdigit()]
        if verdict not in _CHOICES:
            return
        if not everything and not numbers:
            messages.warning(request, gettext("Tick the rows that you mean."))
            return
        decided = doubts.decide(
            run,
            verdict,
            numbers=None if everything else numbers,
            reason=request.POST.get("why", "") if everything else "",
            by=request.user,
        )
        if not decided:
            messages.info(request, gettext("These rows have been decided on already."))
            return
        if decided <= PAGE:
            doubts.settle(run.pk)
        else:
            settle_doubts.delay(run.pk)
        label = Verdict(verdict).label
        self.log_change(
            request, run, gettext("%(rows)s doubtful rows: %(verdict)s") % {"rows": decided, "verdict": label}
        )
        told = ngettext("%(rows)s row: %(verdict)s.", "%(rows)s rows: %(verdict)s.", decided)
        messages.success(request, told % {"rows": decided, "verdict": str(label).lower()})


def _pairs(run: ImportRun, rows: Iterable[ImportRow]) -> Iterable[dict]:
    """Each row with what the file and what the record say, field by field where they differ."""
    columns = [(index, column["field"]) for index, column in enumerate(run.mapping["columns"]) if column.get("field")]
    for row in rows:
        cells = {field: row.values[index].strip() for index, field in columns if index < len(row.values)}
        name = cells.get("name") or f"{cells.get('first_name', '')} {cells.get('last_name', '')}".strip()
        told = [
            (mappings.FIELDS[field].label, text, _on_file(row.supporter, field))
            for field, text in cells.items()
            if text and field not in {"name", "first_name", "last_name"}
        ]
        yield {"row": row, "name": name, "told": told}


def _on_file(supporter: Supporter | None, field: str) -> str:
    value = getattr(supporter, field, "") if field in _SHOWN else ""
    return "" if value is None else str(value)


_SHOWN = {"email", "language", "country", "phone", "street", "postcode", "city", "region", "birth_date"}
