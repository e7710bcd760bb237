import pytest
from django.db import IntegrityError, transaction

from supporters import embedding
from supporters.models import OrganisationSite
from tests.factories import make_organisation


@pytest.mark.parametrize(
    ("typed", "origin"),
    [
        ("https://www.partner.org", "https://www.partner.org"),
        (" https://WWW.Partner.org/give/?a=b#c ", "https://www.partner.org"),
        ("partner.org", "https://partner.org"),
        ("partner.org:8443/x", "https://partner.org:8443"),
        ("https://partner.org:443", "https://partner.org"),
        ("https://språk.se", "https://xn--sprk-soa.se"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.0.0.1:81/a", "http://127.0.0.1:81"),
    ],
)
def test_an_address_of_a_site_becomes_its_origin(typed, origin):
    assert embedding.origin_of(typed) == origin


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "*",
        "https://*.partner.org",
        "https://*",
        "http://partner.org",
        "https://partner.org; script-src *",
        "https://partner.org\r\nX-Evil: 1",
        "https://partner.org 'self'",
        "https://ann@partner.org",
        "https://partner",
        "https://partner.org:99999",
        "https://partner.org:x",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://[::1]",
        "https://" + "a" * 300 + ".org",
    ],
)
def test_what_is_no_site_is_refused_in_words(typed):
    with pytest.raises(ValueError, match="site"):
        embedding.origin_of(typed)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "https://*.partner.org",
        "https://partner.org/",
        "https://a.org 'self'",
        "http://partner.org",
        "https://A.org",
    ],
)
def test_the_database_holds_nothing_that_would_say_more_in_a_header(origin):
    partner = make_organisation()
    with pytest.raises(IntegrityError), transaction.atomic():
        OrganisationSite.objects.create(organisation=partner, origin=origin)


def test_without_sites_nobody_may_frame():
    assert embedding.ancestors([]) == "'none'"
    assert embedding.ancestors(["https://a.org", "https://b.org"]) == "https://a.org https://b.org"
