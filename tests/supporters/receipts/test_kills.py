import subprocess
import sys
import threading

import pytest
from django.db import connections, transaction

from supporters.models import Consent, Receipt, ReceiptBook
from supporters.receipts import checking, sealing
from tests.factories import make_consent, make_supporter
from tests.processes import ROOT, environment, wait_for

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]
KILLS, SLICE = 25, 15


def test_whoever_is_killed_has_sealed_nothing_twice_and_left_nothing_out():
    for _each in range(12):
        make_supporter()
    told = subprocess.run(
        [sys.executable, "-m", "tests.supporters.receipts.killing", str(KILLS), str(SLICE)],
        cwd=ROOT,
        env=environment(DJANGO_SETTINGS_MODULE="config.settings"),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert told.returncode == 0, told.stderr
    before = Receipt.objects.count()
    assert before > 100
    # The lock of whoever was killed last is free once PostgreSQL has noticed its death.
    wait_for(lambda: sealing.seal() is not None, "the lock to be free")
    lines = set(Consent.objects.exclude(state="requested").values_list("pk", flat=True))
    assert set(Receipt.objects.filter(taken_at=None).values_list("line", flat=True)) == lines
    assert list(Receipt.objects.order_by("pk").values_list("pk", flat=True)) == list(
        range(1, Receipt.objects.count() + 1)
    )
    assert Receipt.objects.filter(taken_for="erase").exists()
    assert checking.check(whole=True).findings == []


def test_a_line_that_is_written_long_before_it_is_seen_is_not_missed(monkeypatch):
    monkeypatch.setattr(sealing, "WAIT", 0.2)
    ann = make_supporter()
    written, go_on = threading.Event(), threading.Event()

    def slowly():
        with transaction.atomic():
            make_consent(ann)
            written.set()
            go_on.wait(20)
        connections.close_all()

    writer = threading.Thread(target=slowly)
    writer.start()
    written.wait(20)
    later = make_consent(ann, "withdrawn")
    assert sealing.seal() == 1
    assert ReceiptBook.objects.get().sealed_through < later.pk
    assert sealing.seal() == 0
    go_on.set()
    writer.join(20)
    assert sealing.seal() == 1
    assert ReceiptBook.objects.get().sealed_through == later.pk
    assert Receipt.objects.count() == Consent.objects.count() == 2
    assert checking.check(whole=True).findings == []
