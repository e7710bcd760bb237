import pytest
from django.contrib.auth.models import Group

from supporters.models import Letter, OrganisationSite, PartnerUser
from supporters.partners import members
from tests.factories import make_organisation, make_petition

pytestmark = pytest.mark.django_db


def form(organisation, *sites):
    rows = {f"sites-{number}-origin": site for number, site in enumerate(sites)}
    return {
        "name": organisation.name,
        "country": "",
        "role": "partner",
        "website": "",
        "source_code": organisation.source_code,
        "sites-TOTAL_FORMS": len(sites),
        "sites-INITIAL_FORMS": 0,
        "organisationcontact_set-TOTAL_FORMS": 0,
        "organisationcontact_set-INITIAL_FORMS": 0,
        **rows,
    }


def test_staff_see_links_and_the_tag_for_each_open_petition(staff_client):
    organisation = make_organisation(source_code="aurora")
    make_petition(slug="one-law")
    make_petition(slug="draft", state="draft")
    shown = staff_client.get(f"/admin/supporters/organisation/{organisation.pk}/change/").text
    assert "http://localhost:1/p/one-law/?via=aurora" in shown
    assert "/embed.js&quot; data-petition=&quot;one-law&quot; data-via=&quot;aurora&quot; async" in shown
    assert "/p/draft/" not in shown


def test_a_site_is_kept_as_its_origin(staff_client):
    organisation = make_organisation()
    path = f"/admin/supporters/organisation/{organisation.pk}/change/"
    answer = staff_client.post(path, form(organisation, "https://WWW.Aurora.example/petition"))
    assert answer.status_code == 302, answer.text
    assert list(OrganisationSite.objects.values_list("origin", flat=True)) == ["https://www.aurora.example"]


@pytest.mark.parametrize("site", ["*", "http://aurora.example", "https://a.example; frame-ancestors *"])
def test_what_is_no_site_is_refused_where_it_was_typed(staff_client, site):
    organisation = make_organisation()
    answer = staff_client.post(f"/admin/supporters/organisation/{organisation.pk}/change/", form(organisation, site))
    assert answer.status_code == 200
    assert "site" in answer.context["inline_admin_formsets"][0].formset.errors[0]["origin"][0]
    assert not OrganisationSite.objects.exists()


def test_one_site_twice_is_refused(staff_client):
    organisation = make_organisation()
    answer = staff_client.post(
        f"/admin/supporters/organisation/{organisation.pk}/change/",
        form(organisation, "https://a.example", "https://A.example/x"),
    )
    assert answer.status_code == 200
    assert not OrganisationSite.objects.exists()


# Logins -----------------------------------------------------------------------------------------


def test_staff_invite_disable_and_enable_and_see_what_happened(staff_client, staff):
    organisation = make_organisation()
    page = f"/admin/supporters/organisation/{organisation.pk}/"
    answer = staff_client.post(f"{page}invite/", {"email": "Ida@Aurora.example", "language": "pl"})
    assert answer["Location"] == f"{page}change/"
    member = PartnerUser.objects.get()
    letter = Letter.objects.get()
    assert (member.organisation, letter.partner, letter.language) == (organisation, member, "pl")
    assert "invited, no password yet" in staff_client.get(f"{page}change/").text
    assert members.set_password(member, "a long enough password")
    assert "has a password, was never here" in staff_client.get(f"{page}change/").text
    assert staff_client.get(f"{page}logins/{member.pk}/disable/").status_code == 405
    staff_client.post(f"{page}logins/{member.pk}/disable/")
    member.user.refresh_from_db()
    assert not member.user.is_active
    text = staff_client.get(f"{page}change/").text
    for said in ("disabled", "Login disabled, by astrid", "Invited, by astrid", "Set a password"):
        assert said in text
    staff_client.post(f"{page}logins/{member.pk}/enable/")
    member.user.refresh_from_db()
    assert member.user.is_active
    assert not member.user.has_usable_password()
    assert Letter.objects.get(partner=member).language == "pl"  # as before


@pytest.mark.parametrize(
    ("country", "language"), [("PL", "pl"), ("FI", "fi"), ("MT", "mt"), ("JP", "en"), ("", "en")]
)
def test_the_invitation_is_first_offered_in_the_language_of_the_country(staff_client, country, language):
    organisation = make_organisation(country=country)
    page = staff_client.get(f"/admin/supporters/organisation/{organisation.pk}/invite/")
    assert page.context["form"]["language"].value() == language


@pytest.mark.parametrize("address", ["astrid@realstars.test", "nothing", "x" * 250 + "@aurora.example", ""])
def test_why_somebody_is_not_invited_is_said_at_the_field(staff_client, address):
    organisation = make_organisation()
    answer = staff_client.post(
        f"/admin/supporters/organisation/{organisation.pk}/invite/", {"email": address, "language": "en"}
    )
    assert answer.status_code == 200
    assert answer.context["form"].errors["email"]
    assert not PartnerUser.objects.exists()


def test_a_login_is_changed_on_the_page_of_its_organisation_only(staff_client):
    member = members.invite(make_organisation(), "ida@aurora.example", None)
    other = make_organisation()
    path = f"/admin/supporters/organisation/{other.pk}/logins/{member.pk}/"
    for act in ("disable", "erase"):
        assert staff_client.post(f"{path}{act}/").status_code == 404
    member.user.refresh_from_db()
    assert member.user.is_active


@pytest.mark.parametrize(
    ("role", "sees", "may"),
    [("Viewer", True, False), ("Fundraiser", True, False), ("Campaigner", True, False), ("Data manager", True, True)],
)
def test_only_data_managers_open_a_door_to_people(client, django_user_model, role, sees, may):
    user = django_user_model.objects.create_user("bo", password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    organisation = make_organisation()
    member = members.invite(organisation, "ida@aurora.example", None)
    page = f"/admin/supporters/organisation/{organisation.pk}/"
    text = client.get(f"{page}change/").text
    assert ("ida@aurora.example" in text) == sees
    assert ("Invite somebody" in text) == may
    assert client.post(f"{page}invite/", {"email": "ivo@aurora.example", "language": "en"}).status_code == (
        302 if may else 403
    )
    assert client.post(f"{page}logins/{member.pk}/disable/").status_code == (302 if may else 403)
    assert PartnerUser.objects.count() == (2 if may else 1)
