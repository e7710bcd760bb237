"""Another email address: confirmed from its inbox, told to the old one, and nothing given away."""

from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns import letters
from crm import retention
from supporters import consent, links, merging, moving
from supporters.links import Link
from supporters.models import Double, InboxRequest, Letter, Reference, Supporter
from tests.factories import make_supporter
from tests.supporters.merging.test_at_once import Together

pytestmark = pytest.mark.django_db
OLD, NEW = "eva@work.se", "eva@home.se"


@pytest.fixture(autouse=True)
def _broker(broker):
    return broker


@pytest.fixture
def eva():
    return make_supporter(first_name="Eva", last_name="Ek", email=OLD, language="en", consent=True)


def me(supporter):
    return f"/en/me/{links.dated_token(Link.PREFERENCES, supporter.uuid)}/"


def ask(client, supporter, email=NEW):
    return client.post(me(supporter), {"what": "move", "new_email": email})


def link():
    return f"/en/me/address/{links.token(Link.MOVE, InboxRequest.objects.latest('pk').uuid)}/"


def send():
    letters.work(linger=0)


def test_both_inboxes_hear_of_it_and_nothing_changes(client, eva, server, django_capture_on_commit_callbacks):
    answer = ask(client, eva, " Eva@Home.SE ")
    assert answer["Location"].endswith("?done=move")
    send()
    assert server.recipients == {NEW: 1, OLD: 1}
    to_new = next(mail for mail in server.mails if mail["To"] == NEW)
    to_old = next(mail for mail in server.mails if mail["To"] == OLD)
    assert link() in to_new.get_body(("plain",)).get_content()
    assert "Eva" not in to_new.as_string()
    assert NEW not in to_old.as_string()
    page = client.get(me(eva)).content.decode()
    assert NEW in page
    eva.refresh_from_db()
    assert eva.email == OLD


def test_the_new_inbox_confirms_by_a_button(client, eva):
    ask(client, eva)
    there = link()
    assert client.get(there).status_code == client.head(there).status_code == 200
    eva.refresh_from_db()
    assert eva.email == OLD
    answer = client.post(there)
    assert (answer.status_code, answer["Location"]) == (303, "/en/me/address/done/")
    eva.refresh_from_db()
    assert eva.email == NEW
    assert list(eva.references.values_list("system", "identifier")) == [("email", OLD)]
    assert list(Supporter.objects.contactable()) == [eva]
    assert client.post(there).status_code == client.get(there).status_code == 410
    eva.refresh_from_db()
    assert eva.email == NEW


def test_back_again_leaves_one_other_address(client, eva):
    ask(client, eva)
    client.post(link())
    ask(client, eva, OLD)
    client.post(link())
    assert list(Reference.objects.values_list("identifier", flat=True)) == [NEW]


def test_an_address_of_somebody_on_file_is_answered_alike_and_shown_to_staff(client, eva, server):
    other = make_supporter(email=NEW, consent=True)
    asked = ask(client, eva)
    send()
    answer = client.post(link())
    assert (asked.status_code, answer["Location"]) == (303, "/en/me/address/done/")
    assert set(Supporter.objects.values_list("email", flat=True)) == {OLD, NEW}
    pair = Double.objects.get()
    assert (pair.first, pair.second, pair.state, pair.found_by) == (eva, other, "open", "door")
    assert not InboxRequest.objects.exists()


def test_what_staff_said_of_the_pair_stays(client, eva):
    other = make_supporter(email=NEW)
    Double.objects.create(
        first=eva, second=other, probability=0.5, cluster=eva.pk, state="different", decided_at=timezone.now()
    )
    ask(client, eva)
    client.post(link())
    assert Double.objects.get().state == "different"


def test_a_link_that_is_old_forged_replaced_or_taken_back_does_nothing(client, eva):
    ask(client, eva)
    first = link()
    ask(client, eva, "eva@elsewhere.se")
    assert client.post(first).status_code == 410
    second = link()
    client.post(me(eva), {"what": "stay"})
    assert client.post(second).status_code == 410
    ask(client, eva)
    third = link()
    InboxRequest.objects.update(asked_at=timezone.now() - moving.LIFE - timedelta(seconds=1))
    assert client.post(third).status_code == 410
    for token in ("x", links.token(Link.NEVER, InboxRequest.objects.first().uuid)):
        assert client.post(f"/en/me/address/{token}/").status_code == 410
    eva.refresh_from_db()
    assert eva.email == OLD


def test_three_at_most_and_nothing_that_is_no_address(client, eva):
    for number in range(moving.MOST):
        assert ask(client, eva, f"eva{number}@home.se").status_code == 303
    answer = ask(client, eva)
    assert answer.status_code == 429
    assert "Please wait some days." in answer.content.decode()
    assert InboxRequest.objects.count() == moving.MOST
    assert ask(client, eva, "eva").status_code == 422
    assert ask(client, eva, OLD).status_code == 303
    assert InboxRequest.objects.count() == moving.MOST


def test_no_letter_to_an_address_that_is_never_written_to(client, eva, server):
    consent.suppress(NEW, "never")
    assert ask(client, eva).status_code == 303
    send()
    assert server.recipients == {OLD: 1}


def test_an_address_that_was_left_is_written_to_again_by_its_owners_word(client, eva):
    consent.suppress(NEW, "left")
    consent.suppress("x@home.se", "left")
    ask(client, eva)
    client.post(link())
    assert list(Supporter.objects.contactable()) == [eva]
    assert consent.is_suppressed("x@home.se")


def test_who_has_left_stays_away_under_the_new_address(client, eva):
    consent.leave(eva, method="link")
    consent.suppress(NEW, "left")
    ask(client, eva)
    client.post(link())
    assert not Supporter.objects.contactable().exists()
    assert consent.is_suppressed(NEW)


def test_it_goes_over_in_a_merge(client, eva):
    ask(client, eva)
    other = make_supporter(email="eva@third.se", consent=True)
    merging.merge(other.pk, eva.pk)
    assert client.post(link()).status_code == 303
    other.refresh_from_db()
    assert other.email == NEW


def test_a_letter_that_is_late_asks_nothing(client, eva, server):
    ask(client, eva)
    client.post(me(eva), {"what": "stay"})
    send()
    assert server.taken == []


@pytest.mark.django_db(transaction=True)
def test_pressed_twice_at_once_and_taken_at_once(broker):
    eva = make_supporter(email=OLD, consent=True)
    moving.ask(eva.uuid, NEW, "en")
    uuid = InboxRequest.objects.get().uuid
    pressed = Together(*[lambda: moving.confirm(uuid)] * 3).results
    assert sorted(pressed) == [False, False, True]
    assert Supporter.objects.get().email == NEW
    two = [make_supporter(email=f"{name}@work.se") for name in ("a", "b")]
    for one in two:
        moving.ask(one.uuid, "both@home.se", "en")
    uuids = InboxRequest.objects.values_list("uuid", flat=True)
    assert Together(*[lambda uuid=uuid: moving.confirm(uuid) for uuid in uuids]).results == [True, True]
    assert Supporter.objects.filter(email="both@home.se").count() == 1
    assert Double.objects.filter(first=two[0], second=two[1]).exists()


def test_what_nobody_confirms_is_forgotten_with_its_letters(client, eva):
    ask(client, eva)
    InboxRequest.objects.update(asked_at=timezone.now() - timedelta(days=8))
    retention.apply()
    assert not InboxRequest.objects.exists()
    assert list(Letter.objects.values_list("kind", flat=True)) == ["moving"]
