import io
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from campaigns.models import Return, ReturnedMessage
from tests.campaigns.mail.returns.conftest import bounced, make_delivery
from tests.processes import ROOT
from tests.standins.imap import Mailbox

pytestmark = pytest.mark.django_db


def pipe(monkeypatch, raw, *options):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(raw)))
    call_command("read_returns", *options)


def test_read_returns_takes_a_piped_message_and_acts_on_it(monkeypatch, capsys, settings):
    settings.BOUNCE_ADDRESS = "bounces@lists.example.org"
    pipe(monkeypatch, bounced(make_delivery()), "--json")
    counts = json.loads(capsys.readouterr().out)
    assert (counts["fetched"], counts["bounced"]) == (1, 1)
    assert Return.objects.get().done == "suppressed"


def test_read_returns_says_nothing_to_the_mail_server(monkeypatch, capsys):
    """What a piped program prints would be sent back to the sender of the bounce."""
    pipe(monkeypatch, b"Subject: hej\n\nHej\n", "--queue")
    assert capsys.readouterr() == ("", "")
    assert ReturnedMessage.objects.get().applied_at is None


def test_read_returns_refuses_an_empty_message(monkeypatch):
    with pytest.raises(CommandError, match="no message"):
        pipe(monkeypatch, b"\n")
    assert not ReturnedMessage.objects.exists()


def test_read_returns_reads_the_mailbox(settings, capsys):
    with Mailbox() as box:
        box.add(b"Subject: one\n\nHej\n")
        settings.MAILBOX = {
            **{"host": "127.0.0.1", "port": box.port, "tls": False, "user": "u", "password": "open"},
            **{"folder": "INBOX", "done": ""},
        }
        call_command("read_returns", "--mailbox")
        assert capsys.readouterr().out.startswith("1 fetched, 1 applied")
        settings.MAILBOX["password"] = "wrong"
        with pytest.raises(CommandError, match="user name or password"):
            call_command("read_returns", "--mailbox")


def test_read_returns_asks_the_mail_server_to_wait_while_the_database_is_away():
    environment = {
        **os.environ,
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SECRET_KEY": "x7" * 30,
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "read_returns", "--queue"],
        cwd=ROOT,
        env=environment,
        input=b"Subject: hej\n\nHej\n",
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == os.EX_TEMPFAIL, done.stderr
    assert b"Traceback" not in done.stderr
