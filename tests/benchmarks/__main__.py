"""`make bench`: ours against others, in the same run on the same machine; one JSON object a line.

`ratio` above 1 means that ours is better. Lines that end in .growth or .memory set a large run against a small one: their
ratio is the small run's cost per row over the large one's, and 1 is a straight line.
"""

import os
from pathlib import Path


def main() -> None:
    from tests.benchmarks import (
        doubles,
        exporting,
        importing,
        mailchimp,
        receipts,
        rendering,
        returns,
        segments,
        sending,
        signing,
    )

    returns.run()
    rendering.run()
    importing.run()
    exporting.run()
    doubles.run()
    segments.run()
    receipts.run()
    sending.run()
    signing.run()
    mailchimp.run()


if __name__ == "__main__":
    from config import engines

    root = Path(__file__).resolve().parent.parent.parent / "var" / "bench"
    root.mkdir(parents=True, exist_ok=True)
    for variable in ("DATABASE_URL", "REDIS_URL", "SITE_URL"):
        os.environ.pop(variable, None)
    engines.start_missing(root)
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "DROP SCHEMA public CASCADE; CREATE SCHEMA public"
        )  # an earlier run's, with earlier migrations
    call_command("migrate", verbosity=0)
    main()
