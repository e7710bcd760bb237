"""A worker process that sends one whole appeal and says how long that took and what memory it had at most."""

import json
import resource
import sys
import time
from collections import Counter

import config.celery  # as a Celery worker begins


def main(appeal_pk: int) -> None:
    import django

    django.setup()
    config.celery.app.loader.import_default_modules()
    from campaigns import appeals

    counts: Counter[str] = Counter()
    start = time.perf_counter()
    while done := appeals.work(appeal_pk):
        counts.update(done)
    taken = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": taken, "memory": memory, "counts": counts}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
