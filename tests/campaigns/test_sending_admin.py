import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.urls import reverse

from campaigns.mail.pacing import control, receivers
from campaigns.models import Delivery, Receiver, ReceiverDomain, SendingControl, WarmUp
from tests.campaigns.conftest import make_appeal
from tests.factories import make_supporter

pytestmark = pytest.mark.django_db


def test_the_button_stops_and_lets_go_on(staff_client):
    page = staff_client.get(reverse("admin:campaigns_sendingcontrol_changelist"), follow=True)
    assert "Stop all sending" in page.content.decode()
    page = staff_client.post(reverse("admin:campaigns_sending_stop"), follow=True)
    assert control.current().stopped
    assert "pressed the button" in page.content.decode()
    staff_client.post(reverse("admin:campaigns_sending_go_on"))
    assert not control.current().stopped
    assert LogEntry.objects.count() == 2


def test_a_look_presses_nothing(staff_client):
    assert staff_client.get(reverse("admin:campaigns_sending_stop")).status_code == 405
    assert not control.current().stopped


@pytest.mark.parametrize("role", ["Viewer", "Fundraiser", "Data manager"])
def test_only_who_may_send_may_stop(staff_client, django_user_model, role):
    user = django_user_model.objects.create_user("v", password="secret-enough", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    staff_client.force_login(user)
    assert staff_client.post(reverse("admin:campaigns_sending_stop")).status_code == 403
    assert not control.current().stopped


def test_limits_are_set(staff_client):
    staff_client.get(reverse("admin:campaigns_sendingcontrol_changelist"))
    address = reverse("admin:campaigns_sendingcontrol_change", args=[1])
    staff_client.post(address, {"per_minute": "600", "per_hour": ""})
    row = SendingControl.objects.get()
    assert (row.per_minute, row.per_hour) == (600, None)
    refused = staff_client.post(address, {"per_minute": "0", "per_hour": ""})
    assert refused.status_code == 200
    assert SendingControl.objects.get().per_minute == 600


def test_a_receiver_that_staff_add_marks_what_waits(staff_client):
    delivery = Delivery.objects.create(appeal=make_appeal(), supporter=make_supporter(email="a@xn--post-ssa.se"))
    data = {
        "name": "Seznam",
        "per_minute": "30",
        "burst": "10",
        "domains-TOTAL_FORMS": "1",
        "domains-INITIAL_FORMS": "0",
        "domains-0-domain": "@xn--post-ssa.se",
    }
    staff_client.post(reverse("admin:campaigns_receiver_add"), data)
    assert ReceiverDomain.objects.get(domain="xn--post-ssa.se").receiver.code == "seznam"
    delivery.refresh_from_db()
    assert delivery.receiver == "seznam"
    staff_client.post(
        reverse("admin:campaigns_receiver_delete", args=[Receiver.objects.get(code="seznam").pk]), {"post": "yes"}
    )
    delivery.refresh_from_db()
    assert delivery.receiver == ""


def test_a_slowed_receiver_is_told_and_can_be_set_back(staff_client):
    receivers.slow_down("gmail.com", "421 4.7.28 unusual rate")
    staff_client.get(reverse("admin:campaigns_sendingcontrol_changelist"))
    page = staff_client.get(reverse("admin:campaigns_sendingcontrol_change", args=[1])).content.decode()
    assert "Google asked us to slow down" in page
    google = Receiver.objects.get(code="google")
    staff_client.post(
        reverse("admin:campaigns_receiver_changelist"), {"action": "back_to_normal", "_selected_action": [google.pk]}
    )
    google.refresh_from_db()
    assert google.slowed_until is None


def test_a_warm_up_is_written_down(staff_client):
    add = reverse("admin:campaigns_warmup_add")
    staff_client.post(add, {"domain": "NEW.realstars.se", "starts_on": "2026-12-01", "plan": "50,100,200"})
    assert WarmUp.objects.get().plan == [50, 100, 200]
    assert WarmUp.objects.get().domain == "new.realstars.se"
    refused = staff_client.post(add, {"domain": "no domain", "starts_on": "2026-12-01", "plan": "50"})
    assert refused.status_code == 200
    assert WarmUp.objects.count() == 1
