import json
from datetime import UTC, datetime, time, timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone
from django.utils.module_loading import import_string

from crm import health, jobs
from crm.models import Job
from crm.tasks import tick
from tests.processes import Worker, wait_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def one_job(monkeypatch):
    job = jobs.Periodic("count", "Count", "Counts.", "tests.crm.test_jobs.counting", every=timedelta(minutes=1))
    monkeypatch.setattr(jobs, "JOBS", {"count": job})
    return job


def counting() -> dict:
    return {"counted": 3}


def failing() -> dict:
    raise ValueError("asa@mail.se is already there")


def names(taken: list[jobs.Periodic]) -> list[str]:
    return [job.name for job in taken]


def test_a_due_job_is_given_out_once(one_job):
    assert names(jobs.take_due()) == ["count"]
    assert jobs.take_due() == []
    Job.objects.filter(name="count").update(next_run_at=timezone.now() - timedelta(hours=9))
    assert names(jobs.take_due()) == ["count"]
    assert jobs.take_due() == []


def test_a_lost_message_is_made_good_at_the_next_time(one_job):
    jobs.take_due()
    Job.objects.filter(name="count").update(next_run_at=timezone.now() - timedelta(seconds=1))
    assert names(jobs.take_due()) == ["count"]


def test_a_job_leaves_what_it_did(one_job):
    jobs.take_due()
    assert jobs.run("count") == {"counted": 3}
    row = Job.objects.get(name="count")
    assert row.counts == {"counted": 3}
    assert row.succeeded_at >= row.started_at
    assert row.error == ""


def test_a_failure_is_told_without_anybodys_data(monkeypatch, capsys):
    job = jobs.Periodic("fail", "Fail", "Fails.", "tests.crm.test_jobs.failing", every=timedelta(minutes=1))
    monkeypatch.setattr(jobs, "JOBS", {"fail": job})
    jobs.take_due()
    with pytest.raises(ValueError, match="already"):
        jobs.run("fail")
    row = Job.objects.get(name="fail")
    assert row.failed_at is not None
    assert row.error == "It stopped with an error that was written to the log (ValueError)."


def test_daily_jobs_keep_their_local_hour_through_summer_time():
    job = jobs.Periodic("night", "", "", "x", daily_at=time(3, 10))
    winter = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert job.next_after(winter).astimezone(UTC) == datetime(2026, 3, 29, 1, 10, tzinfo=UTC)
    assert job.next_after(datetime(2026, 1, 1, 0, 0, tzinfo=UTC)).astimezone(UTC) == datetime(
        2026, 1, 1, 2, 10, tzinfo=UTC
    )


@pytest.mark.parametrize("job", jobs.JOBS.values(), ids=lambda job: job.name)
def test_every_declared_job_is_there(job):
    assert callable(import_string(job.function))


def test_log_lines_hold_no_values(caplog):
    import logging

    from config.logs import Discreet

    try:
        failing()
    except ValueError:
        record = logging.getLogger("x").makeRecord("x", logging.ERROR, __file__, 1, "failed", (), True)
        import sys

        record.exc_info = sys.exc_info()
    text = Discreet("%(message)s").format(record)
    assert "ValueError" in text
    assert "in failing" in text
    assert "asa@mail.se" not in text.replace('raise ValueError("asa@mail.se is already there")', "")


def test_health_says_what_is_missing(client, broker):
    cache.clear()
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert json.loads(answer.content) == {
        "alive": False,
        "database": True,
        "broker": True,
        "worker": False,
        "beat": False,
    }


@pytest.mark.workers
@pytest.mark.django_db(transaction=True)
def test_a_tick_sets_the_workers_going_and_health_sees_it(client, broker):
    with Worker():
        tick.delay()
        wait_for(lambda: client.get("/healthz").status_code == 200, "everything to be alive")
    assert set(health.queue_lengths()) == {"mail", "sync", "default"}
