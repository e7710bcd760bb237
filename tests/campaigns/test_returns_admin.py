from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from campaigns.mail.returns.applying import apply_owed
from campaigns.mail.returns.storing import store_message
from campaigns.models import Return, ReturnedMessage
from crm.timeline import events
from supporters.models import Supporter
from tests.campaigns.mail.returns.conftest import bounced, complained, make_delivery
from tests.factories import make_supporter

pytestmark = pytest.mark.django_db
LIST = reverse("admin:campaigns_return_changelist")


@pytest.fixture(autouse=True)
def _bounce_address(settings):
    settings.BOUNCE_ADDRESS = "bounces@lists.example.org"


def take_in(*messages):
    for raw in messages:
        store_message(raw, "pipe")
    apply_owed()


def page_of(row):
    return reverse("admin:campaigns_return_change", args=[row.pk])


def test_the_list_says_what_came_back_why_and_what_was_done(staff_client):
    take_in(bounced(make_delivery()), complained(make_delivery()))
    text = staff_client.get(LIST).content.decode()
    for words in ("Bounced for good", "Nobody has this address", "Spam complaint", "No more mail to this address"):
        assert words in text


@pytest.mark.parametrize("number", [1, 3])
def test_the_list_asks_as_often_for_three_as_for_one(staff_client, number):
    take_in(*(bounced(make_delivery()) for _ in range(number)))
    staff_client.get(LIST)
    with CaptureQueriesContext(connection) as asked:
        staff_client.get(LIST)
    assert len(asked) <= 12


def test_a_page_shows_the_message_as_text(staff_client):
    take_in(bounced(make_delivery(), said="550 5.1.1 <script>alert(1)</script> User unknown"))
    text = staff_client.get(page_of(Return.objects.get())).content.decode()
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_stop_writing_asks_first_then_acts(staff_client):
    delivery = make_delivery()
    take_in(bounced(delivery, to="x@example.org"))
    row = Return.objects.get()
    link = reverse("admin:campaigns_return_stop_writing", args=[row.pk])
    assert "Only the address fits" in staff_client.get(page_of(row)).content.decode()
    assert staff_client.get(link).status_code == 200
    assert Supporter.objects.contactable().filter(pk=delivery.supporter_id).exists()
    staff_client.post(link)
    assert not Supporter.objects.contactable().filter(pk=delivery.supporter_id).exists()
    assert "nothing to decide" in staff_client.post(link, follow=True).content.decode()


def test_leave_it_does_nothing_to_the_person(staff_client):
    delivery = make_delivery()
    take_in(bounced(delivery, to="x@example.org"))
    staff_client.post(reverse("admin:campaigns_return_dismiss", args=[Return.objects.get().pk]))
    assert Return.objects.get().done == "dismissed"
    assert Supporter.objects.contactable().filter(pk=delivery.supporter_id).exists()


def test_only_those_who_may_decide_do(client, django_user_model):
    viewer = django_user_model.objects.create_user("vera", password="a long password", is_staff=True)
    viewer.groups.add(Group.objects.get(name="Viewer"))
    client.force_login(viewer)
    delivery = make_delivery()
    take_in(bounced(delivery, to="x@example.org"))
    row = Return.objects.get()
    assert client.get(page_of(row)).status_code == 200
    assert client.post(reverse("admin:campaigns_return_stop_writing", args=[row.pk])).status_code == 403
    assert Return.objects.get().done == "look"


def test_what_comes_back_again_and_again_can_be_found(staff_client):
    often, seldom = make_supporter(last_name="Often", consent=True), make_supporter(last_name="Seldom", consent=True)
    for person, number in ((often, 3), (seldom, 2)):
        take_in(
            *(bounced(make_delivery(supporter=person), status="5.2.2", said="552 5.2.2 full") for _ in range(number))
        )
    text = staff_client.get(LIST, {"repeated": "yes"}).content.decode()
    assert "Often" in text
    assert "Seldom" not in text
    Return.objects.filter(supporter=often).update(happened_at=timezone.now() - timedelta(days=91))
    assert "Often" not in staff_client.get(LIST, {"repeated": "yes"}).content.decode()


def test_background_work_says_what_waits_and_what_could_not_be_read(staff_client):
    take_in(bounced(make_delivery(), to="x@example.org"), b"\x00")
    text = staff_client.get(reverse("crm:background")).content.decode()
    assert "1 waits for a person" in text
    assert "could not be read" in text


def test_try_again_reads_what_could_not_be_read(staff_client):
    take_in(b"\x00")
    unreadable = ReturnedMessage.objects.get()
    data = {"action": "try_again", "_selected_action": [unreadable.pk]}
    staff_client.post(reverse("admin:campaigns_returnedmessage_changelist"), data)
    assert ReturnedMessage.objects.get().applied_at is None


def test_a_persons_timeline_shows_what_came_back():
    delivery = make_delivery()
    take_in(bounced(delivery))
    texts = [event.text for event in events(delivery.supporter)[0]]
    assert "Bounced for good: Nobody has this address" in texts
