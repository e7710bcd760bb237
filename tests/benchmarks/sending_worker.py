"""A worker process that sends what it can get of an appeal once it is told to, and says what memory it had at most."""

import json
import sys
from collections import Counter
from pathlib import Path

import config.celery  # as a Celery worker begins


def main(appeal_pk: int) -> None:
    import django

    django.setup()
    config.celery.app.loader.import_default_modules()
    config.celery.settle()
    from campaigns import appeals
    from campaigns.appeals import sending  # noqa: F401 - as a worker has that isn't at its first appeal

    counts: Counter[str] = Counter()
    print("ready", flush=True)
    sys.stdin.readline()
    while done := appeals.work(appeal_pk):
        counts.update(done)
    # Not getrusage: what it tells includes the process that started this one.
    (peak,) = (row for row in Path("/proc/self/status").read_text().splitlines() if row.startswith("VmHWM"))
    memory = int(peak.split()[1]) * 1024
    print(json.dumps({"memory": memory, "counts": counts}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
