import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.urls import reverse

from supporters.models import ImportRow, Supporter
from tests.factories import make_supporter
from tests.supporters.importing.test_doubts import COUPLE
from tests.supporters.importing.test_run import load

pytestmark = pytest.mark.django_db
THREE = COUPLE + "berg@home.se,Olle,Berg,Lund\nberg@home.se,Karl,Berg,Lund\n"


def page_of(run) -> str:
    return reverse("admin:supporters_importrun_doubtful", args=[run.pk])


def test_the_page_shows_both_people_and_the_run_leads_there(staff_client):
    run = load(COUPLE)
    text = staff_client.get(page_of(run)).content.decode()
    assert "Erik Berg" in text
    assert "Anna Berg" in text
    assert (
        page_of(run) in staff_client.get(reverse("admin:supporters_importrun_change", args=[run.pk])).content.decode()
    )


def test_a_second_person_is_kept_linked_and_logged(staff_client):
    run = load(THREE)
    staff_client.post(page_of(run), {"row": ["3"], "verdict": "second"})
    erik = Supporter.objects.get(first_name="Erik")
    assert (erik.email, erik.shares_email_with.first_name) == (None, "Anna")
    assert Supporter.objects.count() == 2
    assert "1 doubtful rows: A second person" in LogEntry.objects.get().change_message
    text = staff_client.get(reverse("admin:supporters_supporter_change", args=[erik.pk])).content.decode()
    assert "Reached through" in text
    anna = staff_client.get(
        reverse("admin:supporters_supporter_change", args=[erik.shares_email_with_id])
    ).content.decode()
    assert "Reaches also" in anna


def test_all_of_a_file_are_decided_at_once(staff_client):
    run = load(THREE)
    staff_client.post(page_of(run), {"all": "1", "verdict": "second"})
    assert Supporter.objects.filter(shares_email_with__first_name="Anna").count() == 3
    assert "Nothing waits for you here" in staff_client.get(page_of(run)).content.decode()


@pytest.mark.parametrize(
    "data", [{"verdict": "second"}, {"row": ["3"], "verdict": "gone"}, {"row": ["x"], "verdict": "same"}]
)
def test_a_form_that_says_nothing_changes_nothing(staff_client, data):
    run = load(COUPLE)
    assert staff_client.post(page_of(run), data).status_code == 302
    assert (run.failures.get().verdict, Supporter.objects.count()) == ("waiting", 1)


def test_who_may_only_look_decides_nothing(client, django_user_model):
    viewer = django_user_model.objects.create_user("eva", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_importrun"))
    client.force_login(viewer)
    run = load(COUPLE)
    assert "A second person</button>" not in client.get(page_of(run)).content.decode()
    assert client.post(page_of(run), {"row": ["3"], "verdict": "same"}).status_code == 403
    assert ImportRow.objects.get().verdict == "waiting"


def test_the_page_takes_as_many_queries_for_three_as_for_one(staff_client, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    taken = []
    for text in (COUPLE, THREE):
        run = load(text)
        with CaptureQueriesContext(
            connection,
        ) as context:
            staff_client.get(page_of(run))
        taken.append(len(context))
    assert taken[0] == taken[1]


def test_rows_that_wait_for_one_reason_are_decided_on_together(staff_client):
    make_supporter(first_name="Åsa", last_name="Öberg", email=None, postcode="41101")
    run = load(
        "email,first name,last name,postcode\nberg@home.se,Anna,Berg,\nberg@home.se,Erik,Berg,\n,Åsa,Öberg,41101\n"
    )
    why = "Somebody of this name, or one much like it, has the same postcode."
    text = staff_client.get(page_of(run)).content.decode()
    assert why in text
    assert "Erik Berg" in text
    text = staff_client.get(page_of(run), {"why": why}).content.decode()
    assert "Erik Berg" not in text
    staff_client.post(page_of(run), {"all": "1", "verdict": "same", "why": why})
    assert list(run.failures.order_by("number").values_list("number", "verdict")) == [(3, "waiting"), (4, "same")]
