from itertools import count

import pytest
from django.utils import timezone

from campaigns import appeals
from campaigns.models import Appeal, AppealText, Segment, SegmentMember
from tests.factories import make_supporter
from tests.standins.scripted_smtp import Server

_numbers = count(1)


@pytest.fixture
def server(settings):
    """A mail server, and settings that lead to it."""
    with Server() as server:
        use(settings, server)
        yield server


@pytest.fixture
def journals(settings, tmp_path):
    """A folder of journals of one's own."""
    settings.MAIL_JOURNAL = tmp_path / "journal"
    return settings.MAIL_JOURNAL


def use(settings, server):
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = server.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_SSL = settings.EMAIL_USE_TLS = False
    settings.EMAIL_TIMEOUT = 5


def make_segment(*people, **fields):
    segment = Segment.objects.create(**{"name": f"Segment {next(_numbers)}", **fields})
    SegmentMember.objects.bulk_create(SegmentMember(segment=segment, supporter=person) for person in people)
    return segment


def make_text(appeal, language="en", **fields):
    fields = {"subject": "Hello {{ first_name }}", "body": "Dear {{ first_name }}, please help.", **fields}
    return AppealText.objects.create(appeal=appeal, language=language, **fields)


def make_appeal(people=(), languages=("en",), **fields):
    """An appeal with texts, to a segment that holds these people."""
    number = next(_numbers)
    fields = {
        "name": f"Appeal {number}",
        "source_code": f"appeal-{number}",
        "sender_name": "RealStars",
        "sender_email": "hej@realstars.example",
        **fields,
    }
    appeal = Appeal.objects.create(**{"segment": fields.pop("segment", None) or make_segment(*people), **fields})
    for language in languages:
        make_text(appeal, language)
    return appeal


def make_people(number, **fields):
    return [make_supporter(consent=True, **fields) for _each in range(number)]


def launched(people, **fields):
    """An appeal to these people that has just been launched."""
    appeal = make_appeal(people, **fields)
    Appeal.objects.filter(pk=appeal.pk).update(state="scheduled", scheduled_at=timezone.now(), send_anyway=True)
    appeals.tick()
    appeal.refresh_from_db()
    assert appeal.state == "sending"
    return appeal
