import json
import subprocess
import sys
import tracemalloc

import pytest

from campaigns import segments
from campaigns.mailchimp import difference
from campaigns.mailchimp.client import connect
from campaigns.mailchimp.push import push
from campaigns.models import Audience, AudienceSegment, Segment
from supporters.models import Supporter
from tests.campaigns.mailchimp.test_push import many
from tests.processes import ROOT

pytestmark = pytest.mark.django_db


@pytest.fixture
def elsewhere(settings, broker):
    """Mailchimp's stand-in in a process of its own, so that what it holds is not counted as ours."""
    command = [sys.executable, "-m", "tests.standins.mailchimp", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        settings.MAILCHIMP_API_KEY = "key-us1"
        settings.MAILCHIMP_API_URL = json.loads(process.stdout.readline())["url"]
        yield
        process.terminate()


def test_ten_times_the_members_take_no_more_memory(elsewhere, monkeypatch):
    monkeypatch.setattr(difference, "CHUNK", 50)  # the small one, too, fills every lane
    everybody = Segment.objects.create(name="Everybody")
    audience = Audience.objects.create(name="Ours", list_id=connect().audiences()[0]["id"])
    AudienceSegment.objects.create(audience=audience, segment=everybody)
    peaks = []
    # Each push but the first begins with reading a full page of what the one before added.
    for last, number in ((0, 1_000), (1_000, 1_000), (2_000, 10_000)):
        many(number, after=last)
        segments.refresh(everybody)
        tracemalloc.start()
        while push(audience.pk):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert audience.members.filter(status="subscribed").count() == Supporter.objects.count() == 12_000
    assert peaks[2] < 1.5 * peaks[1]
