"""Files that a partner has made of its people: asked for with a reason, on record for its staff and for ours."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from supporters.exporting import answering, listings, making
from supporters.exporting.listings import Asked
from supporters.models import Export, PartnerUser
from supporters.partners.door import for_partners, partner_page
from supporters.partners.forms import FileForm
from supporters.partners.listing import LISTINGS

NEWEST = 50
_OURS = {listing.name for listing in LISTINGS}


@for_partners
@require_safe
def files(request: HttpRequest, member: PartnerUser) -> HttpResponse:
    """All files of the partner, whoever of it had them made."""
    found = Export.objects.filter(by__partner__organisation=member.organisation, listing__in=_OURS)
    rows = list(found.select_related("by").order_by("-created_at", "-pk")[:NEWEST])
    context = {
        "member": member,
        "rows": [
            {"export": each, "ready": each.state == Export.State.DONE and each.by_id == member.user_id}
            for each in rows
        ],
        "waiting": any(each.state in {Export.State.QUEUED, Export.State.MAKING} for each in rows),
    }
    return partner_page(request, "files", context)


@for_partners
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, member: PartnerUser, name: str) -> HttpResponse:
    """Why, and which format. A short one is the answer; a worker makes a long one."""
    if name not in _OURS:
        raise Http404
    listing, asked = listings.get(name), Asked("", member.user)
    extent = listing.extent(asked)
    form = FileForm(request.POST if request.method == "POST" else None, initial={"reason": extent.reason})
    if not form.is_bound or not form.is_valid():
        context = {"member": member, "form": form, "extent": extent, "most": listings.COUNT_LIMIT}
        return partner_page(request, "new_file", context, status=422 if form.is_bound else 200)
    state = Export.State.QUEUED if making.large(extent) else Export.State.STREAMED
    columns = [column.name for column in listing.offered(asked)]
    export = making.ask(listing, asked, extent, columns=columns, **form.cleaned_data, state=state)
    if state == Export.State.STREAMED:
        return answering.answer(export, making.at_once(listing, asked, extent, export))
    answering.hand_over(export)
    return HttpResponseRedirect(reverse("partners:files"), status=303)


@for_partners
@require_safe
def fetch(request: HttpRequest, member: PartnerUser, pk: int) -> HttpResponse:
    export = get_object_or_404(Export, pk=pk, by=member.user_id, listing__in=_OURS, state=Export.State.DONE)
    if not making.may_fetch(export, member.user):
        raise Http404
    return answering.answer(export, making.content(export), size=export.file_size)
