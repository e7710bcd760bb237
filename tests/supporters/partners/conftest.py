import pytest
from django.core.cache import cache

from supporters.models import Letter, Organisation, PartnerUser, Purpose
from supporters.partners import members
from tests.factories import make_consent, make_organisation, make_supporter

PASSWORD = "a long enough password"


@pytest.fixture(autouse=True)
def quiet(broker):
    cache.clear()


@pytest.fixture
def aurora():
    return make_organisation(name="Aurora", source_code="aurora")


@pytest.fixture
def borealis():
    return make_organisation(name="Borealis", source_code="borealis")


@pytest.fixture
def ida(aurora) -> PartnerUser:
    """She works at Aurora, and has a password."""
    return make_member(aurora, "ida@aurora.example")


@pytest.fixture
def bo(borealis) -> PartnerUser:
    """He works at Borealis."""
    return make_member(borealis, "bo@borealis.example")


@pytest.fixture
def ida_client(client, ida):
    client.force_login(ida.user)
    return client


def make_member(organisation: Organisation, email: str) -> PartnerUser:
    member = members.invite(organisation, email, None)
    assert members.set_password(member, PASSWORD)
    Letter.objects.all().delete()
    member.refresh_from_db()
    return member


def allow(organisation: Organisation, **fields):
    """Somebody who allowed this partner to write."""
    supporter = make_supporter(**fields)
    grant(supporter, organisation)
    return supporter


def grant(supporter, organisation, state="granted", **fields):
    return make_consent(
        supporter,
        state,
        purpose=Purpose.PARTNER,
        organisation=organisation,
        **{"wording": f"{organisation} may write to me.", "method": "confirmed", **fields},
    )
