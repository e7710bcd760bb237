"""A process of its own whose children seal and close days, and are killed: `killing.py KILLS SLICE`. Others write meanwhile.

Prints how many lines the writers wrote.
"""

import os
import random
import signal
import sys
import time


def main(kills: int, slice_rows: int) -> None:
    import django

    django.setup()
    from supporters.receipts import keeping, sealing  # noqa: F401 - loaded once, for all children

    sealing.SLICE, sealing.WAIT = slice_rows, 0.02
    writers = [_forked(_write) for _each in range(3)]
    killed = 0
    while killed < kills:
        child = _forked(_seal)
        time.sleep(random.uniform(0.05, 0.6))
        os.kill(child, signal.SIGKILL)
        _pid, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status)
    for writer in writers:
        os.kill(writer, signal.SIGTERM)
        os.waitpid(writer, 0)
    sealing.WAIT = 10.0


def _forked(work) -> int:
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(1)
    return child


def _seal() -> None:
    from supporters.receipts import keeping

    while True:
        keeping.keep()


def _write() -> None:
    """Lines that become visible late, out of order, or not at all."""
    from django.db import transaction

    from supporters.models import Consent, Supporter
    from supporters.privacy import ledger_open_for

    people = list(Supporter.objects.values_list("pk", flat=True))
    random.seed(os.getpid())
    while True:
        with transaction.atomic():
            for _each in range(random.randint(1, 40)):
                state = random.choice(["granted", "withdrawn", "requested"])
                Consent.objects.create(
                    supporter_id=random.choice(people), purpose="email", state=state, wording="Yes", method="form"
                )
            if random.random() < 0.1:
                with ledger_open_for("erase"):
                    Consent.objects.filter(supporter=random.choice(people)).delete()
            time.sleep(random.uniform(0, 0.05))
            if random.random() < 0.2:
                transaction.set_rollback(True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
