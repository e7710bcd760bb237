"""The Mailchimp stand-in as a process of its own, told what to do over HTTP, and its page."""

import json
import signal
import subprocess
import sys
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit
from urllib.request import urlopen

import pytest

from tests.processes import ROOT


def started(*arguments):
    command = [sys.executable, "-m", "tests.standins.mailchimp", "--port", "0", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    return process, json.loads(process.stdout.readline())


def ended(process):
    process.send_signal(signal.SIGTERM)
    process.stdout.close()
    return process.wait(10)


def order(web_url, **what):
    connection = HTTPConnection(urlsplit(web_url).netloc, timeout=10)
    connection.request("POST", "/__control__", json.dumps(what))
    answer = connection.getresponse()
    told = json.loads(answer.read())
    connection.close()
    return answer.status, told


def test_process_does_what_it_is_told_and_goes_on_where_it_was(tmp_path):
    state = str(tmp_path / "mailchimp.state")
    process, facts = started("--state", state)
    assert facts["url"] == facts["web_url"] + "3.0"
    list_id = facts["list_id"]
    assert order(facts["web_url"], do="staff_add", list_id=list_id, email="ann@mail.se") == (200, {"result": None})
    _status, told = order(facts["web_url"], do="member", email="ann@mail.se")
    assert told["result"]["status"] == "subscribed"
    assert order(facts["web_url"], do="stop")[0] == 400
    with urlopen(f"{facts['web_url']}__control__", timeout=10) as answer:
        assert json.load(answer)["count"] == 0
    assert ended(process) == 0
    process, facts = started("--state", state)
    assert order(facts["web_url"], do="member", email="ann@mail.se")[1]["result"]["email_address"] == "ann@mail.se"
    assert ended(process) == 0


# The page


@pytest.fixture
def people(mailchimp, call):
    call.add("ann@mail.se", tags=["Donors"], merge_fields={"FNAME": "Ann <b>", "LNAME": "Ek"})
    call.add(*(f"p{number}@mail.se" for number in range(60)))


def page(mailchimp, path=""):
    with urlopen(mailchimp.web_url + path, timeout=10) as answer:
        return answer.read().decode()


def test_page_shows_members_with_status_tags_and_names(mailchimp, people):
    shown = page(mailchimp, f"audiences/{mailchimp.list_id}?q=ANN@")
    assert "ann@mail.se" in shown
    assert "Ann &lt;b&gt; Ek" in shown
    assert '<span class="tag">Donors</span>' in shown
    assert "<b>61</b> subscribed" in shown
    assert "1 member<" in shown


def test_page_narrows_to_a_tag_and_turns(mailchimp, people):
    path = f"audiences/{mailchimp.list_id}"
    assert "p59@mail.se" not in page(mailchimp, f"{path}?tag=Donors")
    assert "ann@mail.se" not in page(mailchimp)
    assert "ann@mail.se" in page(mailchimp, f"{path}?from=50")


@pytest.mark.parametrize(("site", "status"), [("same-origin", "unsubscribed"), ("cross-site", "subscribed")])
def test_button_unsubscribes_only_from_the_page_itself(mailchimp, people, site, status):
    connection = HTTPConnection("127.0.0.1", mailchimp.port, timeout=10)
    body = urlencode({"act": "member_unsubscribes", "email": "ann@mail.se"})
    connection.request("POST", f"/audiences/{mailchimp.list_id}", body, {"Sec-Fetch-Site": site})
    assert connection.getresponse().status == (303 if status == "unsubscribed" else 400)
    connection.close()
    assert mailchimp.member("ann@mail.se")["status"] == status
