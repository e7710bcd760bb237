import json

import pytest

from campaigns import segments
from campaigns.mailchimp import pull as pulling
from campaigns.mailchimp import push as pushing
from campaigns.mailchimp import webhooks
from campaigns.mailchimp.pull import pull as read_changes
from campaigns.models import Audience, AudienceSegment, Segment, SyncRun
from tests.standins.mailchimp import MailchimpStandIn, contract


@pytest.fixture
def mailchimp(settings, broker, monkeypatch):
    """Mailchimp, standing in; every call we made is held against Mailchimp's own description at the end."""
    monkeypatch.setattr("campaigns.mailchimp.client._pause", lambda attempt, asked: 0.01)
    monkeypatch.setattr("campaigns.mailchimp.bulk.POLL", 0.02)
    with MailchimpStandIn() as standin:
        standin.checks_webhook_addresses = False
        settings.MAILCHIMP_API_KEY = "key-us1"
        settings.MAILCHIMP_API_URL = standin.url
        yield standin
        for request in standin.requests:
            if not request.path.strip("/"):
                continue  # the root, which the description leaves out
            if request.answer is not None or request.status == 204:
                contract.check_call(request)
            elif (
                request.status and request.status < 400 and request.path.strip("/")
            ):  # the root is not described  # told to answer with nothing
                contract.check_request(request.method, request.path, request.query, request.body)
            if (request.method, request.path) == ("POST", "/batches") and request.body:
                check_operations(request.body["operations"])


def check_operations(operations: list[dict]) -> None:
    for one in operations:
        query = {name: str(value).lower() for name, value in one.get("params", {}).items()}
        body = json.loads(one["body"]) if "body" in one else None
        contract.check_request(one["method"], f"/{one['path']}", query, body)


@pytest.fixture
def swedes():
    return Segment.objects.create(name="Swedes", rules={"rules": [{"field": "country", "op": "in", "value": ["SE"]}]})


@pytest.fixture
def audience(mailchimp, swedes):
    audience = Audience.objects.create(name="RealStars", list_id=mailchimp.list_id)
    AudienceSegment.objects.create(audience=audience, segment=swedes)
    return audience


@pytest.fixture
def push(mailchimp, audience):
    """Refresh the segments and push; the run that did it. The read that it asks for follows, as within a minute."""

    def do(expect: str = SyncRun.State.DONE) -> SyncRun:
        for segment in Segment.objects.all():
            segments.refresh(segment)
        mailchimp.forget_requests()
        while pushing.push(audience.pk):
            pass
        told = list(mailchimp.requests)
        if Audience.objects.filter(pk=audience.pk, pull_requested_at__isnull=False).exists():
            while pulling.pull(audience.pk):
                pass
        mailchimp.requests[:] = told
        run = audience.runs.filter(kind=SyncRun.Kind.PUSH).latest("pk")
        assert run.state == expect, run.error
        return run

    return do


@pytest.fixture
def pull(mailchimp, audience):
    def do() -> SyncRun:
        while read_changes(audience.pk):
            pass
        run = audience.runs.filter(kind=SyncRun.Kind.PULL).latest("pk")
        assert run.state == SyncRun.State.DONE, run.error
        return run

    return do


@pytest.fixture
def deliver(client, mailchimp, audience, pull):
    """Bring the webhooks that the stand-in would have sent to our door."""
    pull()
    audience.refresh_from_db()

    def do(*, apply: bool = True) -> list[int]:
        statuses = []
        mailchimp.settle()
        for delivery in mailchimp.deliveries:
            if not getattr(delivery, "brought", False):
                delivery.brought = True
                path = "/" + delivery.url.split("/", 3)[3]
                headers = {"X-Mailchimp-Signature": delivery.headers["X-Mailchimp-Signature"]}
                answer = client.post(
                    path, delivery.body, content_type="application/x-www-form-urlencoded", headers=headers
                )
                statuses.append(answer.status_code)
        if apply:
            webhooks.apply_owed()
        return statuses

    return do
