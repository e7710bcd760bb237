"""The other ways of sending: each sends so many of the letters it reads from standard input, and says how long that took."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from uuid import uuid4

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.peer_settings"

import django

from config.celery import app

SLICE = 500


@app.task(name="bench.slice")
def send_slice(letter: dict[str, str], first: int) -> None:
    from django.core.mail import get_connection

    with get_connection() as connection:
        for message in _messages(letter, range(first, first + SLICE)):
            message.connection = connection
            message.send()
    _done().incrby("bench:sent", SLICE)


def kept(letter: dict[str, str], number: int) -> float:
    from django.core.mail import get_connection

    start = time.perf_counter()
    with get_connection() as connection:
        for message in _messages(letter, range(number)):
            message.connection = connection
            message.send()
    return time.perf_counter() - start


def post_office(letter: dict[str, str], number: int) -> float:
    from django.core.management import call_command
    from post_office import mail
    from post_office.mail import send_queued
    from post_office.models import STATUS, Email, EmailTemplate

    call_command("migrate", "post_office", verbosity=0)
    Email.objects.all().delete()
    EmailTemplate.objects.all().delete()
    template = EmailTemplate.objects.create(
        name="bench", subject=letter["subject"], content=letter["text"], html_content=letter["html"]
    )
    start = time.perf_counter()
    mail.send_many(
        {
            "sender": "hej@realstars.example",
            "recipients": [f"person{n}@mail.example"],
            "template": template,
            "context": values,
            "headers": {"List-Unsubscribe": f"<{values['unsubscribe_url']}>"},
        }
        for n, values in _people(range(number))
    )
    while Email.objects.filter(status=STATUS.queued).exists():
        send_queued(processes=1)
    taken = time.perf_counter() - start
    if (sent := Email.objects.filter(status=STATUS.sent).count()) != number:
        raise SystemExit(f"django-post_office sent {sent} of {number}.")
    return taken


def celery(letter: dict[str, str], number: int) -> float:
    client = _done()
    client.delete("bench:sent", "bench")
    command = ["-A", "tests.benchmarks.sending_peers", "worker", "-Q", "bench", "-c", "2", "-l", "INFO"]
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", *command], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    try:
        while "ready." not in worker.stderr.readline():
            if worker.poll() is not None:
                raise SystemExit("The Celery worker did not start.")
        start = time.perf_counter()
        for first in range(0, number, SLICE):
            send_slice.apply_async(args=[letter, first], queue="bench")
        deadline = time.monotonic() + 600
        while int(client.get("bench:sent") or 0) < number:
            if time.monotonic() > deadline:
                raise SystemExit("The Celery worker did not send everything.")
            time.sleep(0.005)
        return time.perf_counter() - start
    finally:
        worker.terminate()
        worker.communicate(timeout=60)


def ready_made(letter: dict[str, str], number: int) -> float:
    import smtplib

    from django.conf import settings

    (message,) = _messages(letter, range(1))
    body = message.message().as_bytes(linesep="\r\n")
    start = time.perf_counter()
    with smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT) as server:
        for n in range(number):
            server.sendmail("hej@realstars.example", f"person{n}@mail.example", body)
    return time.perf_counter() - start


def _messages(letter: dict[str, str], numbers: range) -> Iterator:
    from django.core.mail import EmailMultiAlternatives
    from django.template import Context, Template

    subject, text, html = (Template(letter[name]) for name in ("subject", "text", "html"))
    for n, values in _people(numbers):
        context = Context(values)
        message = EmailMultiAlternatives(
            subject.render(context),
            text.render(context),
            "hej@realstars.example",
            [f"person{n}@mail.example"],
            headers={"List-Unsubscribe": f"<{values['unsubscribe_url']}>"},
        )
        message.attach_alternative(html.render(context), "text/html")
        yield message


def _people(numbers: range) -> Iterator[tuple[int, dict[str, str]]]:
    from campaigns.mail.message import unsubscribe_url

    for n in numbers:
        yield n, {"first_name": f"First {n}", "unsubscribe_url": unsubscribe_url(uuid4())}


def _done():
    import redis
    from django.conf import settings

    return redis.Redis.from_url(settings.REDIS_URL)


WAYS = {"kept": kept, "post_office": post_office, "celery": celery, "bytes": ready_made}

if __name__ == "__main__":
    django.setup()
    taken = WAYS[sys.argv[1]](json.load(sys.stdin), int(sys.argv[2]))
    print(json.dumps({"seconds": taken}))
