"""Logging in for a partner, and whose page a request is for.

An address that is unknown, a wrong password, a disabled login and one of staff are answered alike. Guesses are slowed by the network
they come from and by the login they are about, there more than from where else it is tried: who guesses keeps nobody else out for long.
"""

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth import authenticate, login
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import get_language

from supporters import crowd, limiter, visitors
from supporters.limiter import Bucket
from supporters.models import PartnerUser
from supporters.partners import members
from supporters.public import address, in_its_language, page

FROM_HERE = (1 / 60, 6)
"""A second, and at once: guesses at one login from one address,"""
FROM_ANYWHERE = (1 / 20, 60)
"""and from all of them."""


def wait(request: HttpRequest, email: str) -> int:
    """Take a turn at this login; seconds to wait, 0 if it is theirs now. If Redis is away nobody is turned down."""
    if hold := crowd.hold(request, "partners"):
        return hold.seconds
    whose = visitors.hidden(f"login:{email}")
    here = visitors.hidden(visitors.address(request))
    buckets = [
        Bucket(f"partners:{whose}:{here}", *FROM_HERE),
        Bucket(f"partners:{whose}", *FROM_ANYWHERE),
    ]
    taken = limiter.take(1, buckets, [])
    if taken.total or not taken.together:
        return 0
    return max(1, math.ceil(max(bucket.wait(tokens) for bucket, tokens in taken.left.items())))


def log_in(request: HttpRequest, email: str, password: str) -> bool:
    """Whether they are in; why not stays with us."""
    user = authenticate(request, username=email, password=password)
    member = member_of(user)
    if member is None:
        with connection.cursor() as cursor:
            cursor.execute(_REFUSED, {"email": email})
        return False
    login(request, user)
    members.note(member, members.Kind.LOGIN)
    return True


_REFUSED = """
INSERT INTO supporters_partnerevent (organisation_id, user_id, kind)
SELECT p.organisation_id, p.user_id, 'refused' FROM supporters_partneruser p JOIN auth_user u ON u.id = p.user_id
WHERE u.username = %(email)s
"""


def member_of(user: Any) -> PartnerUser | None:
    """The login that this user is; none of staff is one, whatever the tables say."""
    if user is None or not user.is_authenticated or not user.is_active or user.is_staff or user.is_superuser:
        return None
    return PartnerUser.objects.select_related("organisation", "user").filter(user=user.pk).first()


def for_partners(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page of whoever is logged in for a partner, which the view gets as `member`. All others are led to the door."""

    @in_its_language
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        member = member_of(request.user)
        if member is None:
            return HttpResponseRedirect(at("login"))
        return view(request, member, *args, **kwargs)

    return guarded


def at(name: str, *, query: dict[str, str] | None = None) -> str:
    """The path of a page for partners in the language that is active."""
    return address(name, query=query, of="partners")


def partner_page(request: HttpRequest, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """With the headers of our public pages: kept by no cache, framed by nobody, asking no third party."""
    response = page(request, f"partners/{name}.html", {"code": get_language(), **context}, status=status)
    # A form's own word of where it comes from, which Django asks for, is only said if addresses are told to ourselves.
    response["Referrer-Policy"] = "same-origin"
    return response
