# ruff: noqa: F401, F811 - fixtures of other folders
"""The worker that erases, killed at any moment: each person is there wholly or not at all, and in the end not at all."""

import subprocess
import sys

import pytest
from django.core.cache import cache
from django.db.models import Exists, OuterRef

from campaigns.models import AudienceMember
from crm.erasure.carrying import carry_out
from supporters import consent, erasing
from supporters.importing import readers
from supporters.importing import run as runs
from supporters.models import (
    Consent,
    Donation,
    ErasureRequest,
    ImportRun,
    RecurringDonation,
    Reference,
    Signature,
    Supporter,
)
from tests.campaigns.mailchimp.conftest import audience, mailchimp, push, swedes
from tests.crm.everywhere import in_tables
from tests.factories import make_consent, make_donation, make_petition, make_supporter
from tests.processes import ROOT, environment
from tests.supporters.payments.conftest import SECRET, hear, post, start, stripe

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]
GOING, STAYING, GIVERS, FILES, KILLS = 90, 20, 10, 5, 25
GONE = "zzquorx"


def address(number: int) -> str:
    return f"{GONE if number < GOING else 'stays'}{number}@mail.se"


def live(start, stripe, hear) -> None:
    """Everybody's gifts, agreements, signatures, consents, numbers, and rows in files, of which one is still to be imported."""
    for number in range(GIVERS):
        pledge = start(interval="month", email=address(number), first_name=f"{GONE}{number}first")
        stripe.pay(pledge.session_id)
    hear()
    for number in range(GIVERS, GOING + STAYING):
        make_supporter(email=address(number), first_name=address(number).partition("@")[0])
    petition = make_petition()
    for who in Supporter.objects.all():
        Supporter.objects.filter(pk=who.pk).update(country="SE", street=f"{who.first_name}street 1")
        make_donation(who, designation=f"For {who.email}")
        Signature.objects.create(
            petition=petition, supporter=who, state="validated", validated_at="2026-05-06T12:00Z", comment=who.email
        )
        Reference.objects.create(supporter=who, system="donor", identifier=f"{who.first_name}-ref")
        make_consent(who, source=f"{who.email} said so")
    rows = "\n".join(f"{email},{name}" for email, name in Supporter.objects.values_list("email", "first_name"))
    for number in range(FILES):
        runs.upload("supporters", f"list{number}.csv", [f"email,first name\n{rows}\n".encode()])


def check_that_nothing_is_half_done() -> None:
    """Of everybody all is there, or nothing; and every file holds a row or a blank for each."""
    theirs = [
        Exists(table.objects.filter(supporter=OuterRef("pk")))
        for table in (Donation, Signature, Reference, Consent, AudienceMember)
    ]
    there = Supporter.objects.annotate(**{f"has{n}": exists for n, exists in enumerate(theirs)})
    assert set(there.values_list(*(f"has{n}" for n in range(len(theirs))))) <= {(True,) * len(theirs)}
    left = Signature.objects.filter(supporter=None).values_list("comment", "state")
    assert set(left) <= {("", "validated")}  # counted, of nobody
    assert set(Donation.objects.filter(supporter=None).values_list("designation")) <= {("",)}
    erased = ErasureRequest.objects.filter(erased_at__isnull=False)
    assert erased.count() == GOING + STAYING - Supporter.objects.count()
    assert not erased.filter(state=ErasureRequest.State.APPROVED).exists()
    for run in ImportRun.objects.all():
        with runs.stored_file(run) as path:
            layout = readers.Layout.from_json(run.layout)
            rows = list(readers.read_rows(path, layout))
        assert len(rows) == run.rows
        assert {row.cells[0] for row in rows} >= {address(number) for number in range(GOING, GOING + STAYING)}


def test_after_many_deaths_nothing_is_left_and_at_no_time_was_half_of_anybody(
    staff, broker, stripe, hear, start, push, mailchimp
):
    cache.clear()
    live(start, stripe, hear)
    push()
    assert len(mailchimp.members()) == GOING + STAYING
    books = list(Donation.objects.order_by("pk").values_list("pk", "amount", "received_on", "provider_id"))
    for who in Supporter.objects.filter(email__contains=GONE):
        erasing.approve(erasing.ask(who, "letter", identified="known", note=f"{who.email} wrote"), staff)
    keys = {"STRIPE_SECRET_KEY": "sk_test_abc", "STRIPE_WEBHOOK_SECRET": SECRET, "STRIPE_API_URL": stripe.url}
    env = environment(DJANGO_SETTINGS_MODULE="config.settings", **keys)
    mortal = [sys.executable, "-m", "tests.crm.erasing_kills"]
    with subprocess.Popen(
        mortal, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            counts = []
            for _kill in range(KILLS):
                process.stdin.write("live\n")
                process.stdin.flush()
                counts.append(int(process.stdout.readline()))
                check_that_nothing_is_half_done()
        finally:
            process.kill()
    assert counts[KILLS // 3] < GOING, "They were too quick to be killed."
    assert len(set(counts)) > 3, "They were killed before they had done anything."

    while carry_out()["erased"]:
        pass
    check_that_nothing_is_half_done()
    requests = ErasureRequest.objects.all()
    assert set(requests.values_list("state", flat=True)) == {"elsewhere"}
    owed = sorted(key for request in requests for key in request.owed["mailchimp_memberships"])
    assert owed == sorted(AudienceMember.objects.filter(supporter=None).values_list("pk", flat=True))
    assert len(owed) == GOING
    push()
    carry_out()
    assert set(mailchimp.members()) == {address(number) for number in range(GOING, GOING + STAYING)}
    assert set(requests.values_list("state", flat=True)) == {"done"}

    assert in_tables(GONE) == set()
    assert set(Supporter.objects.values_list("email", flat=True)) == set(mailchimp.members())
    assert all(consent.is_erased(address(number)) for number in range(GOING))
    assert list(Donation.objects.order_by("pk").values_list("pk", "amount", "received_on", "provider_id")) == books
    agreements = RecurringDonation.objects.filter(supporter=None, state="ended")
    assert agreements.count() == GIVERS
    assert {stripe.objects[agreement.provider_id]["status"] for agreement in agreements} == {"canceled"}
