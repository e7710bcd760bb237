"""Signatures by country and by week: a page for people, and the same as JSON for other sites."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import conditional_page, require_safe

from supporters import bars, figures, places
from supporters.models import Tally
from supporters.public import page, public
from supporters.signing import totals
from supporters.signing.elsewhere import Gathered
from supporters.signing.texts import text_of
from supporters.signing.totals import Totals
from supporters.views import tiles
from supporters.views.petition import shown_petition

KEEP = 60
"""Seconds for which others may keep the numbers."""


@public
@require_safe
def totals_page(request: HttpRequest, slug: str) -> HttpResponse:
    """By member state, by other country, and over time, each as a chart that is a table too."""
    petition = shown_petition(slug)
    found = totals.totals(petition)
    language = get_language()
    countries = [
        {
            "name": places.name_of(code, language) if code else "",
            "signed": number,
            "written": figures.number(number),
            "member": code in places.EU,
        }
        for code, number in sorted(found.countries.items(), key=lambda each: (-each[1], each[0]))
        if number
    ]
    members = {
        code for each in (found, *found.gathered.values()) for code, number in each.countries.items() if number
    }
    context = {
        "petition": petition,
        "text": text_of(petition),
        "standing": totals.standing(petition),
        "gathered": _gathered(found, language),
        "members": [each for each in countries if each["member"]],
        "others": [each for each in countries if not each["member"]],
        "most": max((each["signed"] for each in countries), default=1),
        "weeks": bars.of_weeks(found.weeks),
        "chart": bars.SIZE,
        "map": {
            "tiles": tiles.tiles(found.countries),
            "width": tiles.WIDTH,
            "height": tiles.HEIGHT,
            "side": tiles.SIDE - tiles.GAP,
        },
        "states": len(members & places.EU),
    }
    return page(request, "supporters/totals.html", context, public=True)


@csrf_exempt  # Whoever does more than read is told that it is not allowed, rather than asked for a token.
@require_safe
def totals_json(request: HttpRequest, slug: str) -> HttpResponse:
    """What other sites show of a petition. Nothing in it is about a person, so any site may read it, and a copy that is still right is kept."""
    response = _numbers(request, slug)
    response["Access-Control-Allow-Origin"] = "*"
    return response


@conditional_page
def _numbers(request: HttpRequest, slug: str) -> HttpResponse:
    petition = shown_petition(slug)
    found = totals.totals(petition)
    response = JsonResponse(
        {
            "petition": petition.slug,
            "signatures": found.signed,
            "online": found.online,
            "goal": petition.goal,
            **_where_and_when(found),
            "on_paper": _apart(found.gathered[Tally.Way.PAPER]),
            "by_partners": _apart(found.gathered[Tally.Way.PARTNER]),
            "page": f"{settings.SITE_URL}/p/{petition.slug}/",
        }
    )
    response["Cache-Control"] = f"public, max-age={KEEP}"
    return response


def _where_and_when(found: Totals | Gathered) -> dict[str, Any]:
    return {
        "countries": {code or "unknown": number for code, number in sorted(found.countries.items()) if number},
        "weeks": [{"week": week.isoformat(), "signatures": number} for week, number in sorted(found.weeks.items())],
    }


def _apart(found: Gathered) -> dict[str, Any]:
    return {"signatures": found.signed, **_where_and_when(found)}


def _gathered(found: Totals, language: str) -> list[tuple[str, list[tuple[str, list[str]]]]]:
    """What was gathered elsewhere: tables by country and by week, with a number for each way in each row."""
    ways = list(found.gathered.values())
    countries = {code: places.name_of(code, language) for way in ways for code in way.countries}
    weeks = sorted({week for way in ways for week in way.weeks})
    if not countries:
        return []
    by_country = [
        (name, [figures.number(way.countries.get(code, 0)) for way in ways])
        for code, name in sorted(countries.items(), key=lambda each: each[1])
    ]
    by_week = [(figures.day(week), [figures.number(way.weeks.get(week, 0)) for way in ways]) for week in weeks]
    return [(_("Country"), by_country), (_("Week from"), by_week)]
