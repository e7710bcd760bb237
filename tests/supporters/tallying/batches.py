"""Batches for tests, and scans that are what they claim."""

from datetime import date

from django.contrib.auth import get_user_model

from supporters import tallying
from supporters.models import Tally
from supporters.tallying.scans import Scan
from tests.factories import make_petition

PDF = b"%PDF-1.7\n1 0 obj <<>> endobj\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40 + b"IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0" + b"\x00" * 40 + b"\xff\xd9"


def person(name: str):
    return get_user_model().objects.get_or_create(username=name, defaults={"is_staff": True})[0]


def make_tally(scan: Scan | None = None, by: str = "enna", **fields) -> Tally:
    fields = {
        "way": Tally.Way.PAPER,
        "source": "The stall at the station, lists 1 to 4",
        "number": 40,
        "country": "SE",
        "gathered_on": date(2026, 11, 4),
        **({} if scan else {"no_scan": "Handed over to the ministry that day"}),
        **fields,
    }
    petition = fields.pop("petition", None) or make_petition()
    return tallying.enter(Tally(petition=petition, **fields), scan, person(by))


def counted(by: str = "chris", **fields) -> Tally:
    tally = make_tally(**fields)
    assert tallying.check(tally.pk, tally.number, person(by))
    tally.refresh_from_db()
    return tally
