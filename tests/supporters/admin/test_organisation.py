import pytest

from supporters.models import OrganisationSite
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
