"""A process of its own whose children work on an import and are killed, again and again: `killing.py RUN KILLS SLICE`.

Prints how much of it was done when the last one had been killed, then finishes it.
"""

import os
import random
import signal
import sys
import time


def main(run: int, kills: int, slice_rows: int) -> None:
    import django

    django.setup()
    from supporters.importing import run as runs
    from supporters.models import ImportRun

    runs.SLICE = slice_rows
    killed = 0
    while killed < kills:
        child = os.fork()
        if child == 0:
            _work(run)
        time.sleep(random.uniform(0.02, 0.15))
        os.kill(child, signal.SIGKILL)
        _pid, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status)
    print(ImportRun.objects.get(pk=run).checkpoint, flush=True)
    _work(run)


def _work(run: int) -> None:
    from supporters.importing import run as runs
    from supporters.models import ImportRun

    # The lock of who was killed is free once PostgreSQL has noticed its death.
    while ImportRun.objects.filter(pk=run, state__in=[ImportRun.State.QUEUED, ImportRun.State.RUNNING]).exists():
        runs.work(run)
    os._exit(0)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
