"""A worker process that sends one whole appeal and says how long that took and what memory it had at most."""

import json
import sys
import time
from collections import Counter
from pathlib import Path

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
    # Not getrusage: what it tells includes the process that started this one.
    (peak,) = (row for row in Path("/proc/self/status").read_text().splitlines() if row.startswith("VmHWM"))
    memory = int(peak.split()[1]) * 1024
    print(json.dumps({"seconds": taken, "memory": memory, "counts": counts}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
