from django.core.management.base import CommandParser

from crm.management import loading
from supporters.models import ImportRun


class Command(loading.LoadingCommand):
    help = "Import supporters from a csv, xlsx or ods file."
    kind = ImportRun.Kind.SUPPORTERS

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--country", default="", help="for rows that have none")
        parser.add_argument("--language", default="", help="for rows that have none")
        parser.add_argument("--tags", default="", help="for every row, separated by commas")
        parser.add_argument("--create-organisations", action="store_true", help="make those that are not on file")
        loading.add_consent_arguments(parser)

    def run_options(self, options: dict) -> dict:
        own = {
            name: options[name] for name in ("country", "language", "tags", "create_organisations") if options[name]
        }
        return {**super().run_options(options), **own}

    def state_consent(self, run: ImportRun, options: dict) -> None:
        loading.state_consent(run, options)
