import json

from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns.mailchimp import webhooks
from campaigns.mailchimp.pull import pull
from campaigns.mailchimp.push import push
from campaigns.models import Audience, SyncRun
from campaigns.tasks import pull_audience, push_audience


class Command(BaseCommand):
    help = "Read what changed in Mailchimp, then bring every audience there to what its segments say."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--queue", action="store_true", help="hand it to a worker instead")
        parser.add_argument("--json", action="store_true", help="end with one JSON object of counts")

    def handle(self, *args: object, **options: object) -> None:
        counts: dict[str, int] = {"audiences": 0}
        failures = []
        for audience in Audience.objects.filter(paused=False):
            counts["audiences"] += 1
            if options["queue"]:
                pull_audience.delay(audience.pk)
                push_audience.delay(audience.pk)
                continue
            webhooks.apply_owed()
            for work, kind in ((pull, SyncRun.Kind.PULL), (push, SyncRun.Kind.PUSH)):
                while work(audience.pk):
                    pass
                run = audience.runs.filter(kind=kind).order_by("-pk").first()
                if run and run.state == SyncRun.State.FAILED:
                    failures.append(f"{audience.name}: {run.error}")
                for name, number in (run.counts if run else {}).items():
                    counts[name] = counts.get(name, 0) + number
            if under_way := audience.under_way:
                counts["under_way"] = counts.get("under_way", 0) + under_way
        self.stdout.write(
            json.dumps(counts) if options["json"] else ", ".join(f"{n} {name}" for name, n in counts.items())
        )
        if failures:
            raise CommandError("\n".join(failures))
