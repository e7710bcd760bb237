import subprocess
import sys
from datetime import date

import pytest

from supporters.importing import run as runs
from supporters.models import Consent, Donation, ImportKey, ImportRun, Reference, Supporter
from tests.processes import ROOT, environment

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]
ROWS, SLICE, KILLS = 12_000, 100, 20


def people(mark: str) -> str:
    """People with references, some of them twice or unreadable, and some without anything that tells them apart."""
    lines = ["id,email,first name,last name,city,tags"]
    for n in range(ROWS):
        if n % 50 == 0:
            lines.append(f",no address {n},Åsa,Ek,Lund,{mark}")
        elif n % 40 == 0:
            lines.append(f",,{mark}ona,Ek{mark},Lund,")
        else:
            who = n if n % 30 else n // 2 + 1
            lines.append(f"{mark}{who},{mark}{who}@mail.se,First{who},Last{who},Town {n % 7},{mark}")
    return "\n".join(lines)


def gifts(mark: str) -> str:
    lines = ["donor reference,date,amount,currency"]
    lines += [f"{mark}{n % 700},2026-01-{n % 28 + 1:02},{n % 3 if n % 50 else 0},SEK" for n in range(ROWS)]
    return "\n".join(lines)


def started(kind: str, text: str) -> ImportRun:
    run = runs.upload(kind, "list.csv", [text.encode()])
    if kind == "supporters":
        run.consent_purpose, run.consent_wording, run.consent_how = "email", "Yes, write to me.", "on paper"
        run.consent_on = date(2025, 1, 1)
        run.save()
    assert runs.start(run)
    return run


def state_after(run: ImportRun, mark: str) -> dict:
    """All that came of a run, without what two runs of the same rows differ in."""
    run.refresh_from_db()
    assert run.state == ImportRun.State.DONE, run.error
    people = Supporter.objects.filter(references__identifier__startswith=mark) | Supporter.objects.filter(
        first_name=f"{mark}ona"
    )
    people = people.distinct()
    counts = ("rows", "checkpoint", "created", "updated", "unchanged", "failed", "noted", "doubtful", "held_back")
    told = {
        "counts": [getattr(run, name) for name in counts],
        "listed": list(run.failures.order_by("number").values_list("number", "reason", "verdict")),
        "people": sorted(people.values_list("email", "first_name", "last_name", "city", "tags__name"), key=str),
        "references": sorted(Reference.objects.filter(identifier__startswith=mark).values_list("identifier")),
        "consents": sorted(Consent.objects.filter(import_run=run).values_list("supporter__email", "state"), key=str),
        "gifts": sorted(
            Donation.objects.filter(import_run=run).values_list(
                "supporter__references__identifier", "received_on", "amount"
            )
        ),
    }
    return {name: str(value).replace(mark, "") for name, value in told.items()}


@pytest.mark.parametrize(("kind", "text"), [("supporters", people), ("donations", gifts)])
def test_a_run_killed_twenty_times_ends_as_one_that_was_not(kind, text):
    killed = started(kind, text("kk"))
    told = subprocess.run(
        [sys.executable, "-m", "tests.supporters.importing.killing", str(killed.pk), str(KILLS), str(SLICE)],
        cwd=ROOT,
        env=environment(DJANGO_SETTINGS_MODULE="config.settings"),
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert told.returncode == 0, told.stderr
    assert int(told.stdout) < ROWS
    after = state_after(killed, "kk")
    assert ImportKey.objects.count() == 0
    undisturbed = started(kind, text("uu"))
    runs.SLICE, usual = SLICE, runs.SLICE
    try:
        while runs.work(undisturbed.pk):
            pass
    finally:
        runs.SLICE = usual
    assert after == state_after(undisturbed, "uu")
