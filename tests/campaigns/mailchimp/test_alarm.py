"""A message to the staff who care, when an audience has failed for a day."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from campaigns.mailchimp import alarm
from campaigns.models import Audience, SyncRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def mail(server, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    return server


@pytest.fixture
def people(django_user_model):
    """Two who may change audiences, one who may only look, one who has left."""
    for name, group, active in (
        ("cam", "Campaigner", True),
        ("viv", "Viewer", True),
        ("old", "Campaigner", False),
    ):
        user = django_user_model.objects.create_user(name, f"{name}@realstars.eu", is_staff=True, is_active=active)
        user.groups.add(Group.objects.get(name=group))
    django_user_model.objects.create_superuser("astrid", "astrid@realstars.eu", "a long password")


@pytest.fixture
def ours():
    return Audience.objects.create(name="RealStars", list_id="5e1f3a9c20")


def run(audience, state, hours_ago, error=""):
    at = timezone.now() - timedelta(hours=hours_ago)
    made = SyncRun.objects.create(audience=audience, kind="push", state=state, error=error, finished_at=at)
    SyncRun.objects.filter(pk=made.pk).update(started_at=at)


def letters(server):
    return server.mails


def test_who_may_change_audiences_is_told_once_and_told_when_it_is_over(mail, people, ours):
    run(ours, "done", 60)
    run(ours, "failed", 30, "Mailchimp does not accept the API key.")
    run(ours, "failed", 1, "Mailchimp does not accept the API key.")
    assert alarm.check() == {"alarmed": 1, "recovered": 0}
    assert alarm.check() == {"alarmed": 0, "recovered": 0}
    told = letters(mail)
    assert [letter["To"] for letter in told] == ["astrid@realstars.eu", "cam@realstars.eu"]
    assert {letter["Subject"] for letter in told} == {"Mailchimp can't be kept in step: RealStars"}
    text = told[0].get_content()
    assert "The last try ended with: Mailchimp does not accept the API key." in text
    assert f"/campaigns/audience/{ours.pk}/change/" in text
    run(ours, "done", 0)
    assert alarm.check() == {"alarmed": 0, "recovered": 1}
    assert [letter["Subject"] for letter in letters(mail)[2:]] == ["Mailchimp works again: RealStars"] * 2
    assert alarm.check() == {"alarmed": 0, "recovered": 0}


@pytest.mark.parametrize(
    "runs",
    [
        [("done", 30), ("failed", 20)],
        [("failed", 30), ("done", 20), ("failed", 10)],
        [("done", 50)],
        [],
    ],
)
def test_what_has_not_failed_for_a_day_worries_nobody(mail, people, ours, runs):
    for state, hours in runs:
        run(ours, state, hours)
    assert alarm.check() == {"alarmed": 0, "recovered": 0}
    assert letters(mail) == []


def test_a_paused_audience_worries_nobody(mail, people, ours):
    run(ours, "failed", 30)
    Audience.objects.update(paused=True)
    assert alarm.check() == {"alarmed": 0, "recovered": 0}
    assert letters(mail) == []


def test_one_audience_does_not_hide_another(mail, people, ours):
    other = Audience.objects.create(name="Other", list_id="other")
    run(other, "done", 1)
    run(ours, "failed", 30)
    assert alarm.check() == {"alarmed": 1, "recovered": 0}
    ours.refresh_from_db()
    other.refresh_from_db()
    assert ours.alarmed_at is not None
    assert other.alarmed_at is None


def test_a_message_that_could_not_be_sent_is_owed_still(settings, people, ours):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    run(ours, "failed", 30)
    with pytest.raises(OSError, match="refused"):
        alarm.check()
    ours.refresh_from_db()
    assert ours.alarmed_at is None
