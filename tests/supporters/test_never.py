"""Never to be written to again, by the word of whoever reads the inbox."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from campaigns import letters
from campaigns.models import Delivery
from crm.erasure import erase
from supporters import consent, links, merging, never
from supporters.links import Link
from supporters.models import Consent, InboxRequest, Letter, Purpose, Signature, Supporter, Suppression
from tests.campaigns.conftest import make_appeal
from tests.factories import ask_to_sign, make_consent, make_donation, make_organisation, make_petition, make_supporter

pytestmark = pytest.mark.django_db
EVA = "eva@mail.se"
ASK = "/en/never/"


@pytest.fixture(autouse=True)
def _broker(broker):
    return broker


@pytest.fixture
def eva():
    return make_supporter(first_name="Eva", email=EVA, language="sv", consent=True)


def reasons(email=EVA):
    return set(consent.suppressions_of(email).values_list("reason", flat=True))


def send():
    letters.work(linger=0)


def asked(client, email=EVA):
    client.post(ASK, {"email": email})
    request = InboxRequest.objects.get()
    return f"/en/never/{links.token(Link.NEVER, request.uuid)}/"


def test_the_form_answers_alike_and_writes_whoever_is_on_file(client, eva, server):
    answers = [client.post(ASK, {"email": email}) for email in (" EVA@mail.se ", "nobody@mail.se")]
    assert {(one.status_code, one["Location"]) for one in answers} == {(303, "/en/never/asked/")}
    send()
    assert server.recipients == {EVA: 1, "nobody@mail.se": 1}
    assert "never write to this address again" in server.mails[0].get_body(("plain",)).get_content()
    assert not Suppression.objects.exists()


def test_only_the_button_does_it(client, eva):
    link = asked(client)
    for answer in (client.get(link), client.head(link)):
        assert answer.status_code == 200
        assert "no-store" in answer["Cache-Control"]
    assert not Suppression.objects.exists()
    partner = make_organisation()
    make_consent(eva, purpose=Purpose.PARTNER, organisation=partner)
    answer = client.post(link)
    assert (answer.status_code, answer["Location"]) == (303, "/en/never/done/")
    assert reasons() == {"never"}
    lines = eva.consents.filter(state="withdrawn").values_list("purpose", "organisation", "method", "source")
    assert set(lines) == {("email", None, "link", "never"), ("partner", partner.pk, "link", "never")}
    assert not InboxRequest.objects.exists()
    assert client.post(link).status_code == client.get(link).status_code == 410


def test_a_link_that_is_old_forged_or_for_something_else_does_nothing(client, eva):
    link = asked(client)
    request = InboxRequest.objects.get()
    for token in ("x", links.token(Link.MOVE, request.uuid), links.token(Link.LEAVE, eva.uuid)):
        assert client.post(f"/en/never/{token}/").status_code == 410
    InboxRequest.objects.update(asked_at=timezone.now() - never.LIFE - timedelta(seconds=1))
    assert client.post(link).status_code == 410
    assert not Suppression.objects.exists()


def test_nobody_gets_many_letters_by_it(client, server):
    for _number in range(8):
        client.post(ASK, {"email": EVA})
        send()
        Letter.objects.update(taken_at=timezone.now() - never.AGAIN_AFTER - timedelta(seconds=1))
    assert server.recipients == {EVA: never.MOST_LETTERS}


def test_programs_and_wrong_addresses_get_nowhere(client):
    assert client.post(ASK, {"email": EVA, "website": "x"}).status_code == 303
    assert client.post(ASK, {"email": "eva"}).status_code == 422
    assert not InboxRequest.objects.exists()


def test_afterwards_no_letter_goes_whatever_is_done_on_the_pages(client, eva, server):
    never.say(EVA, source="me")
    client.post(ASK, {"email": EVA})
    client.post("/en/me/", {"email": EVA})
    ask_to_sign(email=EVA)
    gift = make_donation(supporter=eva)
    Letter.objects.create(kind="receipt", donation=gift, language="en")
    send()
    assert server.taken == []
    assert set(Letter.objects.values_list("kind", "state")) == {
        (kind, "sent") for kind in ("never", "preferences", "confirm", "receipt")
    }


def test_signing_again_and_the_own_page_lift_nothing(client, eva):
    never.say(EVA, source="me")
    consent.grant(eva, Purpose.EMAIL, wording="Yes.", method=Consent.Method.CONFIRMED)
    assert reasons() == {"never"}
    assert not Supporter.objects.contactable().exists()
    link = f"/en/me/{links.dated_token(Link.PREFERENCES, eva.uuid)}/"
    page = client.get(link).content.decode()
    assert 'value="email"' not in page
    assert "write to us yourself" in page
    client.post(link, {"what": "choose", "allow": ["email"]})
    assert not Supporter.objects.contactable().exists()


def test_it_outlives_erasure_and_a_merge(eva, staff):
    never.say(EVA, source="me")
    other = make_supporter(email="eva.ek@mail.se", consent=True)
    merging.merge(other.pk, eva.pk)
    assert consent.state_of(other) == Consent.State.WITHDRAWN
    erase(Supporter.objects.get(), staff)
    make_supporter(email=EVA, consent=True)
    assert "never" in reasons()
    assert not Supporter.objects.contactable().exists()


def test_on_the_own_page(client, eva):
    link = f"/en/me/{links.dated_token(Link.PREFERENCES, eva.uuid)}/"
    assert 'value="never"' in client.get(link).content.decode()
    answer = client.post(link, {"what": "never"})
    assert answer["Location"].endswith("?done=never")
    assert reasons() == {"never"}
    assert eva.consents.latest("pk").source == "me"


def test_on_the_way_out_of_a_message(client, eva):
    delivery = Delivery.objects.create(appeal=make_appeal(), supporter=eva, language="en")
    link = reverse("campaigns:unsubscribe", args=[links.unsubscribe_token(delivery.uuid)])
    left = client.post(link).content.decode()
    assert reasons() == {"left"}
    assert 'name="never"' in left
    client.post(link, {"never": "1"})
    assert reasons() == {"left", "never"}


def test_from_the_letter_that_asks_to_confirm_a_signature(client, server):
    signature = ask_to_sign(email=EVA)
    send()
    link = f"/en/never/{links.token(Link.NEVER_BY_SIGNATURE, signature.uuid)}/"
    assert link in server.mails[0].get_body(("plain",)).get_content()
    assert client.get(link).status_code == 200
    assert Signature.objects.exists()
    assert client.post(link)["Location"] == "/en/never/done/"
    assert reasons() == {"never"}
    assert not Signature.objects.exists()  # what somebody typed with their address
    assert client.post(link).status_code == 410


def test_a_signature_that_counts_goes_on_counting(client, eva):
    signed = Signature.objects.create(
        petition=make_petition(), supporter=eva, country="SE", state="validated", validated_at=timezone.now()
    )
    client.post(f"/en/never/{links.token(Link.NEVER_BY_SIGNATURE, signed.uuid)}/")
    assert reasons() == {"never"}
    assert Signature.objects.get().state == "validated"


def test_staff_lift_it_with_a_reason_and_consent_stays_withdrawn(client, eva, staff_client):
    never.say(EVA, source="me")
    entry = Suppression.objects.get()
    page = reverse("admin:supporters_suppression_lift", args=[entry.pk])
    assert staff_client.post(page, {"why": ""}).status_code == 200
    assert Suppression.objects.exists()
    delete = reverse("admin:supporters_suppression_delete", args=[entry.pk])
    assert staff_client.post(delete, {"post": "yes"}).status_code == 403
    assert staff_client.post(page, {"why": "Wrote to us on 2 May"}).status_code == 302
    assert not Suppression.objects.exists()
    assert not Supporter.objects.contactable().exists()


def test_lifting_is_for_this_reason_and_for_who_may_delete(client, eva, staff_client, django_user_model):
    consent.suppress(EVA, Suppression.Reason.COMPLAINT)
    entry = Suppression.objects.get()
    page = reverse("admin:supporters_suppression_lift", args=[entry.pk])
    assert staff_client.get(page).status_code in {302, 403, 404}
    never.say(EVA, source="me")
    entry = Suppression.objects.get(reason="never")
    page = reverse("admin:supporters_suppression_lift", args=[entry.pk])
    user = django_user_model.objects.create_user("f", password="x", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_suppression"))
    client.force_login(user)
    client.post(page, {"why": "x"})
    assert Suppression.objects.filter(reason="never").exists()
