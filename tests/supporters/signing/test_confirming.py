import re
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.utils import timezone

from crm import retention
from supporters import consent, links, preferences, signing
from supporters.links import Link
from supporters.models import Consent, Letter, Purpose, Signature, Supporter
from supporters.signing import lapsing, totals
from supporters.signing.wordings import Wording
from tests.factories import ask_to_sign, make_consent, make_organisation, make_petition, make_supporter

pytestmark = pytest.mark.django_db

SIGN = Wording(Purpose.SIGNATURE, "I agree.", "sv")
NEWS = Wording(Purpose.EMAIL, "Write to me.", "sv")
SEEN = re.compile('name="seen" value="(.+?)"')


@pytest.fixture(autouse=True)
def _broker(broker):
    return broker


def ask(petition, **fields):
    return ask_to_sign(petition, **{"language": "sv", "agreed": (SIGN, NEWS), **fields})


def page_of(signature):
    return f"/sv/s/{links.token(Link.CONFIRM, signature.uuid)}/"


def test_get_confirms_nothing(client):
    signature = ask(make_petition())
    answer = client.get(page_of(signature))
    assert answer.status_code == 200
    assert "Ewa Nowak" in answer.text
    assert "Write to me." in answer.text
    assert answer["Cache-Control"] == "no-store"
    signature.refresh_from_db()
    assert signature.state == "pending"
    assert not Supporter.objects.exists()


def test_the_button_makes_person_signature_and_consents_with_their_proof(client):
    petition = make_petition(slug="one-law")
    signature = ask(petition)
    answer = client.post(page_of(signature))
    assert (answer.status_code, answer["Location"]) == (303, "/sv/p/one-law/thanks/")
    signature.refresh_from_db()
    person = Supporter.objects.get()
    assert (person.email, person.first_name, person.country, person.language) == ("ewa@mail.se", "Ewa", "SE", "sv")
    assert (signature.state, signature.supporter, signature.email, signature.typed) == ("validated", person, None, {})
    assert signature.validated_at is not None
    lines = person.consents.order_by("pk").values_list("purpose", "state", "method", "wording", "language", "source")
    assert list(lines) == [
        ("signature", "requested", "form", "I agree.", "sv", "petition one-law"),
        ("signature", "granted", "confirmed", "I agree.", "sv", "petition one-law"),
        ("email", "requested", "form", "Write to me.", "sv", "petition one-law"),
        ("email", "granted", "confirmed", "Write to me.", "sv", "petition one-law"),
    ]
    assert set(person.consents.values_list("wording_version", flat=True)) == {SIGN.version, NEWS.version}
    assert totals.standing(petition).signed == 1
    assert not Letter.objects.exists()


def test_what_was_not_ticked_is_not_granted(client):
    signature = ask(make_petition(), agreed=(SIGN,))
    client.post(page_of(signature))
    assert not Supporter.objects.contactable().exists()


def test_twice_is_once(client):
    signature = ask(make_petition())
    assert client.post(page_of(signature)).status_code == 303
    assert client.post(page_of(signature)).status_code == 303
    assert (
        "Din underskrift" in client.get(page_of(signature)).text or client.get(page_of(signature)).status_code == 200
    )
    assert Consent.objects.count() == 4
    assert Signature.objects.count() == 1


def test_an_unconfirmed_signer_overwrites_nothing_and_a_confirmed_one_only_fills_in():
    person = make_supporter(email="ewa@mail.se", first_name="Eva", last_name="Berg", country="", language="en")
    signature = ask(make_petition())
    person.refresh_from_db()
    assert (person.first_name, person.country) == ("Eva", "")
    assert signing.confirm(signature.uuid)
    person.refresh_from_db()
    assert (person.first_name, person.last_name, person.country, person.language) == ("Eva", "Berg", "SE", "en")


def test_who_signed_before_counts_once_and_gets_what_they_ticked_now():
    petition = make_petition()
    signing.confirm(ask(petition, agreed=(SIGN,)).uuid)
    again = ask(petition)
    assert signing.confirm(again.uuid)
    assert Signature.objects.count() == 1
    assert totals.standing(petition).signed == 1
    assert Supporter.objects.contactable().count() == 1


def test_what_somebody_else_typed_while_the_page_was_read_is_shown_first(client):
    signature = ask(make_petition(), agreed=(SIGN,))
    seen = SEEN.search(client.get(page_of(signature)).text)[1]
    ask(signature.petition, agreed=(SIGN, NEWS), first_name="Eve")
    answer = client.post(page_of(signature), {"seen": seen})
    assert answer.status_code == 200
    assert "Eve Nowak" in answer.text
    assert "Write to me." in answer.text
    assert not Supporter.objects.exists()
    assert client.post(page_of(signature), {"seen": SEEN.search(answer.text)[1]}).status_code == 303
    assert Supporter.objects.contactable().get().first_name == "Eve"


def test_who_took_a_signature_back_can_sign_again_and_counts(client):
    petition = make_petition()
    signing.confirm(ask(petition).uuid)
    eva = Supporter.objects.get()
    assert preferences.take_back(eva.uuid, Signature.objects.get().pk)
    assert totals.standing(petition).signed == 0
    totals.forget(petition.pk)
    assert client.post(page_of(ask(petition))).status_code == 303
    signature = Signature.objects.get()
    assert (signature.state, signature.taken_back_at) == ("validated", None)
    assert totals.standing(petition).signed == 1
    assert consent.state_of(eva, Purpose.SIGNATURE) == Consent.State.GRANTED


def test_what_staff_took_out_of_the_count_stays_out_whoever_signs_again():
    petition = make_petition()
    signing.confirm(ask(petition).uuid)
    signing.invalidate(Signature.objects.all())
    signing.confirm(ask(petition).uuid)
    assert Signature.objects.get().state == "invalidated"
    assert totals.standing(petition).signed == 0


def test_whether_a_name_is_shown_is_as_was_ticked_last():
    petition = make_petition()
    for shown in (True, False):
        signing.confirm(ask(petition, shown=shown).uuid)
        assert Signature.objects.get().shown is shown


@pytest.mark.parametrize(("on_file", "latest"), [("EWA", ("EWA",)), ("", ("Ewa",)), ("Katarzyna", ())])
def test_nobody_is_shown_by_another_name_than_they_typed(on_file, latest):
    make_supporter(email="ewa@mail.se", first_name=on_file, last_name="")
    petition = make_petition()
    assert signing.confirm(ask(petition, shown=True).uuid)
    assert tuple(name for name, _country in totals.standing(petition).latest) == latest
    assert totals.standing(petition).signed == 1


def test_one_who_left_comes_back_by_their_own_confirmed_act_only():
    person = make_supporter(email="ewa@mail.se", consent=True)
    consent.leave(person, method=Consent.Method.LINK)
    signature = ask(make_petition())
    assert not Supporter.objects.contactable().exists()
    signing.confirm(signature.uuid)
    assert Supporter.objects.contactable().get() == person


def test_a_partners_consent_is_the_partners():
    partner = make_organisation()
    words = Wording(Purpose.PARTNER, "The partner may write.", "sv", partner.pk)
    signing.confirm(ask(make_petition(), agreed=(SIGN, words), organisation=partner.pk).uuid)
    granted = Consent.objects.get(purpose="partner", state="granted")
    assert granted.organisation == partner
    assert not Supporter.objects.contactable().exists()


@pytest.mark.parametrize("token", ["x", "", "AAAA.BBBB"])
def test_forged_links_open_nothing(client, token):
    assert client.get(f"/s/{token or 'x'}/").status_code == 404


def test_the_link_of_another_purpose_opens_nothing(client):
    signature = ask(make_petition())
    assert client.post(f"/s/{links.token(Link.LEAVE, signature.uuid)}/").status_code == 404
    signature.refresh_from_db()
    assert signature.state == "pending"


def test_a_link_that_lapsed_says_so(client, settings):
    signature = ask(make_petition())
    page = page_of(signature)
    Signature.objects.update(created_at=timezone.now() - timedelta(days=settings.PENDING_DAYS + 1))
    assert retention.apply() == {"pending": 1}
    assert not Letter.objects.exists()
    answer = client.post(page)
    assert answer.status_code == 410
    assert not Supporter.objects.exists()


def test_a_closed_petition_confirms_nobody(client):
    petition = make_petition()
    signature = ask(petition)
    petition.closes_at = timezone.now()
    petition.save()
    assert client.post(page_of(signature)).status_code == 200
    assert not Supporter.objects.exists()


def test_one_reminder_after_three_days_to_those_who_have_yet_to_confirm():
    petition = make_petition()
    waiting, done, fresh = (ask(petition, email=f"{name}@mail.se") for name in ("waiting", "done", "fresh"))
    signing.confirm(done.uuid)
    Letter.objects.update(state="sent", taken_at=timezone.now() - timedelta(days=4))
    Signature.objects.exclude(pk=fresh.pk).update(created_at=timezone.now() - timedelta(days=4))
    assert lapsing.remind() == {"reminded": 1}
    assert Letter.objects.get(kind="remind").signature == waiting
    assert lapsing.remind() == {"reminded": 0}


def test_no_reminder_comes_on_the_heels_of_a_first_letter_that_was_late():
    signature = ask(make_petition())
    Signature.objects.update(created_at=timezone.now() - timedelta(days=5))
    letters = Letter.objects.filter(signature=signature)
    letters.update(state="sent", taken_at=timezone.now() - timedelta(hours=1))
    assert lapsing.remind() == {"reminded": 0}
    letters.update(taken_at=timezone.now() - timedelta(days=4))
    assert lapsing.remind() == {"reminded": 1}


def test_counts_follow_every_change_are_folded_and_recounted(django_assert_num_queries):
    petition = make_petition()
    for number in range(3):
        signing.confirm(ask(petition, email=f"p{number}@mail.se").uuid)
    signing.invalidate(Signature.objects.filter(supporter__email="p0@mail.se"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(number), count(*) FROM supporters_signaturecount")
        assert cursor.fetchone() == (2, 4)
        assert totals.recount()["off"] == 0
        cursor.execute(
            "UPDATE supporters_signaturecount SET number = number + 5 WHERE id IN (SELECT min(id) FROM supporters_signaturecount)"
        )
    assert totals.recount()["off"] == 5
    assert totals.recount()["off"] == 0


def test_many_rows_of_counts_are_put_together():
    petition = make_petition()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO supporters_signaturecount (petition_id, country, day, number)"
            " SELECT %s, 'SE', '2026-01-01', 1 FROM generate_series(1, 200)",
            [petition.pk],
        )
        assert totals.fold() == {"folded": 1}
        cursor.execute("SELECT number FROM supporters_signaturecount")
        assert cursor.fetchall() == [(200,)]


@pytest.mark.django_db(transaction=True)
def test_confirming_two_petitions_at_once_makes_one_person():
    petitions = [make_petition() for _each in range(4)]
    signatures = [ask(petition) for petition in petitions]
    start = Barrier(len(signatures))
    results = []

    def press(uuid):
        start.wait()
        try:
            results.append(signing.confirm(uuid))
        finally:
            connection.close()

    threads = [Thread(target=press, args=[signature.uuid]) for signature in signatures]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 4
    assert Supporter.objects.count() == 1
    assert Signature.objects.validated().count() == 4


def test_a_withdrawal_before_confirming_does_not_stop_the_later_yes():
    person = make_supporter(email="ewa@mail.se")
    make_consent(person)
    signature = ask(make_petition())
    consent.leave(person, method=Consent.Method.LINK)
    signing.confirm(signature.uuid)
    assert consent.state_of(person) == "granted"


def test_who_ticks_discreet_mail_while_signing_is_written_to_so_from_then_on(client):
    known = make_supporter(email="known@mail.se")
    for email in ("ewa@mail.se", "known@mail.se"):
        client.post(page_of(ask(make_petition(), email=email, discreet=True)))
    assert set(Supporter.objects.values_list("email", "discreet")) == {("ewa@mail.se", True), ("known@mail.se", True)}
    # Not ticked another time, what they asked for stays.
    client.post(page_of(ask(make_petition(), email="known@mail.se")))
    known.refresh_from_db()
    assert known.discreet
