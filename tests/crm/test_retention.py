import json
from datetime import date, timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Audience, ReturnedMessage, WebhookEvent
from crm import retention
from crm.erasure.carrying import carry_out
from crm.models import RetentionRun
from supporters import consent, erasing
from supporters.importing import run as runs
from supporters.models import (
    Donation,
    ErasureRequest,
    ImportChunk,
    ImportRow,
    ImportRun,
    Letter,
    RecurringDonation,
    Supporter,
)
from tests.factories import (
    ask_to_sign,
    make_consent,
    make_donation,
    make_organisation,
    make_petition,
    make_signature,
    make_supporter,
)

pytestmark = pytest.mark.django_db
LONG_AGO = timezone.now() - timedelta(days=366 * 10)


def due() -> dict[str, int]:
    return {each.rule.name: each.number for each in retention.due() if each.number}


def old_supporter(**fields) -> Supporter:
    who = make_supporter(**fields)
    Supporter.objects.filter(pk=who.pk).update(created_at=LONG_AGO, updated_at=LONG_AGO)
    return who


def age_consents() -> None:
    """The ledger says by itself when a line was written down, and lets nobody change it."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE supporters_consent SET recorded_at = happened_at")
        cursor.execute("SET LOCAL session_replication_role = origin")


@pytest.fixture
def forgets(settings):
    settings.FORGET_IDLE_AFTER_YEARS = settings.FORGET_DONORS_AFTER_YEARS = 3


def test_people_are_erased_only_where_a_setting_says_so(settings):
    old_supporter()
    assert due() == {}
    assert retention.apply() == {}
    assert not ErasureRequest.objects.exists()
    settings.FORGET_IDLE_AFTER_YEARS = 3
    assert due() == {"idle": 1}
    assert Supporter.objects.count() == 1
    assert retention.apply() == {"idle": 1}
    request = ErasureRequest.objects.get()
    assert (request.state, request.door, request.made_by) == ("approved", "ours", None)
    assert retention.apply() == {}  # asked for already
    carry_out()
    assert not Supporter.objects.exists()
    assert RetentionRun.objects.get().taken == 1


TIES = {
    "a consent": lambda who: make_consent(who, purpose="post", happened_at=LONG_AGO),
    "a consent given again": lambda who: [
        make_consent(who, state=state, happened_at=LONG_AGO + timedelta(days=day))
        for day, state in enumerate(("granted", "withdrawn", "granted"))
    ],
    "an act": lambda who: make_signature(
        make_petition(state="closed"), who, state="validated", validated_at=timezone.now()
    ),
    "an open petition": lambda who: make_signature(make_petition(), who, created_at=LONG_AGO),
    "a gift": lambda who: make_donation(who),
    "an agreement": lambda who: RecurringDonation.objects.create(
        supporter=who, amount=1, currency="SEK", state="active"
    ),
    "an organisation": lambda who: make_organisation().contacts.add(who),
    "who shares the address": lambda who: make_supporter(email=None, shares_email_with=who),
    "a refused erasure": lambda who: erasing.refuse(
        erasing.ask(who, "letter"), "claims", "A case is in court.", None
    ),
}


@pytest.mark.parametrize("tie", TIES)
def test_whoever_is_tied_to_us_stays(forgets, tie):
    who = old_supporter()
    TIES[tie](who)
    age_consents()
    Supporter.objects.filter(pk=who.pk).update(updated_at=LONG_AGO)
    assert due() == {}


def test_a_consent_that_was_taken_back_holds_nobody(forgets):
    who = old_supporter()
    for day, state in enumerate(("granted", "withdrawn")):
        make_consent(who, state=state, happened_at=LONG_AGO + timedelta(days=day))
    assert due() == {}
    age_consents()
    assert due() == {"idle": 1}


@pytest.mark.parametrize(("years", "goes"), [(6, False), (7, False), (8, True)])
def test_a_donor_goes_only_once_the_books_need_them_no_more(forgets, years, goes):
    who = old_supporter()
    made = make_donation(who, received_on=date(timezone.localdate().year - years, 12, 31))
    make_donation(who, received_on=date(2001, 1, 1))
    Donation.objects.update(created_at=LONG_AGO)
    assert due() == ({"donors": 1} if goes else {})
    if goes:
        retention.apply()
        carry_out()
        made.refresh_from_db()
        assert made.supporter is None


def test_files_rows_letters_and_sessions_go_after_their_time_and_no_sooner(settings, broker, client, staff):
    client.force_login(staff)
    for days in (31, 29):
        run = runs.upload("supporters", "a.csv", [b"Email\nann@mail.se"])
        ImportRun.objects.filter(pk=run.pk).update(state="done", finished_at=timezone.now() - timedelta(days=days))
    for days in (181, 179):
        run = ImportRun.objects.create(
            kind="supporters",
            file_name="b.csv",
            state="failed",
            finished_at=timezone.now() - timedelta(days=days),
            doubtful=1,
        )
        ImportRow.objects.create(run=run, number=2, values=["x"], reason="no", verdict="waiting")
    gift = make_donation()
    for days, kind in ((366, "receipt"), (364, "confirm")):
        about = {"donation": gift} if kind == "receipt" else {"signature": make_signature()}
        Letter.objects.create(
            kind=kind, language="sv", state="sent", due_at=timezone.now() - timedelta(days=days), **about
        )
    expected = {"files": 1, "rows": 1, "letters": 1}
    assert due() == expected
    assert ImportChunk.objects.count() == 2
    assert retention.apply() == expected
    assert retention.apply() == {}
    assert (ImportChunk.objects.count(), ImportRow.objects.count(), Letter.objects.get().kind) == (1, 1, "confirm")
    assert list(ImportRun.objects.filter(file_name="b.csv").order_by("pk").values_list("doubtful", flat=True)) == [
        0,
        1,
    ]
    settings.KEEP_FILES_DAYS = 0
    ImportRun.objects.update(finished_at=LONG_AGO)
    assert "files" not in due()


def test_what_is_told_of_erased_people_goes_the_next_night():
    consent.suppress("ann@mail.se", "erased")
    audience = Audience.objects.create(name="A", list_id="a")
    for email, applied in (("Ann@mail.se", True), ("joann@mail.se", True), ("ann@mail.se", False)):
        WebhookEvent.objects.create(
            audience=audience,
            kind="unsubscribe",
            data={"email": email},
            applied_at=timezone.now() if applied else None,
        )
    for number, to in enumerate((b"<ann@mail.se>", b"<bo@mail.se>")):
        ReturnedMessage.objects.create(
            channel="pipe", digest=bytes([number]), raw=b"To: " + to + b"\n", applied_at=timezone.now()
        )
    assert retention.apply() == {"late": 1, "late-returns": 1}
    assert sorted(WebhookEvent.objects.values_list("data__email", flat=True)) == ["ann@mail.se", "joann@mail.se"]
    assert [message.raw is None for message in ReturnedMessage.objects.order_by("pk")] == [True, False]


def test_a_rule_takes_so_much_a_night_in_slices_and_goes_on_the_next(monkeypatch, broker):
    petition = make_petition()
    for number in range(5):
        ask_to_sign(petition, email=f"a{number}@mail.se")
    petition.signatures.update(created_at=LONG_AGO)
    [rule] = [rule for rule in retention.RULES if rule.name == "pending"]
    for name, value in (("slice", 2), ("most", 3)):
        object.__setattr__(rule, name, value)
    try:
        assert retention.apply() == {"pending": 4}
        assert RetentionRun.objects.get().more
        assert retention.apply() == {"pending": 1}
        assert not RetentionRun.objects.latest("pk").more
    finally:
        for name, value in (("slice", 5_000), ("most", 500_000)):
            object.__setattr__(rule, name, value)


def test_it_takes_as_many_queries_for_many_as_for_few(forgets):
    for _number in range(2):
        old_supporter()
    with CaptureQueriesContext(connection) as few:
        assert retention.apply() == {"idle": 2}
    for _number in range(9):
        old_supporter()
    with CaptureQueriesContext(connection) as many:
        assert retention.apply() == {"idle": 9}
    assert len(many) == len(few)


def test_the_command_tries_out_and_does(forgets):
    old_supporter()
    told = StringIO()
    call_command("retention", "--dry-run", "--json", stdout=told)
    assert json.loads(told.getvalue().splitlines()[-1])["idle"] == 1
    assert not ErasureRequest.objects.exists()
    told = StringIO()
    call_command("retention", "--json", stdout=told)
    assert json.loads(told.getvalue().splitlines()[-1]) == {"idle": 1}
    assert ErasureRequest.objects.count() == 1


def test_the_page_says_what_would_go_and_what_went(staff_client, settings):
    settings.FORGET_DONORS_AFTER_YEARS = 9
    RetentionRun.objects.create(rule="files", taken=12, more=True)
    text = staff_client.get(reverse("crm:retention")).content.decode()
    for words in (
        "Kept for good.",
        "After 9 years.",
        "After 30 days.",
        "12 – more the next night",
        "KEEP_FILES_DAYS",
    ):
        assert words in text


def test_only_data_managers_see_it(client, django_user_model):
    for role, status in (("Data manager", 200), ("Fundraiser", 403)):
        user = django_user_model.objects.create_user(role, password="x", is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        client.force_login(user)
        assert client.get(reverse("crm:retention")).status_code == status


def test_when_people_of_partners_were_here_is_forgotten_in_time(settings):
    settings.KEEP_PARTNER_LOG_DAYS = 100
    partner = make_organisation()
    for age in (99, 101):
        partner.events.create(kind="erased", number=1, happened_at=timezone.now() - timedelta(days=age))
    assert due() == {"partner-log": 1}
    retention.apply()
    assert partner.events.count() == 1
