from hashlib import sha256

import pytest
from django.conf import settings
from django.utils import translation

from supporters.models import Consent, Petition, Purpose
from supporters.signing import wordings
from supporters.signing.confirming import confirm
from tests.factories import make_petition
from tests.supporters.views.test_petition import pending, typed

pytestmark = pytest.mark.django_db

PLAIN = (
    "I agree that Fair Europe keeps my name, email address and country, counts my signature and hands it over to the Commission."
    " I know that a signature shows a political opinion. I can withdraw this consent at any time."
)
WITH_POSTCODE = PLAIN.replace("email address and country", "email address, country and postcode")


@pytest.fixture(autouse=True)
def _named(settings, broker):
    settings.ORGANISATION_NAME = "Fair Europe"


@pytest.fixture
def petition():
    return make_petition(slug="one-law", target="the Commission")


@pytest.mark.parametrize(("asks", "text"), [(False, PLAIN), (True, WITH_POSTCODE)])
def test_the_consent_names_what_the_form_asks_for(client, petition, asks, text):
    Petition.objects.update(asks_postcode=asks)
    page = client.get("/en/p/one-law/").text
    assert text in page
    assert ('name="postcode"' in page) is asks
    client.post("/en/p/one-law/", typed(postcode="00950") if asks else typed())
    confirm(pending().uuid)
    proofs = Consent.objects.filter(purpose=Purpose.SIGNATURE).values_list("state", "wording", "wording_version")
    version = sha256(text.encode()).hexdigest()[:12]
    assert set(proofs) == {("requested", text, version), ("granted", text, version)}


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_the_postcode_is_named_in_every_language(language):
    with translation.override(language):
        plain, asked = (wordings.for_signing(Petition(target="X", asks_postcode=each)) for each in (False, True))
        assert plain.version != asked.version
        assert len(asked.text) > len(plain.text)
        # Only the list of what is kept differs.
        assert asked.text.partition("X")[2] == plain.text.partition("X")[2]
        assert asked.text.partition("Fair Europe")[0] == plain.text.partition("Fair Europe")[0]
