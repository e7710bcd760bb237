from django.core.management.base import CommandParser

from crm.management import loading
from supporters.models import ImportRun


class Command(loading.LoadingCommand):
    help = "Import donations from a csv, xlsx, xls or ods file."
    kind = ImportRun.Kind.DONATIONS

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--currency", default="", help="for rows that have none")
        parser.add_argument("--designation", default="", help="for rows that have none")
        parser.add_argument("--provider", default="", help="whose transaction ids these are, such as stripe")

    def run_options(self, options: dict) -> dict:
        own = {name: options[name] for name in ("currency", "designation", "provider") if options[name]}
        return {**super().run_options(options), **own}
