"""Undoing, with real workers and real sessions side by side."""

import signal
import threading

import pytest
from django.db import connection, transaction

from supporters.importing import run as runs
from supporters.importing import undoing
from supporters.importing.undoing import slices
from supporters.models import Consent, ImportRun, ImportTrace, Reference, Supporter
from supporters.tasks import work_on_undo
from tests.factories import make_supporter
from tests.processes import Worker, wait_for
from tests.supporters.importing.undoing.test_undoing import STATEMENT, load, look

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.workers
def test_an_undo_whose_worker_is_killed_ends_as_if_nothing_had_happened(broker, monkeypatch):
    monkeypatch.setattr(runs, "SLICE", 250)
    make_supporter(email="p5@mail.se", city="Lund")
    rows = "".join(f"{n},p{n}@mail.se,Malmö,vip\n" for n in range(10_000))
    run = load("id,email,city,tags\n" + rows, **STATEMENT)
    look(run)
    assert undoing.start(run)
    undone = ImportTrace.objects.filter(undone_at__isnull=False)
    work_on_undo.delay(run.pk)
    for kill in range(3):
        with Worker("default", concurrency=1) as worker:
            before = undone.count()
            if kill:
                runs.hand_out()
            wait_for(lambda before=before: undone.count() > before, worker.output())
            worker.process.send_signal(signal.SIGSTOP)
    assert 0 < undone.count() < 40

    def done() -> bool:
        # The lock of the killed worker is free once PostgreSQL has noticed its death.
        undoing.work(run.pk)
        return ImportRun.objects.get(pk=run.pk).state == ImportRun.State.UNDONE

    wait_for(done, "the undo to end")
    assert Supporter.objects.values_list("email", "city").get() == ("p5@mail.se", "Lund")
    assert not Consent.objects.exists()
    assert not Reference.objects.exists()


def test_an_edit_at_the_same_moment_is_seen_or_told_that_it_comes_too_late(monkeypatch):
    make_supporter(email="asa@mail.se", city="Lund")
    run = load("email,city\nasa@mail.se,Malmö\nnew@mail.se,Malmö\n")
    look(run)
    assert undoing.start(run)
    begun, outcome = threading.Event(), []
    trace = ImportTrace.objects.get()

    def undo() -> None:
        begun.wait(10)
        try:
            with transaction.atomic():
                outcome.append(slices.undo(trace, run, None))
        finally:
            connection.close()

    thread = threading.Thread(target=undo)
    thread.start()
    with transaction.atomic():
        Supporter.objects.update(city="Ystad")
        begun.set()
        # It waits for this edit, of which it knows nothing yet.
        thread.join(0.5)
        assert thread.is_alive()
    thread.join(10)
    assert {row for row, _kind, _key, _why in outcome[0].kept} == {2, 3}
    assert set(Supporter.objects.values_list("city", flat=True)) == {"Ystad"}
