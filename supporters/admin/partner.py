"""On the page of an organisation: its links, who may log in for it, and what they did."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from supporters import places
from supporters.admin.pages import StaffForm, form_page
from supporters.models import Export, Organisation, PartnerUser, Petition
from supporters.partners import addresses, members
from supporters.partners.people import how_many_left

NEWEST = 20
_ACTS = {
    "disable": (members.disable, _("They are out, and their link and password work no more.")),
    "enable": (members.enable, _("A new invitation is on its way: the old password doesn't work any more.")),
}


class InvitationForm(StaffForm):
    email = forms.CharField(label=_("Email"), max_length=254, help_text=_("They log in with it."))
    language = forms.ChoiceField(
        label=_("Language"),
        choices=settings.LANGUAGES,
        help_text=_("Of the letter. Their pages begin in it too, and can be read in all of them."),
    )


class PartnerPages:
    """For the admin class of organisations: put it before RecordAdmin."""

    change_form_outer_after_template = "supporters/admin/organisation_partner.html"

    def get_urls(self) -> list:
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/invite/", view(self.invite), name="supporters_organisation_invite"),
            path(
                "<int:pk>/logins/<int:login>/<slug:act>/",
                view(require_POST(self.act)),
                name="supporters_organisation_login",
            ),
        ]
        return own + super().get_urls()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        organisation = self.get_object(request, object_id)
        more = _about(request, organisation) if organisation else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **more})

    def invite(self, request: HttpRequest, pk: int) -> HttpResponse:
        organisation = get_object_or_404(Organisation, pk=pk)
        if not request.user.has_perm("supporters.add_partneruser"):
            raise PermissionDenied
        form = InvitationForm(request.POST or None, initial=_guessed(request, organisation))
        back = reverse("admin:supporters_organisation_change", args=[pk])
        if request.method == "POST" and form.is_valid():
            try:
                member = members.invite(organisation, by=request.user, **form.cleaned_data)
            except members.NotInvited as problem:
                form.add_error("email", str(problem))
            else:
                self.log_change(request, organisation, gettext("Invited somebody to log in."))
                said = gettext("An invitation is on its way to %(address)s.") % {"address": member}
                messages.success(request, said)
                return HttpResponseRedirect(back)
        return form_page(
            request,
            form,
            title=gettext("Invite somebody of %(organisation)s") % {"organisation": organisation},
            submit=gettext("Send the invitation"),
            back=back,
            text=gettext(
                "They get a letter with a link, which works for %(days)d days and once, and choose a password. They see the figures of"
                " %(organisation)s, and the people who allowed it to write, whom they can take away in a file; nothing else."
            )
            % {"organisation": organisation, "days": members.INVITATION_LIFE.days},
        )

    def act(self, request: HttpRequest, pk: int, login: int, act: str) -> HttpResponse:
        if act not in _ACTS:
            raise Http404
        if not request.user.has_perm("supporters.change_partneruser"):
            raise PermissionDenied
        member = get_object_or_404(
            PartnerUser.objects.select_related("user", "organisation"), pk=login, organisation=pk
        )
        do, said = _ACTS[act]
        if do(member, request.user):
            self.log_change(request, member.organisation, gettext("A login was changed: %(act)s.") % {"act": act})
            messages.success(request, said)
        return HttpResponseRedirect(reverse("admin:supporters_organisation_change", args=[pk]))


def _guessed(request: HttpRequest, organisation: Organisation) -> dict[str, str]:
    return {"email": request.GET.get("email", ""), "language": places.language_of(organisation.country)}


def _about(request: HttpRequest, organisation: Organisation) -> dict[str, object]:
    """What the page shows below the record."""
    may_see = request.user.has_perm("supporters.view_partneruser")
    exports = Export.objects.filter(by__partner__organisation=organisation).select_related("by")
    return {
        "organisation": organisation,
        "links": _links(organisation),
        "may_see_logins": may_see,
        "may_invite": request.user.has_perm("supporters.add_partneruser"),
        "may_disable": request.user.has_perm("supporters.change_partneruser"),
        "logins": organisation.logins.select_related("user").order_by("user__username") if may_see else [],
        "events": organisation.events.select_related("user", "by").order_by("-pk")[:NEWEST] if may_see else [],
        "exports": exports.order_by("-created_at", "-pk")[:NEWEST] if may_see else [],
        "not_removed": how_many_left(organisation) if may_see else 0,
    }


def _links(organisation: Organisation) -> list[dict[str, object]]:
    """For each open petition what the partner passes on."""
    names = {"petition": _("Page"), "poster": _("Poster"), "tag": _("Tag for its site"), "embed": _("Frame")}
    found = []
    for petition in (
        Petition.objects.filter(state=Petition.State.OPEN).prefetch_related("texts").order_by("title", "pk")
    ):
        told = addresses.of_partner(organisation, petition)
        texts = [(label, told[name]) for name, label in names.items()]
        found.append({"petition": petition.title, "texts": texts})
    return found
