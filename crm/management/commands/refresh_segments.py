import json

from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns.models import Segment
from campaigns.segments.refresh import refresh, request


class Command(BaseCommand):
    help = "Bring the members of every segment up to date."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--queue", action="store_true", help="hand it to a worker instead")
        parser.add_argument("--json", action="store_true", help="end with one JSON object of counts")

    def handle(self, *args: object, **options: object) -> None:
        counts = {"segments": 0, "added": 0, "removed": 0, "failed": 0}
        if options["queue"]:
            counts["segments"] = request(Segment.objects.all())
        else:
            for segment in Segment.objects.order_by("pk"):
                done = refresh(segment) or {}
                counts["segments"] += 1
                counts["added"] += done.get("added", 0)
                counts["removed"] += done.get("removed", 0)
                if segment.error:
                    counts["failed"] += 1
                    self.stderr.write(f"{segment.name}: {segment.error}")
        self.stdout.write(
            json.dumps(counts) if options["json"] else ", ".join(f"{n} {name}" for name, n in counts.items())
        )
        if counts["failed"]:
            raise CommandError("Some segments have rules that can't be used.")
