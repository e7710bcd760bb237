import json
import os
import tempfile
from pathlib import Path

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.http import QueryDict

from supporters.exporting import listings, making
from supporters.exporting.formats import FORMATS
from supporters.exporting.listings import Asked, Listing, NothingThere
from supporters.models import Export


class Command(BaseCommand):
    help = "Export a list, a segment or a report to a file."

    def add_arguments(self, parser: CommandParser) -> None:
        names = ", ".join(sorted(listing.name for listing in listings.every()))
        parser.add_argument("list", help=f"one of {names}")
        parser.add_argument("--format", choices=sorted(FORMATS), default="csv")
        parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="where it goes")
        parser.add_argument(
            "--filter",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="as in the address of the list on the staff site: country=SE, q=lund, segment=3",
        )
        parser.add_argument("--columns", default="", help="names, by comma; all of them unless said")
        parser.add_argument("--why", default="", help="kept in the log; needed where people are in it")
        parser.add_argument("--by", default="", metavar="USER", help="with that user's rights, and in their name")
        parser.add_argument("--json", action="store_true", help="end with one JSON object of counts")

    def handle(self, *args: object, **options: object) -> None:
        try:
            listing = listings.get(options["list"])
        except NothingThere:
            raise CommandError(f"There is no list “{options['list']}”.") from None
        asked = Asked(_query(options["filter"]), _user(options["by"]))
        try:
            if not listing.may(asked):
                raise CommandError("This user may not export this list.")
            export = self._export(listing, asked, options)
        except NothingThere:
            raise CommandError("There is no such thing, or the list has no such filter.") from None
        counts = {"rows": export.rows, "bytes": export.file_size}
        self.stdout.write(
            json.dumps(counts)
            if options["json"]
            else ", ".join(f"{number} {name}" for name, number in counts.items())
        )

    def _export(self, listing: Listing, asked: Asked, options: dict) -> Export:
        columns = _columns(listing, asked, options["columns"])
        if making.names_people(listing, asked, columns) and not options["why"].strip():
            raise CommandError("There are people in it: say --why it leaves the house.")
        extent = listing.extent(asked)
        export = making.ask(
            listing,
            asked,
            extent,
            columns=columns,
            format=options["format"],
            reason=options["why"],
            state=Export.State.STREAMED,
        )
        _write(making.at_once(listing, asked, extent, export), options["output"])
        export.refresh_from_db()
        return export


def _query(filters: list[str]) -> str:
    query = QueryDict(mutable=True)
    for each in filters:
        name, equals, value = each.partition("=")
        if not equals:
            raise CommandError(f"--filter {each}: write NAME=VALUE.")
        query[name] = value
    return query.urlencode()


def _user(name: str):  # noqa: ANN202
    if not name:
        return None
    user = get_user_model().objects.filter(username=name, is_active=True).first()
    if user is None:
        raise CommandError(f"There is no user “{name}”.")
    return user


def _columns(listing: Listing, asked: Asked, given: str) -> list[str]:
    offered = [column.name for column in listing.offered(asked)]
    wanted = [name.strip() for name in given.split(",") if name.strip()] or offered
    for name in wanted:
        if name not in offered:
            raise CommandError(f"There is no column “{name}” in this list, but {', '.join(offered)}.")
    return wanted


def _write(pieces, path: Path) -> None:  # noqa: ANN001
    """Whole or not at all, and for nobody else to read."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".export-", delete=False) as file:
            try:
                for piece in pieces:
                    file.write(piece)
                file.close()
                os.replace(file.name, path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise CommandError(f"{path} can't be written: {error.strerror}.") from None
