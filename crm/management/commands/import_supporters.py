from argparse import ArgumentTypeError
from functools import partial

from django.core.management.base import CommandParser

from crm.management import loading
from supporters.importing.policy import COLUMNS, Winner
from supporters.models import ImportRun

_WINNERS = (
    ("record-wins", Winner.RECORD, "leave this field of people on file as it is"),
    ("fill-only", Winner.FILL, "fill this field where it is empty, and leave it otherwise"),
    ("file-wins", Winner.FILE, "replace this field, as is usual for all but the source code"),
)


def _policy(winner: str, field: str) -> tuple[str, str]:
    if field not in COLUMNS:
        raise ArgumentTypeError(f"There is no field {field}; there are {', '.join(COLUMNS)}.")
    return field, str(winner)


class Command(loading.LoadingCommand):
    help = "Import supporters from a csv, xlsx, xls or ods file."
    kind = ImportRun.Kind.SUPPORTERS

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--country", default="", help="for rows that have none")
        parser.add_argument("--language", default="", help="for rows that have none")
        parser.add_argument("--tags", default="", help="for every row, separated by commas")
        parser.add_argument("--create-organisations", action="store_true", help="make those that are not on file")
        for name, winner, meaning in _WINNERS:
            parser.add_argument(
                f"--{name}",
                dest="policy",
                action="append",
                default=[],
                metavar="FIELD",
                type=partial(_policy, winner),
                help=meaning,
            )
        loading.add_consent_arguments(parser)

    def run_options(self, options: dict) -> dict:
        own = {
            name: options[name] for name in ("country", "language", "tags", "create_organisations") if options[name]
        }
        if options["policy"]:
            own["policy"] = dict(options["policy"])
        return {**super().run_options(options), **own}

    def state_consent(self, run: ImportRun, options: dict) -> None:
        loading.state_consent(run, options)
