import json
from datetime import date
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from supporters.models import Receipt, ReceiptDay
from supporters.receipts import checking, reading


class Command(BaseCommand):
    help = (
        "Hold all receipts of consent and the digests of their days against the ledger. Whatever does not agree is listed by"
        " the numbers of receipts and lines, without anything of a person, and the command ends with 1."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--newest", action="store_true", help="only what has come since all was well")
        what.add_argument("--receipt", metavar="FILE", help="check the receipts that somebody was given, not ours")
        parser.add_argument(
            "--against", metavar="FILE", help="digests that were kept elsewhere, as consent_digests prints them"
        )
        parser.add_argument("--json", action="store_true", help="end with one JSON object of counts")

    def handle(self, *args: object, **options: object) -> None:
        if options["receipt"]:
            counts = self._read(str(options["receipt"]))
        else:
            counts = self._check(whole=not options["newest"], against=options["against"])
        if options["json"]:
            self.stdout.write(json.dumps(counts))
        if counts["findings"]:
            raise CommandError("It does not hold.")
        if not options["json"]:
            self.stdout.write("All holds.")

    def _check(self, *, whole: bool, against: object) -> dict[str, int]:
        kept = checking.against(_kept(str(against))) if against else []
        found = checking.check(whole=whole)
        for each in (*kept, *found.findings):
            self.stdout.write(str(each))
        self.stdout.write(f"{found.receipts} receipts and {found.days} digests looked at.")
        return {
            "receipts": found.receipts,
            "digests": found.days,
            "findings": len(found.findings) + len(kept),
        }

    def _read(self, path: str) -> dict[str, int]:
        try:
            given = reading.receipts_in(_text(path))
            troubles = [(each, reading.troubles(each)) for each in given]
        except reading.Unreadable as trouble:
            raise CommandError(str(trouble)) from None
        number = 0
        for each, wrong in troubles:
            wrong = wrong or _unlike_ours(each)
            number += len(wrong)
            for trouble in wrong:
                self.stdout.write(f"receipt {each.get('position')}: {trouble}")
        self.stdout.write(f"{len(given)} receipts looked at.")
        return {"receipts": len(given), "findings": number}


def _unlike_ours(given: dict) -> list[str]:
    """Whether the book has this receipt at its place, and this digest of its day."""
    ours = Receipt.objects.filter(pk=given["position"]).values_list("hash", flat=True).first()
    if ours is None or bytes(ours).hex() != given["hash"].lower():
        return ["The book has another receipt at this place, or none."]
    if day := given["day"]:
        digest = ReceiptDay.objects.filter(day=day["day"]).values_list("digest", flat=True).first()
        if digest is None or bytes(digest).hex() != day["digest"].lower():
            return ["The book has another digest of this day, or none."]
    return []


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"The file can't be read: {type(error).__name__}.") from None


def _kept(path: str) -> dict[date, str]:
    found = {}
    for number, line in enumerate(_text(path).splitlines(), start=1):
        words = line.split()
        if not words or line.startswith("#"):
            continue
        try:
            found[date.fromisoformat(words[0])] = bytes.fromhex(words[-1]).hex()
        except ValueError:
            raise CommandError(f"Line {number} is not a day and its digest.") from None
    return found
