"""A test of wordings: who is drawn, what is decided when, and that nobody gets it twice."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from campaigns import appeals
from campaigns.appeals import ledger, report, results, schedule, texts, variants
from campaigns.appeals.refusal import Refusal
from campaigns.appeals.report import Figures
from campaigns.models import Appeal, AppealLink, AppealVariant, Click, Delivery
from crm.erasure import erase
from tests.campaigns.conftest import make_appeal, make_people
from tests.factories import make_donation

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("broker")]


def variant(appeal, letter="B", language="en", **fields):
    fields = fields or {"subject": f"{letter}: {{{{ first_name }}}}"}
    return AppealVariant.objects.create(appeal=appeal, letter=letter, language=language, **fields)


def launched(people, letters="B", languages=("en",), **fields):
    appeal = make_appeal(people, languages=languages, **fields)
    for letter in letters:
        variant(appeal, letter)
    schedule.send_now(appeal, send_anyway=True)
    appeals.tick()
    return fresh(appeal)


def fresh(appeal):
    return Appeal.objects.get(pk=appeal.pk)


def groups(appeal):
    return Counter(appeal.deliveries.values_list("language", "variant", "state"))


def sent(appeal, ago=timedelta(hours=5)):
    """The test's part has gone out so long ago."""
    then = timezone.now() - ago
    appeal.deliveries.filter(state="queued").update(state="sent", sent_at=then)
    Appeal.objects.filter(pk=appeal.pk).update(launched_at=then)


def click(appeal, letter, number):
    link, _made = AppealLink.objects.get_or_create(appeal=appeal, target="https://example.org/")
    for delivery in appeal.deliveries.filter(variant=letter)[:number]:
        at = delivery.sent_at + timedelta(minutes=1)
        Click.objects.create(link=link, delivery=delivery, first_at=at, last_at=at)


# Drawing ----------------------------------------------------------------------------------------


def test_a_share_is_drawn_evenly_and_the_rest_is_held():
    appeal = launched(make_people(50), letters="BC", test_share=30)
    assert groups(appeal) == {
        ("en", "A", "queued"): 5,
        ("en", "B", "queued"): 5,
        ("en", "C", "queued"): 5,
        ("en", "", "held"): 35,
    }
    assert appeal.recipients == 50


def test_the_same_are_drawn_if_it_is_drawn_again():
    appeal = launched(make_people(20), test_share=50)
    drawn = set(appeal.deliveries.values_list("supporter", "variant"))
    appeal.deliveries.all().delete()
    ledger.write(appeal)
    assert set(appeal.deliveries.values_list("supporter", "variant")) == drawn


def test_a_language_without_every_variant_gets_its_text_at_once():
    people = [*make_people(10, language="en"), *make_people(4, language="sv")]
    appeal = launched(people, languages=["en", "sv"], test_share=40)
    assert groups(appeal) == {
        ("en", "A", "queued"): 2,
        ("en", "B", "queued"): 2,
        ("en", "", "held"): 6,
        ("sv", "", "queued"): 4,
    }


def test_an_appeal_without_variants_is_written_as_ever():
    appeal = launched(make_people(3), letters="")
    assert groups(appeal) == {("en", "", "queued"): 3}


def test_each_reads_the_wording_drawn(server):
    appeal = launched(make_people(8), test_share=50)
    appeals.work(appeal.pk)
    subjects = Counter(mail["Subject"] for mail in server.mails)
    assert subjects == {"Hello Ann": 2, "B: Ann": 2}
    letters = dict(appeal.deliveries.filter(state="sent").values_list("supporter__email", "variant"))
    for mail in server.mails:
        assert mail["Subject"].startswith("B: ") == (letters[mail["To"].addresses[0].addr_spec] == "B")


def test_what_a_variant_leaves_empty_is_as_in_the_text():
    appeal = make_appeal()
    variant(appeal, "B", body="Other words")
    wordings = variants.wordings(appeal)
    assert (wordings["en", "B"].subject, wordings["en", "B"].body) == ("Hello {{ first_name }}", "Other words")
    assert wordings["en", "A"].body == "Dear {{ first_name }}, please help."


# While it runs ----------------------------------------------------------------------------------


def test_while_the_test_runs_nobody_is_owed_and_nothing_is_finished(server):
    appeal = launched(make_people(8), test_share=50)
    appeals.work(appeal.pk)
    assert not ledger.owed(appeal.pk)
    counts = appeals.tick()
    assert (counts["handed_out"], counts["finished"]) == (0, 0)
    assert fresh(appeal).state == "sending"
    assert groups(appeal)["en", "", "held"] == 4


def test_the_best_goes_to_the_rest_after_its_hours_and_nobody_gets_it_twice(server):
    appeal = launched(make_people(120), test_share=50)
    appeals.work(appeal.pk)
    assert len(server.mails) == 60
    sent_at = timezone.now() - timedelta(hours=5)
    appeal.deliveries.filter(state="sent").update(sent_at=sent_at)
    click(appeal, "A", 4)
    click(appeal, "B", 9)
    appeals.tick()
    appeal = fresh(appeal)
    assert (appeal.winner, appeal.verdict) == ("B", "better")
    assert groups(appeal)["en", "b", "queued"] == 60
    appeals.work(appeal.pk)
    assert fresh(appeal).state == "sent"
    assert Counter(server.recipients.values()) == {1: 120}
    assert Counter(mail["Subject"] for mail in server.mails) == {"Hello Ann": 30, "B: Ann": 90}
    # What the test found stays to be seen.
    results.refresh(appeal.pk)
    figures = dict(variants.test_figures(report.of(appeal)))
    assert {letter: (each.sent, each.clicked) for letter, each in figures.items()} == {"A": (30, 4), "B": (30, 9)}


def test_nothing_is_decided_before_its_hours_are_over_or_while_the_test_is_still_going_out():
    appeal = launched(make_people(120), test_share=50, test_hours=4)
    Appeal.objects.update(launched_at=timezone.now() - timedelta(hours=30))
    appeals.tick()
    assert fresh(appeal).winner == ""  # nothing has left: the server was away
    sent(appeal, ago=timedelta(hours=3))
    appeals.tick()
    assert fresh(appeal).winner == ""
    appeal.deliveries.filter(state="sent").update(sent_at=timezone.now() - timedelta(hours=4, minutes=1))
    appeals.tick()
    assert fresh(appeal).winner == "A"


def test_a_pause_keeps_the_decision_and_cancelling_ends_it():
    appeal = launched(make_people(120), test_share=50)
    sent(appeal)
    schedule.pause(appeal)
    appeals.tick()
    assert fresh(appeal).winner == ""
    schedule.cancel(fresh(appeal))
    appeals.tick()
    assert groups(appeal)["en", "", "skipped"] == 60
    with pytest.raises(Refusal, match="cancelled"):
        variants.choose(fresh(appeal), "B")
    assert fresh(appeal).winner == ""


def test_staff_may_choose_at_any_time_once():
    appeal = launched(make_people(8), test_share=50)
    variants.choose(appeal, "B")
    assert (fresh(appeal).winner, fresh(appeal).verdict) == ("B", "by_hand")
    with pytest.raises(Refusal, match="decided already: B"):
        variants.choose(appeal, "A")
    appeals.tick()
    assert groups(appeal)["en", "b", "queued"] == 4
    assert fresh(appeal).winner == "B"


def test_staff_may_choose_while_it_is_paused():
    appeal = launched(make_people(8), test_share=50)
    schedule.pause(appeal)
    variants.choose(fresh(appeal), "A")
    appeals.tick()
    assert groups(appeal)["en", "a", "queued"] == 4
    assert fresh(appeal).state == "paused"


@pytest.mark.parametrize("letter", ["C", "x", ""])
def test_only_a_variant_that_there_is_can_be_chosen(letter):
    appeal = launched(make_people(8), test_share=50)
    with pytest.raises(Refusal, match="no variant"):
        variants.choose(appeal, letter)
    assert fresh(appeal).winner == ""


def test_a_release_that_was_cut_short_is_gone_on_with(monkeypatch):
    appeal = launched(make_people(8), test_share=50)
    monkeypatch.setattr(variants, "BATCH", 3)
    variants.choose(appeal, "B")
    assert variants._release_some(appeal.pk) == 3  # and then the program died
    assert groups(appeal)["en", "", "held"] == 1
    appeals.tick()
    assert groups(appeal)["en", "b", "queued"] == 4


def test_who_waits_and_is_erased_does_not_get_it(staff):
    appeal = launched(make_people(8), test_share=50)
    person = appeal.deliveries.filter(state="held").first().supporter
    erase(person, staff)
    assert groups(appeal)["en", "", "held"] == 3
    assert groups(appeal)["en", "", "skipped"] == 1


# Judging ----------------------------------------------------------------------------------------


def figures(sent, clicked=0, gifts=0):
    return Figures(Counter(sent=sent), clicked=clicked, gifts=gifts)


@pytest.mark.parametrize(
    ("found", "by", "winner", "verdict"),
    [
        ({"A": figures(100, 5), "B": figures(100, 9)}, "clicks", "B", "better"),
        ({"A": figures(100, 9), "B": figures(300, 10)}, "clicks", "A", "better"),
        ({"A": figures(100, 2), "B": figures(50, 10), "C": figures(100, 20)}, "clicks", "B", "even"),
        ({"A": figures(30, 5), "B": figures(60, 10)}, "clicks", "A", "even"),
        ({"A": figures(100, 4), "B": figures(100, 5)}, "clicks", "A", "too_few"),
        ({"A": figures(24, 9), "B": figures(100, 20)}, "clicks", "A", "too_few"),
        ({"A": figures(100, 50, gifts=4), "B": figures(100, 1, gifts=6)}, "gifts", "B", "better"),
        ({}, "clicks", "A", "too_few"),
    ],
)
def test_judge(found, by, winner, verdict):
    assert variants.judge(found, by) == variants.Outcome(winner, verdict)


def test_gifts_decide_where_staff_wanted_that():
    appeal = launched(make_people(120), test_share=50, test_by="gifts", source_code="spring")
    sent(appeal)
    click(appeal, "A", 20)
    for delivery in appeal.deliveries.filter(variant="B")[:10]:
        make_donation(delivery.supporter, source_code="spring")
    appeals.tick()
    assert (fresh(appeal).winner, fresh(appeal).verdict) == ("B", "better")


# Before it goes ---------------------------------------------------------------------------------


def test_what_keeps_a_test_from_being_one_is_said():
    appeal = make_appeal(make_people(2))
    variant(appeal, "B", "sv")
    said = [obstacle.message for obstacle in texts.obstacles(appeal) if obstacle.final]
    assert said == [
        "Variant B, Swedish: there is no text in that language that it could differ from.",
        "Nothing would be tested: no language has every variant.",
    ]
    AppealVariant.objects.update(language="en", body="{{ frist_name }}")
    assert "Variant B, English: Line 1: There is no “frist_name”" in texts.obstacles(appeal)[0].message


def test_too_few_readers_are_said_but_no_obstacle_for_who_knows():
    appeal = make_appeal(make_people(10))
    variant(appeal)
    (obstacle,) = texts.obstacles(appeal)
    assert not obstacle.final
    assert "Each variant of the test would go to about 1 people." in obstacle.message


def test_a_variant_differs_in_something():
    with pytest.raises(IntegrityError), transaction.atomic():
        variant(make_appeal(), "B", "en", subject="")


# The page ---------------------------------------------------------------------------------------


def test_the_page_shows_the_test_and_lets_staff_decide(staff_client):
    appeal = launched(make_people(8), test_share=50)
    page = reverse("admin:campaigns_appeal_change", args=[appeal.pk])
    text = staff_client.get(page).text
    assert "4 people wait for the best." in text
    assert "Send B to the rest" in text
    answer = staff_client.post(reverse("admin:campaigns_appeal_act", args=[appeal.pk, "choose-B"]), follow=True)
    assert "B goes to the rest within a minute." in answer.text
    text = staff_client.get(page).text
    assert "B goes to the rest.</strong> It was chosen by hand." in text
    assert "Send B to the rest" not in text


def test_who_may_not_send_may_not_decide(client, django_user_model):
    from django.contrib.auth.models import Permission

    appeal = launched(make_people(8), test_share=50)
    viewer = django_user_model.objects.create_user("viktor", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_appeal"))
    client.force_login(viewer)
    assert client.post(reverse("admin:campaigns_appeal_act", args=[appeal.pk, "choose-B"])).status_code == 403
    assert fresh(appeal).winner == ""


def test_a_variant_is_previewed_like_any_text(staff_client):
    appeal = make_appeal(make_people(1))
    variant(appeal, "B", subject="Other, {{ first_name }}")
    page = staff_client.get(
        reverse("admin:campaigns_appeal_preview", args=[appeal.pk]), {"language": "en", "variant": "B"}
    )
    assert page.context["letter"].subject == "Other, Ann"
    assert "English · B" in page.text


def test_progress_counts_those_who_wait_as_waiting(staff_client):
    appeal = launched(make_people(8), test_share=50)
    answer = staff_client.get(reverse("admin:campaigns_appeal_progress", args=[appeal.pk])).json()
    assert (answer["done"], answer["total"]) == (0, 8)
    assert {row["state"]: row["number"] for row in answer["states"] if row["number"]} == {"held": 4, "queued": 4}
    assert Delivery.objects.filter(state="held").count() == 4
