import json

from django.core.management.base import BaseCommand, CommandParser

from crm import retention


class Command(BaseCommand):
    help = "Forget what was kept for long enough, by the rules of retention, as the job of each night does."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would go; nothing does")
        parser.add_argument("--json", action="store_true", help="end with one JSON object of counts")

    def handle(self, *args: object, **options: object) -> None:
        if options["dry_run"]:
            counts = {}
            for due in retention.due():
                counts[due.rule.name] = due.number
                state = f"{due.number}{' and more' if due.more else ''}" if due.rule.is_on else "off"
                self.stdout.write(f"{state:>16}  {due.rule.title} ({due.rule.setting or 'always'})")
        else:
            counts = retention.apply()
            for name, number in counts.items():
                self.stdout.write(f"{number:>16}  {name}")
        if options["json"]:
            self.stdout.write(json.dumps(counts))
