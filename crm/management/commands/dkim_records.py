from email.utils import parseaddr

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = "Print the DNS records that let receivers check our DKIM signatures, one a line, as a zone file has them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("domain", nargs="?", help="the domain that signs; DKIM_DOMAIN unless you say otherwise")

    def handle(self, *args: object, **options: object) -> None:
        if not settings.DKIM_KEYS:
            raise CommandError("DKIM_KEY is not set. A key: openssl genrsa -out dkim.pem 2048")
        usual = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
        domain = str(options["domain"] or settings.DKIM_DOMAIN or usual)
        for key in settings.DKIM_KEYS:
            # A string of a TXT record has 255 octets at most (RFC 1035, 3.3); receivers join them.
            strings = [key.record[start : start + 255] for start in range(0, len(key.record), 255)]
            self.stdout.write(f"{key.name(domain)}. IN TXT " + " ".join(f'"{each}"' for each in strings))
