import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse
from django.utils import timezone

from campaigns import appeals
from campaigns.appeals import schedule, texts
from campaigns.models import Appeal, AppealText, Delivery
from tests.campaigns.conftest import make_appeal, make_people, make_segment, make_text
from tests.factories import make_supporter

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("broker")]


def url(name, appeal, *more):
    return reverse(f"admin:campaigns_appeal_{name}", args=[appeal.pk, *more])


NO_VARIANTS = {
    **{"variants-INITIAL_FORMS": 0, "variants-TOTAL_FORMS": 0},
    **{"variants-MIN_NUM_FORMS": 0, "variants-MAX_NUM_FORMS": 1000},
}


def form_of(appeal, **changes):
    """What the browser posts when an appeal's form is saved."""
    fields = {
        name: getattr(appeal, name)
        for name in (
            *("name", "source_code", "default_language", "sender_name", "sender_email", "reply_to"),
            *("test_share", "test_hours", "test_by"),
        )
    }
    fields |= NO_VARIANTS
    rows = list(appeal.texts.order_by("pk"))
    fields |= {"segment": appeal.segment_id, "campaign": "", "texts-INITIAL_FORMS": len(rows)}
    fields |= {"texts-MIN_NUM_FORMS": 0, "texts-MAX_NUM_FORMS": 1000, "texts-TOTAL_FORMS": len(rows)}
    for number, text in enumerate(rows):
        for name in ("id", "language", "subject", "preheader", "body"):
            fields[f"texts-{number}-{name}"] = getattr(text, name)
        fields[f"texts-{number}-body"] = text.body.replace("\n", "\r\n")
        fields[f"texts-{number}-appeal"] = appeal.pk
    return {**fields, **changes}


def state(appeal):
    return Appeal.objects.values_list("state", flat=True).get(pk=appeal.pk)


def launched(people=()):
    appeal = make_appeal(people)
    schedule.send_now(appeal, send_anyway=True)
    appeals.tick()
    return appeal


# The form ---------------------------------------------------------------------------------------


def test_an_appeal_is_written_in_one_form(staff_client, staff):
    segment = make_segment()
    answer = staff_client.post(
        reverse("admin:campaigns_appeal_add"),
        {
            **{"name": "Spring", "source_code": "spring", "segment": segment.pk, "default_language": "sv"},
            **{"sender_name": "RealStars", "sender_email": "Hej@RealStars.example", "reply_to": ""},
            **{"texts-INITIAL_FORMS": 0, "texts-TOTAL_FORMS": 1, "texts-MIN_NUM_FORMS": 0},
            **{"texts-MAX_NUM_FORMS": 1000, "texts-0-language": "sv", "texts-0-subject": "Hej"},
            **{"texts-0-preheader": "", "texts-0-body": "Kära {{ first_name }}\r\n\r\nTack"},
            **{"test_share": 20, "test_hours": 4, "test_by": "clicks", **NO_VARIANTS},
        },
    )
    assert answer.status_code == 302
    appeal = Appeal.objects.get()
    assert (appeal.state, appeal.created_by, appeal.sender_email) == ("draft", staff, "hej@realstars.example")
    assert appeal.texts.get().body == "Kära {{ first_name }}\n\nTack"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("body", "Dear\n\n{{ frist_name }}", "Line 3: There is no “frist_name”. Did you mean “first_name”?"),
        ("body", "{{ first_name", "Line 1: unexpected end of template"),
        ("subject", "{{ nam }}", "Did you mean “name”?"),
        ("preheader", "{% if x %}", "has no meaning here"),
    ],
)
def test_a_mistake_in_a_text_is_said_at_its_field_and_nothing_is_saved(staff_client, field, value, said):
    appeal = make_appeal()
    answer = staff_client.post(url("change", appeal), form_of(appeal, **{f"texts-0-{field}": value, "name": "x"}))
    assert answer.status_code == 200
    errors = answer.context["inline_admin_formsets"][0].formset.forms[0].errors
    assert list(errors) == [field]
    assert said in errors[field][0]
    assert Appeal.objects.get().name == appeal.name


def test_saving_unchanged_texts_leaves_translations_up_to_date(staff_client):
    appeal = make_appeal()
    make_text(appeal, "sv", body="Två\n\nrader")
    appeal.texts.filter(language="en").update(body="Two\n\nlines")
    assert staff_client.post(url("change", appeal), form_of(appeal)).status_code == 302
    assert texts.outdated(appeal) == []
    assert set(appeal.texts.values_list("revision", flat=True)) == {1}


def test_a_translation_is_outdated_until_changed_or_ticked(staff_client):
    appeal = make_appeal(languages=["en", "sv"])
    staff_client.post(url("change", appeal), form_of(appeal, **{"texts-0-body": "New words"}))
    assert [text.language for text in texts.outdated(appeal)] == ["sv"]
    assert "Older than the main text: Swedish" in staff_client.get(url("change", appeal)).text
    staff_client.post(url("change", appeal), form_of(appeal, **{"texts-1-up_to_date": "on"}))
    assert texts.outdated(appeal) == []


def test_a_scheduled_appeal_cannot_be_changed(staff_client):
    appeal = make_appeal()
    schedule.schedule(appeal, (timezone.now() + timedelta(days=1)).replace(tzinfo=None), "UTC")
    assert staff_client.post(url("change", appeal), form_of(appeal, name="Other")).status_code == 403
    assert staff_client.get(url("change", appeal)).status_code == 200
    assert Appeal.objects.get().name == appeal.name


def test_a_form_that_was_open_while_the_appeal_went_out_changes_nothing(staff_client, monkeypatch):
    appeal = make_appeal()
    sent = form_of(appeal, name="Too late")
    from campaigns.admin.appeal import AppealAdmin

    get_object = AppealAdmin.get_object
    calls = []

    def overtaken(*args, **kwargs):
        """As the form is checked it is a draft; before it is saved, it is not."""
        found = get_object(*args, **kwargs)
        calls.append(found)
        if len(calls) == 2:
            Appeal.objects.update(state="sending", launched_at=timezone.now())
        return found

    monkeypatch.setattr(AppealAdmin, "get_object", overtaken)
    answer = staff_client.post(url("change", appeal), sent, follow=True)
    assert "Nothing was saved: the appeal is “sending” by now." in answer.text
    assert Appeal.objects.get().name == appeal.name


def test_a_variant_is_written_in_the_same_form_and_its_mistakes_are_said_there(staff_client):
    appeal = make_appeal()
    Appeal.objects.update(send_anyway=True)
    written = {"variants-TOTAL_FORMS": 1, "variants-0-letter": "B", "variants-0-language": "en", "variants-0-id": ""}
    written |= {"variants-0-subject": "Or so", "variants-0-preheader": "", "variants-0-body": "{{ frist_name }}"}
    answer = staff_client.post(url("change", appeal), form_of(appeal, **written))
    errors = answer.context["inline_admin_formsets"][1].formset.forms[0].errors
    assert "Did you mean “first_name”?" in errors["body"][0]
    assert not appeal.variants.exists()
    assert (
        staff_client.post(url("change", appeal), form_of(appeal, **{**written, "variants-0-body": ""})).status_code
        == 302
    )
    assert [(each.letter, each.subject) for each in appeal.variants.all()] == [("B", "Or so")]
    assert not Appeal.objects.get().send_anyway  # it is another text now


def test_a_campaigner_may_write_variants(client, django_user_model):
    appeal = make_appeal()
    carlo = django_user_model.objects.create_user("carlo", is_staff=True)
    carlo.groups.add(Group.objects.get(name="Campaigner"))
    client.force_login(carlo)
    written = {"variants-TOTAL_FORMS": 1, "variants-0-letter": "B", "variants-0-language": "en", "variants-0-id": ""}
    written |= {"variants-0-subject": "Or so", "variants-0-preheader": "", "variants-0-body": ""}
    assert client.post(url("change", appeal), form_of(appeal, **written)).status_code == 302
    assert appeal.variants.get().subject == "Or so"


def test_a_variant_without_any_difference_is_refused(staff_client):
    appeal = make_appeal()
    written = {"variants-TOTAL_FORMS": 1, "variants-0-letter": "B", "variants-0-language": "en", "variants-0-id": ""}
    written |= {"variants-0-subject": "", "variants-0-preheader": "", "variants-0-body": ""}
    answer = staff_client.post(url("change", appeal), form_of(appeal, **written))
    assert "A variant differs in its subject, its preview line or its text." in answer.text
    twice = {f"variants-1-{name}": value for name, value in (("letter", "B"), ("language", "en"), ("subject", "x"))}
    answer = staff_client.post(
        url("change", appeal),
        form_of(appeal, **{**written, **twice, "variants-0-subject": "y", "variants-TOTAL_FORMS": 2}),
    )
    assert "This appeal has that variant in that language." in answer.text
    assert not appeal.variants.exists()


@pytest.mark.parametrize(("share", "hours"), [(0, 4), (91, 4), (20, 0), (20, 169)])
def test_a_test_without_sense_is_refused(staff_client, share, hours):
    appeal = make_appeal()
    answer = staff_client.post(url("change", appeal), form_of(appeal, test_share=share, test_hours=hours))
    assert answer.status_code == 200
    assert set(answer.context["adminform"].form.errors) <= {"test_share", "test_hours"}
    assert Appeal.objects.get().test_share == 20


# Schedule ---------------------------------------------------------------------------------------


def hour(when, zone="Europe/Stockholm", **more):
    return {"date": f"{when:%Y-%m-%d}", "time": f"{when:%H:%M}", "time_zone": zone, "schedule": "1", **more}


def test_schedule_page_sets_the_hour(staff_client):
    appeal = make_appeal()
    tomorrow = timezone.now() + timedelta(days=1)
    answer = staff_client.post(url("schedule", appeal), hour(tomorrow))
    assert answer.status_code == 302
    assert state(appeal) == "scheduled"


@pytest.mark.parametrize(
    ("posted", "said"),
    [
        (hour(timezone.now() - timedelta(days=1)), "That hour has passed."),
        (hour(timezone.now() + timedelta(days=1), "Mars/Base"), "There is no time zone “Mars/Base”"),
        ({"schedule": "1", "date": "yesterday", "time": "x", "time_zone": "UTC"}, "Enter a valid date."),
    ],
)
def test_schedule_page_says_what_is_wrong(staff_client, posted, said):
    appeal = make_appeal()
    answer = staff_client.post(url("schedule", appeal), posted)
    assert answer.status_code == 200
    assert said in answer.text
    assert state(appeal) == "draft"


def test_schedule_page_asks_about_missing_translations(staff_client):
    appeal = make_appeal(make_people(2, language="de"))
    page = url("schedule", appeal)
    said = "2 people read German, which has no text, and would get English."
    assert said in staff_client.get(page).text
    assert said in staff_client.post(page, {"now": "1"}).text
    assert state(appeal) == "draft"
    assert staff_client.post(page, {"now": "1", "send_anyway": "on"}).status_code == 302
    assert state(appeal) == "scheduled"


# Acts -------------------------------------------------------------------------------------------


def test_buttons_pause_go_on_and_cancel(staff_client):
    appeal = launched(make_people(1))
    for name, after in (("pause", "paused"), ("resume", "sending"), ("cancel", "cancelled")):
        staff_client.post(url("act", appeal, name))
        assert state(appeal) == after


def test_get_never_acts(staff_client):
    appeal = launched(make_people(1))
    for name in ("pause", "cancel"):
        assert staff_client.get(url("act", appeal, name)).status_code == 405
    assert staff_client.get(url("cancel", appeal)).status_code == 200
    assert state(appeal) == "sending"


def test_who_may_not_send_can_only_look(client, django_user_model):
    appeal = launched(make_people(1))
    viewer = django_user_model.objects.create_user("viktor", is_staff=True)
    viewer.user_permissions.add(*Permission.objects.filter(codename__in=["view_appeal", "change_appeal"]))
    client.force_login(viewer)
    page = client.get(url("change", appeal))
    assert page.status_code == 200
    assert "/do/pause/" not in page.text
    assert client.post(url("act", appeal, "pause")).status_code == 403
    assert client.post(url("schedule", appeal), {"now": "1"}).status_code == 403
    assert client.get(url("progress", appeal)).status_code == 200
    assert state(appeal) == "sending"


def test_somebody_without_any_right_sees_nothing(client, django_user_model):
    appeal = launched(make_people(1))
    client.force_login(django_user_model.objects.create_user("nobody", is_staff=True))
    for name in ("change", "schedule", "preview", "preview_html", "progress", "cancel"):
        assert client.get(url(name, appeal)).status_code == 403


# Progress ---------------------------------------------------------------------------------------


def test_progress_counts_each_outcome(staff_client):
    appeal = launched(make_people(4))
    first, second = appeal.deliveries.order_by("pk")[:2]
    Delivery.objects.filter(pk=first.pk).update(state="sent")
    Delivery.objects.filter(pk=second.pk).update(state="unknown")
    answer = staff_client.get(url("progress", appeal)).json()
    assert (answer["done"], answer["total"], answer["percent"], answer["state"]) == (2, 4, 50, "sending")
    counts = {row["state"]: row["number"] for row in answer["states"] if row["number"]}
    assert counts == {"sent": 1, "unknown": 1, "queued": 2}


def test_trouble_with_the_mail_server_is_on_the_page(staff_client):
    appeal = launched(make_people(1))
    Appeal.objects.update(trouble="Nothing answers there.", trouble_since=timezone.now())
    page = staff_client.get(url("change", appeal)).text
    assert "Nothing answers there." in page
    assert staff_client.get(url("progress", appeal)).json()["trouble"] == "Nothing answers there."


@pytest.mark.parametrize("number", [1, 3])
def test_pages_cost_the_same_for_one_and_for_many(staff_client, django_assert_max_num_queries, number):
    for _each in range(number):
        appeal = launched(make_people(number))
    staff_client.get(url("change", appeal))
    with django_assert_max_num_queries(15):
        staff_client.get(url("change", appeal))
    with django_assert_max_num_queries(10):
        staff_client.get(reverse("admin:campaigns_appeal_changelist"))
    with django_assert_max_num_queries(10):
        staff_client.get(reverse("admin:campaigns_delivery_changelist"))


# Preview ----------------------------------------------------------------------------------------


def test_preview_reads_as_the_chosen_supporter(staff_client):
    appeal = make_appeal(languages=["en", "sv"])
    asa = make_supporter(first_name="Åsa", language="sv")
    page = staff_client.get(url("preview", appeal), {"supporter": asa.pk})
    assert page.context["letter"].subject == "Hello Åsa"
    assert page.context["language"] == "sv"
    html = staff_client.get(url("preview_html", appeal), {"supporter": asa.pk, "language": "en"})
    assert 'lang="en"' in html.text
    assert "sandbox" in html["Content-Security-Policy"]
    assert "allow-scripts" not in html["Content-Security-Policy"] + page.text


def test_preview_finds_people_without_their_names_in_the_address(staff_client):
    appeal = make_appeal()
    make_supporter(first_name="Åsa", last_name="Öberg")
    page = staff_client.post(url("preview", appeal), {"search": "asa oberg"})
    assert [str(person) for person in page.context["found"]] == ["Åsa Öberg"]


def test_preview_shows_no_person_to_who_may_not_see_people(client, django_user_model):
    person = make_people(1, first_name="Åsa")[0]
    appeal = make_appeal([person])
    writer = django_user_model.objects.create_user("carlo", is_staff=True)
    writer.user_permissions.add(Permission.objects.get(codename="view_appeal"))
    client.force_login(writer)
    for page in (
        client.get(url("preview", appeal), {"supporter": person.pk}),
        client.get(url("preview_html", appeal), {"supporter": person.pk}),
        client.post(url("preview", appeal), {"search": person.email}),
    ):
        assert page.status_code == 200
        assert "Åsa" not in page.text
        assert person.last_name not in page.text


def test_preview_of_a_broken_text_says_why(staff_client):
    appeal = make_appeal()
    AppealText.objects.update(body="{{ frist_name }}")
    page = staff_client.get(url("preview", appeal))
    assert "Did you mean “first_name”?" in page.text
    assert staff_client.get(url("preview_html", appeal)).status_code == 200


def test_test_mail_goes_to_oneself_only(staff_client, staff, server):
    person = make_people(1, first_name="Åsa")[0]
    appeal = make_appeal([person])
    answer = staff_client.post(url("preview", appeal), {"test": "1"}, follow=True)
    assert f"The test is on its way to {staff.email}." in answer.text
    assert list(server.recipients) == [staff.email]
    (mail,) = server.mails
    assert mail["Subject"] == "Test: Hello Åsa"
    assert not appeal.deliveries.exists()
    # Its way out takes nobody off the list.
    path = re.search(r"/u/[^/>]+/", mail["List-Unsubscribe"])[0]
    staff_client.post(path)
    assert not person.consents.filter(state="withdrawn").exists()


def test_test_mail_that_cannot_go_says_why(staff_client, settings):
    settings.EMAIL_HOST = ""
    answer = staff_client.post(url("preview", make_appeal()), {"test": "1"}, follow=True)
    assert "The test was not sent. No mail server is set up" in answer.text


# Deliveries -------------------------------------------------------------------------------------


def test_unknown_deliveries_go_again_after_a_question(staff_client):
    appeal = launched(make_people(2))
    first, second = appeal.deliveries.order_by("pk")
    Delivery.objects.filter(pk=first.pk).update(state="unknown")
    Delivery.objects.filter(pk=second.pk).update(state="sent")
    page = reverse("admin:campaigns_delivery_changelist")
    chosen = {"action": "send_again", "_selected_action": [first.pk, second.pk]}
    answer = staff_client.post(page, chosen)
    assert "may get the appeal twice" in answer.text
    assert Delivery.objects.get(pk=first.pk).state == "unknown"
    staff_client.post(page, {**chosen, "confirmed": "1"})
    assert Delivery.objects.get(pk=first.pk).state == "queued"
    assert Delivery.objects.get(pk=second.pk).state == "sent"


def test_deliveries_of_an_appeal_by_outcome_are_a_link_away(staff_client):
    appeal, other = launched(make_people(1)), make_appeal()
    Delivery.objects.update(state="failed", reason="550 no such user")
    page = staff_client.get(url("change", appeal)).text
    link = re.search(r'href="([^"]*state__exact=failed)"', page)[1].replace("&amp;", "&")
    listed = staff_client.get(link)
    assert listed.status_code == 200
    assert "550 no such user" in listed.text
    assert other.name not in listed.context["cl"].queryset.values_list("appeal__name", flat=True)
