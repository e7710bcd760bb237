from datetime import date

from django.core.management.base import BaseCommand, CommandError, CommandParser

from supporters.models import ReceiptDay


class Command(BaseCommand):
    help = (
        "Print the digests over all receipts of consent, a day in UTC a line: day, receipts, how many lost their contents, digest."
        " Keep them where nobody can change them who can change the database; verify_consents --against holds them against it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since", metavar="YYYY-MM-DD", help="the first day; the very first unless you say otherwise"
        )

    def handle(self, *args: object, **options: object) -> None:
        try:
            since = date.fromisoformat(str(options["since"] or "0001-01-01"))
        except ValueError:
            raise CommandError("A day is written as 2026-11-26.") from None
        days = ReceiptDay.objects.filter(day__gte=since).order_by("day")
        for day in days.values_list("day", "receipts", "taken", "digest").iterator(1000):
            self.stdout.write(f"{day[0]} {day[1]} {day[2]} {bytes(day[3]).hex()}")
