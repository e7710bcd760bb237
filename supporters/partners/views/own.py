"""What a partner sees of its own: figures, people, and who left. The partner is always that of the login, never named by an address."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.timezone import localdate
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_safe

from supporters import bars, embedding
from supporters import figures as written
from supporters.exporting.listings import COUNT_LIMIT, counted
from supporters.keys import key
from supporters.models import PartnerUser, Petition
from supporters.partners import addresses, figures
from supporters.partners import people as listed
from supporters.partners.door import at, for_partners, partner_page
from supporters.places import EU, name_of
from supporters.signing.texts import text_of

PAGE = 50
"""People on a page;"""
MANY = 200
"""and of those who left."""


@for_partners
@require_safe
def overview(request: HttpRequest, member: PartnerUser) -> HttpResponse:
    """All petitions with the partner's signatures, and what wants doing."""
    rows = [
        {"petition": petition, "signed": written.number(signed), **_title(petition)}
        for petition, signed in figures.of_petitions(member.organisation)
    ]
    return partner_page(request, "overview", {"member": member, "rows": rows, **_left_over(member)})


@for_partners
@require_safe
def petition(request: HttpRequest, member: PartnerUser, slug: str) -> HttpResponse:
    """The partner's signatures under one petition, by country and by week; and its links."""
    found = Petition.objects.filter(slug=slug).exclude(state=Petition.State.DRAFT).first()
    if found is None:
        raise Http404
    told = figures.of_petition(member.organisation, found)
    apart = figures.gathered_elsewhere(member.organisation, found)
    countries = [
        {
            "name": name_of(code, get_language()),
            "signed": number,
            "written": written.number(number),
            "member": code in EU,
        }
        for code, number in told.countries
    ]
    context = {
        "member": member,
        "petition": found,
        **_title(found),
        "signed": told.signed,
        "written": written.number(told.signed),
        "apart": apart,
        "apart_written": written.number(apart),
        "members": [each for each in countries if each["member"]],
        "others": [each for each in countries if not each["member"]],
        "most": max((each["signed"] for each in countries), default=1),
        "few": figures.FEW,
        "elsewhere": told.elsewhere,
        "elsewhere_written": written.number(told.elsewhere),
        "weeks": bars.of_weeks(told.weeks),
        "chart": bars.SIZE,
        "links": addresses.of_partner(member.organisation, found) if found.is_open() else None,
        "sites": ", ".join(embedding.sites_of(member.organisation)),
    }
    return partner_page(request, "petition", context)


@for_partners
@require_safe
def people(request: HttpRequest, member: PartnerUser) -> HttpResponse:
    """Those who allow the partner to write, the newest first."""
    rows = listed.standing(member.organisation)
    before = key(request.GET.get("before", ""))
    found = list((rows.filter(pk__lt=before) if before else rows)[: PAGE + 1])
    context = {
        "member": member,
        "rows": [
            {
                "grant": grant,
                "day": written.day(localdate(grant.happened_at)),
                "country": name_of(grant.supporter.country, get_language()) if grant.supporter.country else "",
            }
            for grant in found[:PAGE]
        ],
        **number_of(counted(rows)),
        "next": found[PAGE - 1].pk if len(found) > PAGE else None,
        "before": before,
        **_left_over(member),
    }
    return partner_page(request, "people", context)


@for_partners
@require_http_methods(["GET", "HEAD", "POST"])
def left(request: HttpRequest, member: PartnerUser) -> HttpResponse:
    """Those whom the partner got and who allow it no more. POST: they are removed there."""
    if request.method == "POST":
        number = listed.removed(member, [key(each) for each in request.POST.getlist("which")[: 2 * MANY]])
        return HttpResponseRedirect(at("left", query={"removed": str(number)}), status=303)
    found = list(listed.left(member.organisation)[: MANY + 1])
    context = {
        "member": member,
        "rows": [
            {
                "pk": each.pk,
                "email": each.email,
                "moved": each.moved,
                "left": written.minute(each.left_at) if each.left_at else "",
                "got": written.day(localdate(each.handed_at)),
            }
            for each in found[:MANY]
        ],
        "more": len(found) > MANY,
        "erased": listed.erased_since(member.organisation),
        "removed": key(request.GET.get("removed", "")),
    }
    return partner_page(request, "left", context)


def number_of(people: int) -> dict[str, object]:
    """For partners/number.html: how many, or that they are more than anybody counts."""
    if people >= COUNT_LIMIT:
        return {"many": written.number(COUNT_LIMIT)}
    return {"number": people, "written": written.number(people)}


def _title(petition: Petition) -> dict[str, str]:
    text = text_of(petition)
    return {"title": text.title or petition.title, "language": text.language}


def _left_over(member: PartnerUser) -> dict[str, bool]:
    organisation = member.organisation
    return {"some_left": bool(listed.how_many_left(organisation) or listed.erased_since(organisation))}
