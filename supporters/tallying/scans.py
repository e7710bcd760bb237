"""What may be uploaded as the scan of a batch: known by what is in it, not by what it is called."""

from dataclasses import dataclass
from hashlib import sha256

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from supporters.models import Tally

Type = Tally.ScanType
_LAST = 4096
"""Octets in which a file of each kind says that it is at its end; scanners add some after it."""
_MARKS = {
    Type.PDF: (b"%PDF-", b"%%EOF"),
    Type.JPEG: (b"\xff\xd8\xff", b"\xff\xd9"),
    Type.PNG: (b"\x89PNG\r\n\x1a\n", b"IEND"),
}
ENDINGS = {Type.PDF: "pdf", Type.JPEG: "jpg", Type.PNG: "png"}


class BadScan(ValueError):
    """The message says what is wrong with it."""


@dataclass(frozen=True)
class Scan:
    content: bytes
    type: str

    @property
    def hash(self) -> bytes:
        return sha256(self.content).digest()


def read(file: UploadedFile) -> Scan:
    """Raises BadScan."""
    if file.size > settings.SCAN_LIMIT:
        limit = settings.SCAN_LIMIT // 1024 // 1024
        raise BadScan(_("The scan is larger than %(limit)d MB. Scan it in grey, or in parts.") % {"limit": limit})
    content = file.read()
    for kind, (first, last) in _MARKS.items():
        if content.startswith(first):
            if last not in content[-_LAST:]:
                raise BadScan(_("The scan is cut short. Save it once more and upload it again."))
            return Scan(content, kind)
    raise BadScan(_("A scan is a PDF, a JPEG or a PNG."))
