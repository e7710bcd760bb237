"""What import_supporters and import_donations have in common."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from supporters.importing import preview, values
from supporters.importing import run as runs
from supporters.importing.problems import FileProblem
from supporters.models import ImportPreview, ImportRun, Purpose
from supporters.tasks import work_on_import


class LoadingCommand(BaseCommand):
    kind: str

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a csv, xlsx, xls or ods file")
        parser.add_argument("--reference-system", default="", help="the system that the file's references belong to")
        parser.add_argument("--source-code", default="", help="for rows that have none")
        parser.add_argument(
            "--map", action="append", default=[], metavar="COLUMN=FIELD", help="correct the guessed mapping"
        )
        parser.add_argument(
            "--dates", choices=list(values.DATE_FORMATS), help="the order of dates that can be read in two ways"
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="say what would become of the rows; nothing goes in, nothing is kept",
        )
        parser.add_argument("--queue", action="store_true", help="hand it to a worker instead")
        parser.add_argument("--json", action="store_true", help="end with one JSON object of counts")

    def handle(self, *args: object, **options: object) -> None:
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        if options["dry_run"] and options["queue"]:
            raise CommandError("--dry-run is worked out here and now: leave out --queue.")
        try:
            run = runs.upload(self.kind, path.name, _pieces(path), options=self.run_options(options))
            self.state_consent(run, options)
            self._correct_mapping(run, options["map"], options["dates"])
            if options["dry_run"]:
                self._try_out(run, bool(options["json"]))
                return
            runs.start(run)
            if options["queue"]:
                work_on_import.delay(run.pk)
            else:
                while runs.work(run.pk):
                    pass
        except FileProblem as problem:
            raise CommandError(str(problem.for_staff)) from None
        run.refresh_from_db()
        self._report(run, bool(options["json"]))
        if run.state == ImportRun.State.FAILED:
            raise CommandError(run.error)

    def _try_out(self, run: ImportRun, as_json: bool) -> None:
        try:
            preview.ask(run)
            preview.work(run.pk)
            found = preview.of(run)
            if found.state == ImportPreview.State.FAILED:
                raise CommandError(found.error)
            counts = {name: found.counts[name] for name in ("created", "updated", "unchanged", "failed", "doubtful")}
            fields = {
                name: {"filled": filled, "replaced": replaced} for name, (filled, replaced) in found.fields.items()
            }
            for number, row in preview.examples(found, "failed"):
                self.stderr.write(f"Row {number}: {row['why']}")
        finally:
            run.delete()
        told = {"rows": run.rows, **counts, "held_back": found.counts["held_back"]}
        if as_json:
            self.stdout.write(json.dumps({"dry_run": True, **told, "fields": fields}))
            return
        self.stdout.write(
            "Nothing went in. It would be: " + ", ".join(f"{count} {name}" for name, count in told.items())
        )
        for name, counted in sorted(fields.items()):
            self.stdout.write(f"{name}: filled in {counted['filled']}, replaced {counted['replaced']}")

    def run_options(self, options: dict) -> dict:
        return {name: options[name] for name in ("reference_system", "source_code") if options[name]}

    def state_consent(self, run: ImportRun, options: dict) -> None:
        """Nothing is consented to by default."""

    def _correct_mapping(self, run: ImportRun, corrections: list[str], dates: str | None) -> None:
        columns = {column["name"]: column for column in run.mapping["columns"]}
        for correction in corrections:
            name, equals, field = correction.rpartition("=")
            if not equals or name not in columns:
                raise CommandError(f"--map {correction}: the file has no column “{name}”.")
            columns[name]["field"] = field
        for column in columns.values():
            if dates and column.pop("ambiguous", False):
                column["order"] = dates
        run.save(update_fields=["mapping"])

    def _report(self, run: ImportRun, as_json: bool) -> None:
        counts = {name: getattr(run, name) for name in ("rows", "created", "updated", "unchanged", "failed")}
        if run.held_back:
            self.stderr.write(f"{run.held_back} people had left before: their consent was not renewed.")
        for row in run.failures.all()[:10]:
            self.stderr.write(f"Row {row.number}: {row.reason}")
        if (listed := run.failed + run.noted) > 10:
            self.stderr.write(f"… and {listed - 10} more; the staff site lists them all.")
        if as_json:
            self.stdout.write(json.dumps(counts))
        else:
            self.stdout.write(", ".join(f"{count} {name}" for name, count in counts.items()))


def add_consent_arguments(parser: CommandParser) -> None:
    group = parser.add_argument_group("consent", "without these, a file grants no consent")
    group.add_argument("--consent", choices=Purpose.values, default="", help="what was consented to")
    group.add_argument("--consent-wording", default="", help="in which words")
    group.add_argument("--consent-language", default="", help="the language of the words")
    group.add_argument("--consent-on", type=date.fromisoformat, help="when, as 2026-03-01")
    group.add_argument("--consent-how", default="", help="how it was given")


def state_consent(run: ImportRun, options: dict) -> None:
    """Take the statement over into the run; it is whole or refused."""
    if not options["consent"]:
        return
    if not (options["consent_wording"] and options["consent_on"] and options["consent_how"]):
        raise CommandError("--consent needs --consent-wording, --consent-on and --consent-how: they are the proof.")
    run.consent_purpose = options["consent"]
    for name in ("consent_wording", "consent_language", "consent_on", "consent_how"):
        setattr(run, name, options[name])
    run.save(update_fields=[f"consent_{name}" for name in ("purpose", "wording", "language", "on", "how")])


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(lambda: file.read(1 << 20), b"")
