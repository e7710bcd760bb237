"""A process of its own whose children carry out erasures as a worker does, and are killed, again and again.

After each death it prints how many are erased by then, and waits for a line before the next one lives.
"""

import os
import random
import signal
import sys
import time


def main() -> None:
    import django

    django.setup()
    from django.db import connection

    from crm import jobs
    from crm.erasure import carrying  # noqa: F401 - loaded once, so that the children die at work
    from supporters.models import ErasureRequest

    longest, before = 0.25, 0
    for _line in sys.stdin:
        child = os.fork()
        if child == 0:
            while True:
                jobs.run("erasures")
        time.sleep(random.uniform(0.01, longest))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        erased = ErasureRequest.objects.filter(erased_at__isnull=False).count()
        if erased == before and longest < 5:
            longest *= 1.15  # on a busy machine a life is too short for anything
        before = erased
        print(erased, flush=True)
        connection.close()  # the next child would share it


if __name__ == "__main__":
    main()
