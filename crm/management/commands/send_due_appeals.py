import json
from collections import Counter

from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns import appeals
from campaigns.appeals import ledger
from campaigns.models import Appeal


class Command(BaseCommand):
    help = "Launch the appeals whose hour has come, and send what is owed of every appeal on its way."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--queue", action="store_true", help="hand the sending to workers instead")
        parser.add_argument("--json", action="store_true", help="end with one JSON object of counts")

    def handle(self, *args: object, **options: object) -> None:
        counts = Counter(appeals.tick(hand_out=bool(options["queue"])))
        if not options["queue"]:
            for pk in self._on_their_way():
                while ledger.owed(pk) and (done := appeals.work(pk)):
                    counts.update(done)
        counts["finished"] += 0
        self._report(dict(counts), bool(options["json"]))
        troubled = Appeal.objects.exclude(trouble="").filter(state__in=["scheduled", "sending"])
        if troubles := list(troubled.values_list("name", "trouble")):
            raise CommandError("; ".join(f"{name}: {trouble}" for name, trouble in troubles))

    def _on_their_way(self) -> list[int]:
        return list(Appeal.objects.filter(state=Appeal.State.SENDING).values_list("pk", flat=True))

    def _report(self, counts: dict[str, int], as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(counts))
        else:
            self.stdout.write(", ".join(f"{name} {count}" for name, count in counts.items()))
