import pytest
from django.contrib.auth.models import Permission

from supporters.receipts import reading, sealing
from tests.factories import make_consent, make_supporter

pytestmark = pytest.mark.django_db


@pytest.fixture
def eva():
    eva = make_supporter(first_name="Eva", last_name="Ek", consent=True)
    make_consent(eva, "withdrawn", method="one_click", wording="")
    sealing.seal()
    return eva


def of_person(eva) -> str:
    return f"/admin/supporters/supporter/{eva.pk}/receipts/"


def test_staff_read_the_receipts_of_a_person_and_of_one_line(staff_client, eva):
    page = staff_client.get(of_person(eva)).content.decode()
    assert "Receipt 1: Allowed" in page
    assert "Receipt 2: Taken back" in page
    assert "unsubscribe button" in page
    line = eva.consents.earliest("pk")
    one = staff_client.get(f"/admin/supporters/consent/{line.pk}/receipt/").content.decode()
    assert "Receipt 1: Allowed" in one
    assert "Receipt 2" not in one


def test_staff_save_them_as_a_file(staff_client, eva):
    answer = staff_client.get(f"{of_person(eva)}?as=json")
    given = reading.receipts_in(b"".join(answer.streaming_content).decode())
    assert [each["position"] for each in given] == [1, 2]
    assert [reading.troubles(each) for each in given] == [[], []]


def test_a_page_takes_as_many_queries_for_many(staff_client, eva, django_assert_max_num_queries):
    for _each in range(30):
        make_consent(eva)
    sealing.seal()
    staff_client.get(of_person(eva))
    with django_assert_max_num_queries(20):
        page = staff_client.get(of_person(eva)).content.decode()
    assert "Receipt 32: Allowed" in page


def test_who_may_not_see_consents_sees_no_receipts(client, eva, django_user_model):
    user = django_user_model.objects.create_user("bo", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_supporter"))
    client.force_login(user)
    assert client.get(of_person(eva)).status_code == 403
