"""Files that a partner has made of its people: asked for with a reason, on record for its staff and for ours."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _L
from django.views.decorators.http import require_http_methods, require_safe

from supporters import figures
from supporters.exporting import answering, listings, making
from supporters.exporting.listings import Asked
from supporters.models import Export, PartnerUser
from supporters.partners import people
from supporters.partners.door import at, for_partners, partner_page
from supporters.partners.forms import FileForm
from supporters.partners.views.own import number_of

NEWEST = 50
_TITLES = {
    people.PEOPLE: _L("People who allowed %(partner)s to write"),
    people.LEFT: _L("People who no longer allow %(partner)s to write"),
}
_USUAL_REASONS = {people.LEFT: _L("To remove them from our own list")}
_STATES = {
    Export.State.STREAMED: _L("Downloaded at once"),
    Export.State.QUEUED: _L("It is being made."),
    Export.State.MAKING: _L("It is being made."),
    Export.State.DONE: _L("Ready for whoever asked for it"),
    Export.State.FAILED: _L("It could not be made. Ask for it again."),
    Export.State.CANCELLED: _L("It could not be made. Ask for it again."),
    Export.State.WITHDRAWN: _L("Somebody in it was erased. Get a fresh file."),
    Export.State.EXPIRED: _L("Deleted, because its time was up"),
}


@for_partners
@require_safe
def files(request: HttpRequest, member: PartnerUser) -> HttpResponse:
    """All files of the partner, whoever of it had them made."""
    found = Export.objects.filter(by__partner__organisation=member.organisation, listing__in=_TITLES)
    rows = list(found.select_related("by").order_by("-created_at", "-pk")[:NEWEST])
    context = {
        "member": member,
        "rows": [
            {
                "export": each,
                "what": _title(each.listing, member),
                "when": figures.minute(each.created_at),
                "people": figures.number(each.rows),
                "state": _STATES[Export.State(each.state)],
                "waiting": each.state in {Export.State.QUEUED, Export.State.MAKING},
                "ready": each.state == Export.State.DONE and each.by_id == member.user_id,
            }
            for each in rows
        ],
    }
    return partner_page(request, "files", context)


@for_partners
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, member: PartnerUser, name: str) -> HttpResponse:
    """Why, and which format. A short one is the answer; a worker makes a long one."""
    if name not in _TITLES:
        raise Http404
    listing, asked = listings.get(name), Asked("", member.user)
    extent = listing.extent(asked)
    form = FileForm(
        request.POST if request.method == "POST" else None, initial={"reason": _USUAL_REASONS.get(name, "")}
    )
    if not form.is_bound or not form.is_valid():
        context = {"member": member, "form": form, "what": _title(name, member), **number_of(extent.count)}
        return partner_page(request, "new_file", context, status=422 if form.is_bound else 200)
    state = Export.State.QUEUED if making.large(extent) else Export.State.STREAMED
    columns = [column.name for column in listing.offered(asked)]
    export = making.ask(listing, asked, extent, columns=columns, **form.cleaned_data, state=state)
    if state == Export.State.STREAMED:
        return answering.answer(export, making.at_once(listing, asked, extent, export))
    answering.hand_over(export)
    return HttpResponseRedirect(at("files"), status=303)


@for_partners
@require_safe
def fetch(request: HttpRequest, member: PartnerUser, pk: int) -> HttpResponse:
    export = get_object_or_404(Export, pk=pk, by=member.user_id, listing__in=_TITLES, state=Export.State.DONE)
    if not making.may_fetch(export, member.user):
        raise Http404
    return answering.answer(export, making.content(export), size=export.file_size)


def _title(listing: str, member: PartnerUser) -> str:
    return _TITLES[listing] % {"partner": member.organisation}
