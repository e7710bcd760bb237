import json

from django.core.management.base import BaseCommand, CommandError, CommandParser

from supporters import tidying
from supporters.models import Tidying


class Command(BaseCommand):
    help = (
        "Go over all supporters: say what would be written another way, or with --apply write it. Nobody is merged."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--apply", action="store_true", help="write values in their one form, and marks")
        parser.add_argument("--queue", action="store_true", help="hand it to a worker instead")
        parser.add_argument("--json", action="store_true", help="end with one JSON object of counts")

    def handle(self, *args: object, **options: object) -> None:
        run = tidying.ask(Tidying.Kind.WRITE if options["apply"] else Tidying.Kind.LOOK)
        if not options["queue"]:
            while tidying.work(run.pk):
                pass
        run.refresh_from_db()
        if not (options["queue"] or run.finished_at):
            raise CommandError(
                "A worker is going over the records at this moment. Call again: it goes on from there."
            )
        for one, other in run.conflicts:
            self.stderr.write(f"Supporter {one} would get the address of supporter {other}.")
        told = {"people": run.people, **run.counts}
        if options["json"]:
            self.stdout.write(json.dumps({"dry_run": not options["apply"], **told}))
        else:
            begin = "Written" if options["apply"] else "Nothing is written. It would be"
            self.stdout.write(f"{begin}: " + ", ".join(f"{count} {name}" for name, count in told.items()))
