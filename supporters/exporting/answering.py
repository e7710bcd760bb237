"""An export as what somebody gets who asked for it."""

from collections.abc import Iterable

from django.http import StreamingHttpResponse
from kombu.exceptions import OperationalError

from supporters.exporting import making
from supporters.exporting.formats import FORMATS
from supporters.models import Export
from supporters.tasks import make_export


def answer(export: Export, pieces: Iterable[bytes], size: int | None = None) -> StreamingHttpResponse:
    """The file, its size in bytes said if it is known."""
    response = StreamingHttpResponse(pieces, content_type=FORMATS[export.format].content_type)
    response["Content-Disposition"] = f'attachment; filename="{making.file_name(export)}"'
    response["Cache-Control"] = "no-store, private"
    if size is not None:
        response["Content-Length"] = str(size)
    return response


def hand_over(export: Export) -> bool:
    """To a worker; False if the broker is away: the minute's job finds what is owed."""
    try:
        make_export.apply_async(args=[export.pk], retry=False)
    except OperationalError:
        return False
    return True
