"""What all pages for supporters have in common: their language, their headers, no cookie, no third party.

A page's language is the first part of its address if that is one of ours, and else what the browser asks for. None of
these pages knows a session: what a POST may do is shown by a signed link or confirmed from an inbox, so there is nothing
that a forged request could borrow, and no cookie that a shared computer could tell of.
"""

from collections.abc import Callable, Sequence
from functools import cache, lru_cache, wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import (
    ResolverMatch,
    URLPattern,
    URLResolver,
    get_script_prefix,
    include,
    path,
    register_converter,
    reverse,
)
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language_info

from supporters.crowd import Hold
from supporters.page_language import LANGUAGES

View = Callable[..., HttpResponse]
POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
    "script-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "worker-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
"""Content-Security-Policy: nothing inline, nothing from anybody else."""


class LanguageConverter:
    """The part of an address that names one of our languages."""

    regex = LANGUAGES

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(LanguageConverter, "language")


def in_every_language(pages: Sequence[URLPattern | URLResolver]) -> list[URLPattern | URLResolver]:
    """These addresses, each with a language before it, and as they are."""
    return [path("<language:language>/", include(pages)), *pages]


def in_its_language(view: View) -> View:
    """A view of a page whose address may begin with a language: it is active by now (supporters.page_language)."""

    @wraps(view)
    def in_language(request: HttpRequest, *args: Any, language: str = "", **kwargs: Any) -> HttpResponse:
        return view(request, *args, **kwargs)

    return in_language


def public(view: View) -> View:
    """A view of a page for supporters."""
    in_language = in_its_language(view)
    in_language.csrf_exempt = True  # There is no session to borrow.
    return in_language


def page(
    request: HttpRequest,
    template: str,
    context: dict[str, Any] | None = None,
    *,
    status: int = 200,
    public: bool = False,
    hold: Hold | None = None,
    **policy: str,
) -> HttpResponse:
    """The page, with its headers. One that is not public is kept from search engines and caches.

    `hold`: that its form was sent and has to wait, which the page says (guard.html) and the answer too (RFC 6585, 4).
    Parts of the policy can be said anew: `form_action="'self' https://checkout.example"`.
    """
    shared = {
        "organisation": settings.ORGANISATION_NAME,
        "site_url": settings.SITE_URL,
        "exit_url": settings.QUICK_EXIT_URL,
        "languages": _languages(request),
        "public": public,
        "hold": hold,
    }
    response = render(request, template, {**shared, **(context or {})}, status=429 if hold else status)
    if hold:
        response["Retry-After"] = str(hold.seconds)
    said = POLICY | {name.replace("_", "-"): value for name, value in policy.items()}
    response["Content-Security-Policy"] = "; ".join(f"{name} {value}" for name, value in said.items())
    response["Referrer-Policy"] = "no-referrer"
    patch_vary_headers(response, ["Accept-Language"])  # it tells of the reader's country too (views.arriving)
    if not public:
        response["X-Robots-Tag"] = "noindex"
        response["Cache-Control"] = "no-store"
    return response


def address(name: str, *, query: dict[str, str] | None = None, of: str = "supporters", **kwargs: str) -> str:
    """The path of a page for supporters, or of another kind, in the language that is active."""
    path = _path(f"{of}:{name}", get_script_prefix(), language=translation.get_language(), **kwargs)
    filled = {key: value for key, value in (query or {}).items() if value}
    return f"{path}?{urlencode(filled)}" if filled else path


@lru_cache(maxsize=4096)
def _path(view: str, _root: str, **kwargs: str) -> str:
    return reverse(view, kwargs=kwargs)


def known_language(language: str) -> str:
    """The one of ours that comes nearest: itself, the same without its region, or ours."""
    ours = dict(settings.LANGUAGES)
    return next((code for code in (language, language.partition("-")[0]) if code in ours), settings.LANGUAGE_CODE)


_WITH_LANGUAGES = {"supporters", "partners", "campaigns", "crm"}
"""Apps of which each page that is made here has an address in every language."""


def _languages(request: HttpRequest) -> list[dict[str, Any]]:
    """This page in every language: code, name in the language itself, path, address."""
    match: ResolverMatch | None = request.resolver_match
    if match is None or match.app_name not in _WITH_LANGUAGES:
        return []
    query = request.GET.urlencode()
    root = get_script_prefix()
    page = reverse(match.view_name, kwargs={key: value for key, value in match.kwargs.items() if key != "language"})
    return [
        {
            **each,
            "current": each["code"] == translation.get_language(),
            "path": (path := f"{root}{each['code']}/{page.removeprefix(root)}"),
            "address": f"{path}?{query}" if query else path,
        }
        for each in all_languages()
    ]


@cache
def all_languages() -> list[dict[str, Any]]:
    """In the order of the names that they have for themselves."""
    found = []
    for code, _name in settings.LANGUAGES:
        info = get_language_info(code)
        found.append({"code": code, "name": info["name_local"].capitalize(), "rtl": info["bidi"]})
    return sorted(found, key=lambda each: each["name"].casefold())
