import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from crm import timeline
from supporters import merging
from supporters.models import Double, Merge, Supporter
from tests.factories import make_consent, make_donation, make_petition, make_signature, make_supporter

pytestmark = pytest.mark.django_db
LIST = "admin:supporters_supporter_changelist"


@pytest.fixture
def anna():
    return make_supporter(first_name="Anna", last_name="Ek", email="anna@mail.se", phone="+46701234567", consent=True)


@pytest.fixture
def old():
    return make_supporter(first_name="Annika", last_name="Ek", email="annika@old.se", street="Storgatan 1")


def page_of(one, other) -> str:
    return reverse("admin:supporters_supporter_merge", args=[one.pk, other.pk])


def change(person) -> str:
    return reverse("admin:supporters_supporter_change", args=[person.pk])


def test_the_page_shows_both_what_differs_and_what_goes_over(staff_client, anna, old):
    petition = make_petition()
    for one in (anna, old):
        make_signature(petition, one, state="validated", validated_at=timezone.now())
    make_donation(anna)
    make_donation(old)
    make_consent(old, "withdrawn")
    text = staff_client.get(page_of(anna, old)).text
    assert "Storgatan 1" in text
    assert text.count('type="radio"') == 4
    for said in ("They differ:", "annika@old.se", "1 gift", "Withdrawn", "Petitions that both signed"):
        assert said in text, said
    assert Supporter.objects.count() == 2, "Looking must not act."
    assert not Merge.objects.exists()


def test_merging_by_the_page_takes_what_was_chosen_and_offers_to_undo(staff_client, staff, anna, old):
    make_donation(anna)
    answer = staff_client.post(page_of(old, anna), {"keep": anna.pk, "first_name": "away", "email": "survivor"})
    assert answer.url == change(anna)
    anna.refresh_from_db()
    assert (anna.first_name, anna.email, anna.street) == ("Annika", "anna@mail.se", "Storgatan 1")
    merge = Merge.objects.get()
    assert merge.merged_by == staff
    page = staff_client.get(change(anna)).text
    assert reverse("admin:supporters_merge_undo", args=[merge.pk]) in page
    assert f"Record {old.pk} was merged into it." in LogEntry.objects.get().change_message


def test_the_other_record_can_stay(staff_client, anna, old):
    text = staff_client.get(page_of(anna, old) + f"?keep={old.pk}").text
    assert f'name="keep" value="{old.pk}"' in text
    staff_client.post(page_of(anna, old), {"keep": old.pk})
    assert Supporter.objects.get() == old


def test_undoing_asks_first(staff_client, staff, anna, old):
    merge = merging.merge(anna.pk, old.pk)
    link = reverse("admin:supporters_merge_undo", args=[merge.pk])
    assert "Make two records of Anna Ek again?" in staff_client.get(link).text
    assert Supporter.objects.count() == 1
    assert staff_client.post(link).url == change(old)
    assert Supporter.objects.count() == 2
    assert Merge.objects.get().undone_by == staff
    assert staff_client.get(link).status_code == 404


def test_what_cannot_be_undone_says_why(staff_client, anna, old):
    merge = merging.merge(anna.pk, old.pk)
    make_supporter(email="annika@old.se")
    answer = staff_client.post(reverse("admin:supporters_merge_undo", args=[merge.pk]), follow=True)
    assert "another record" in answer.text
    assert Merge.objects.standing().exists()


def test_two_are_ticked_in_the_list(staff_client, anna, old):
    data = {"action": "merge_chosen", "_selected_action": [anna.pk, old.pk]}
    assert staff_client.post(reverse(LIST), data).url == page_of(anna, old)
    data["_selected_action"].append(make_supporter().pk)
    assert "Tick the two records" in staff_client.post(reverse(LIST), data, follow=True).text


def test_the_list_of_doubles_leads_to_the_page(staff_client, anna, old):
    Double.objects.create(first=anna, second=old, probability=0.97, cluster=anna.pk)
    text = staff_client.get(reverse("admin:supporters_double_changelist")).text
    assert page_of(anna, old) in text
    assert "They are two people" in staff_client.get(page_of(anna, old)).text
    staff_client.post(page_of(anna, old), {"apart": "1"})
    assert Double.objects.get().state == "different"
    assert Supporter.objects.count() == 2
    assert "has said that these are two people" in staff_client.get(page_of(anna, old)).text


def test_how_sure_it_was_is_kept_in_the_log(staff_client, anna, old):
    Double.objects.create(first=anna, second=old, probability=0.97, cluster=anna.pk)
    staff_client.post(page_of(anna, old), {})
    text = staff_client.get(reverse("admin:supporters_merge_changelist")).text
    assert "97 %" in text
    assert str(old.pk) in text


@pytest.mark.parametrize("gone", ["merged", "erased", "same"])
def test_who_is_gone_by_now_is_said(staff_client, anna, old, gone):
    link = page_of(anna, anna if gone == "same" else old)
    if gone == "merged":
        merging.merge(anna.pk, old.pk)
    elif gone == "erased":
        Supporter.objects.filter(pk=old.pk).delete()
    for answer in (staff_client.get(link, follow=True), staff_client.post(link, {"keep": anna.pk}, follow=True)):
        assert "one record by now" in answer.text
    assert Supporter.objects.filter(pk=anna.pk).exists()


def test_merging_takes_its_permission(client, django_user_model, anna, old):
    user = django_user_model.objects.create_user("eva", is_staff=True)
    user.user_permissions.add(
        *Permission.objects.filter(codename__in=["view_supporter", "change_supporter", "view_merge"])
    )
    client.force_login(user)
    assert client.post(page_of(anna, old), {"keep": anna.pk}).status_code == 403
    assert Supporter.objects.count() == 2
    merge = merging.merge(anna.pk, old.pk)
    answer = client.post(reverse("admin:supporters_merge_undo", args=[merge.pk]), follow=True)
    assert "takes the role" in answer.text
    assert Supporter.objects.count() == 1


def test_names_from_outside_are_text(staff_client, anna, old):
    Supporter.objects.filter(pk=old.pk).update(last_name="<script>alert(1)</script>")
    assert "<script>alert(1)" not in staff_client.get(page_of(anna, old)).text


def test_the_timeline_tells_of_the_merge_and_of_both_histories(anna, old):
    make_donation(old, designation="shelter")
    merge = merging.merge(anna.pk, old.pk)
    texts = [event.text for event in timeline.events(anna)[0]]
    assert f"Record {old.pk} was merged into this one" in texts
    assert any("Donation of 100.00 SEK" in text for text in texts)
    merging.undo(merge.pk)
    texts = [event.text for event in timeline.events(anna)[0]]
    assert f"The merge of record {old.pk} was undone" in texts


def test_a_number_that_only_begins_like_a_merged_record_leads_to_nobody(staff_client, anna, old):
    merging.merge(anna.pk, old.pk)
    page = reverse("admin:supporters_supporter_change", args=[old.pk])
    assert staff_client.get(page)["Location"] == change(anna)
    longer = reverse("admin:supporters_supporter_change", args=[f"{old.pk:018}9"])
    assert staff_client.get(longer)["Location"] == reverse("admin:index")
