"""In and out, and how somebody comes to a password. GET never acts: mail scanners follow links."""

from django.contrib import auth
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from supporters import crowd
from supporters.partners import door, members
from supporters.partners.door import at, partner_page
from supporters.partners.forms import AddressForm, LoginForm, NewPasswordForm
from supporters.public import in_its_language


@sensitive_post_parameters()
@in_its_language
@require_http_methods(["GET", "HEAD", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    if door.member_of(request.user):
        return HttpResponseRedirect(at("overview"))
    form = LoginForm(request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        return partner_page(request, "login", {"form": form}, status=422 if form.is_bound else 200)
    if seconds := door.wait(request, form.cleaned_data["email"]):
        return _later(request, "login", form, seconds)
    if door.log_in(request, form.cleaned_data["email"], form.cleaned_data["password"]):
        return HttpResponseRedirect(at("overview"), status=303)
    form.add_error(None, _("Address and password don't belong together, or there is no such login."))
    return partner_page(request, "login", {"form": form}, status=422)


@in_its_language
@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    auth.logout(request)
    return HttpResponseRedirect(at("login"), status=303)


@in_its_language
@require_http_methods(["GET", "HEAD", "POST"])
def ask_for_password(request: HttpRequest) -> HttpResponse:
    """Have a link sent. The answer is the same whoever has a login."""
    form = AddressForm(request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        return partner_page(request, "password", {"form": form}, status=422 if form.is_bound else 200)
    if hold := crowd.hold(request, "partners"):
        return _later(request, "password", form, hold.seconds)
    members.ask_for_password(form.cleaned_data["email"], get_language())
    return HttpResponseRedirect(at("password_asked"), status=303)


@in_its_language
@require_safe
def asked_for_password(request: HttpRequest) -> HttpResponse:
    return partner_page(request, "password_asked", {})


@sensitive_post_parameters()
@in_its_language
@require_http_methods(["GET", "HEAD", "POST"])
def set_password(request: HttpRequest, token: str) -> HttpResponse:
    """Behind the link of an invitation, or of a password that was forgotten."""
    member = members.behind(token)
    if member is None:
        return partner_page(request, "link_over", {}, status=410)
    form = NewPasswordForm(member.user, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        if not members.set_password(member, form.cleaned_data["password"]):
            return partner_page(request, "link_over", {}, status=410)
        return HttpResponseRedirect(at("login", query={"set": "1"}), status=303)
    context = {"form": form, "login": member}
    return partner_page(request, "set_password", context, status=422 if form.is_bound else 200)


def _later(request: HttpRequest, name: str, form: AddressForm, seconds: int) -> HttpResponse:
    said = ngettext(
        "That was a lot at once. Please wait a second and try again.",
        "That was a lot at once. Please wait %(seconds)s seconds and try again.",
        seconds,
    )
    form.add_error(None, said % {"seconds": seconds})
    response = partner_page(request, name, {"form": form}, status=429)
    response["Retry-After"] = str(seconds)
    return response
