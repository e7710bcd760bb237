import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm import background
from supporters.models import Donation, PaymentEvent
from supporters.payments import applying, storing
from supporters.payments.incoming import Incoming
from tests.factories import make_pledge, make_supporter
from tests.supporters.payments.test_bankfile import HEAD, TAIL, entry

pytestmark = pytest.mark.django_db
LIST = reverse("admin:supporters_paymentevent_changelist")
RECORD = reverse("admin:supporters_paymentevent_record_money")
FILE = reverse("admin:supporters_paymentevent_load_file")


@pytest.fixture(autouse=True)
def _broker(broker):
    return broker


def doubtful(number=1, **fields):
    fields = {"minor": 5_000, "currency": "SEK", "on": timezone.localdate(), "payer": "Eva Ek", **fields}
    storing.keep("bank", [Incoming(f"T{each}", **fields).told() for each in range(number)])
    applying.apply_owed()
    return PaymentEvent.objects.filter(state="review").first()


def page(event, what="change"):
    return reverse(f"admin:supporters_paymentevent_{what}", args=[event.pk])


@pytest.mark.parametrize("number", [1, 3])
def test_the_list_asks_as_often_for_three_as_for_one(staff_client, number):
    doubtful(number)
    staff_client.get(LIST)
    with CaptureQueriesContext(connection) as asked:
        text = staff_client.get(LIST).content.decode()
    assert "It belongs to nothing that we know." in text
    assert len(asked) <= 12


def test_approving_asks_first_and_books_it_for_whom_staff_name(staff_client, staff):
    event, person = doubtful(), make_supporter(email="eva@mail.se")
    asked = staff_client.get(page(event, "approve")).content.decode()
    assert "It belongs to nothing that we know." in asked
    assert "50.00 SEK" in asked
    assert Donation.objects.count() == 0
    answer = staff_client.post(page(event, "approve"), {"email": "nobody@mail.se"})
    assert "Nobody on file has this address." in answer.content.decode()
    staff_client.post(page(event, "approve"), {"email": "Eva@mail.se"})
    gift = Donation.objects.get()
    assert (gift.supporter, str(gift)) == (person, "50.00 SEK")
    event.refresh_from_db()
    assert (event.state, event.decided_by, event.donation) == ("applied", staff, gift)


def test_approving_with_a_reference_pays_that_pledge(staff_client):
    event, pledge = doubtful(), make_pledge(minor_units=10_000)
    staff_client.post(page(event, "approve"), {"reference": pledge.reference})
    assert Donation.objects.get().pledge == pledge
    assert str(Donation.objects.get()) == "50.00 SEK"


def test_refusing_books_nothing(staff_client):
    event = doubtful()
    staff_client.get(page(event, "refuse"))
    assert PaymentEvent.objects.get().state == "review"
    staff_client.post(page(event, "refuse"))
    assert (PaymentEvent.objects.get().state, Donation.objects.count()) == ("refused", 0)
    answer = staff_client.post(page(event, "approve"), {}, follow=True)
    assert "There is nothing to decide here." in answer.content.decode()
    assert Donation.objects.count() == 0


def test_money_recorded_by_hand_finds_its_pledge_once(staff_client):
    pledge = make_pledge(method="swish", minor_units=10_000)
    name = staff_client.get(RECORD).context["form"]["name"].value()
    said = {"method": "swish", "reference": f"Gift {pledge.reference}", "amount": "100", "currency": "SEK"}
    said |= {"came_on": timezone.localdate().isoformat(), "name": str(name)}
    for _twice in range(2):
        staff_client.post(RECORD, said)
    gift = Donation.objects.get()
    assert (gift.pledge, gift.method, gift.provider) == (pledge, "swish", "swish")


def test_money_that_can_t_be_is_refused(staff_client):
    said = {"method": "swish", "amount": "0", "currency": "SEK", "came_on": "2999-01-01", "name": "x"}
    text = staff_client.post(RECORD, said).content.decode()
    assert "An amount is above 0." in text
    assert "This day has not come yet." in text
    assert PaymentEvent.objects.count() == 0


def test_a_file_of_the_bank_is_loaded(staff_client):
    make_pledge(reference="1234567897", method="bank", minor_units=25_000)
    content = (HEAD + entry() + TAIL).encode()
    answer = staff_client.post(FILE, {"file": SimpleUploadedFile("a.xml", content)}, follow=True)
    assert "1 payment in the file, 1 of them new." in answer.content.decode()
    applying.apply_owed()
    assert str(Donation.objects.get()) == "250.00 SEK"
    answer = staff_client.post(FILE, {"file": SimpleUploadedFile("a.csv", b"a;b")})
    assert "This is no file that we can read" in answer.content.decode()


def test_what_is_in_doubt_shows_among_the_background_work():
    doubtful(2)
    [task] = [task for task in background.tasks() if task.title == "Payments in doubt"]
    assert (task.text, task.trouble) == ("2 wait for a person", True)


def test_a_viewer_sees_and_does_not_decide(client, django_user_model):
    viewer = django_user_model.objects.create_user("viktor", password="x", is_staff=True)
    viewer.groups.add(Group.objects.get(name="Viewer"))
    client.force_login(viewer)
    event = doubtful()
    shown = client.get(page(event)).content.decode()
    assert "Needs a decision" in shown
    assert "(&#x27;review" not in shown
    for path in (page(event, "approve"), page(event, "refuse"), RECORD, FILE):
        assert client.post(path).status_code == 403
    assert PaymentEvent.objects.get().state == "review"


@pytest.mark.parametrize("model", ["pledge", "dispute"])
def test_other_lists_open(staff_client, model):
    make_pledge()
    assert staff_client.get(reverse(f"admin:supporters_{model}_changelist")).status_code == 200
