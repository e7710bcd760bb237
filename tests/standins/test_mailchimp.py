"""The stand-in for Mailchimp, asked over HTTP; every answer is held against Mailchimp's own description."""

import json
import threading
from base64 import b64encode
from http.client import HTTPConnection, RemoteDisconnected
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode

import pytest

from tests.processes import wait_for
from tests.standins.mailchimp import MailchimpStandIn, contract
from tests.standins.mailchimp.deliveries import sign


class Client:
    """A bare client on one connection that holds each call and its answer against the description."""

    def __init__(self, mailchimp, key="key-us1", check=True):
        self.mailchimp = mailchimp
        self.key = key
        self.check = check
        self.connection = HTTPConnection("127.0.0.1", mailchimp.port, timeout=10)

    def __call__(self, method, path, body=None, raw=None, **query):
        raw = raw if raw is not None else None if body is None else json.dumps(body)
        headers = {"Authorization": "Basic " + b64encode(f"user:{self.key}".encode()).decode()}
        target = f"/3.0{path}" + (f"?{urlencode(query)}" if query else "")
        self.connection.request(method, target, raw, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        self.headers = answer.headers
        if self.check:
            contract.check_call(self.mailchimp.requests[-1])
        return answer.status, json.loads(text) if text else None

    def add(self, *emails, status="subscribed", **more):
        members = [{"email_address": email, "status": status, **more} for email in emails]
        status, answer = self("POST", f"/lists/{self.mailchimp.list_id}", {"members": members})
        assert (status, answer["errors"]) == (200, [])
        return answer


@pytest.fixture
def mailchimp():
    with MailchimpStandIn() as mailchimp:
        yield mailchimp


@pytest.fixture
def call(mailchimp):
    client = Client(mailchimp)
    yield client
    client.connection.close()


@pytest.fixture
def members(mailchimp):
    return f"/lists/{mailchimp.list_id}/members"


class Listener:
    """Somebody who gets webhooks."""

    def __init__(self):
        self.got = []
        self.asked = 0
        self.status = 200
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                listener.asked += 1
                self.send_response(listener.status)
                self.end_headers()

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.got.append((dict(parse_qsl(body.decode(), True)), body, self.headers))
                self.send_response(listener.status)
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/webhooks/mailchimp/token/"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def listener():
    listener = Listener()
    yield listener
    listener.server.shutdown()
    listener.server.server_close()


def hook(call, listener, **sources):
    events = dict.fromkeys(("subscribe", "unsubscribe", "profile", "cleaned", "upemail"), True)
    sources = {"user": True, "admin": True, "api": False, **sources}
    path = f"/lists/{call.mailchimp.list_id}/webhooks"
    return call("POST", path, {"url": listener.url, "events": events, "sources": sources})


# Doors


def test_ping_answers_with_mailchimps_words(call):
    assert call("GET", "/ping") == (200, {"health_status": "Everything's Chimpy!"})


def test_root_tells_the_account(call):
    assert call("GET", "/", fields="account_name,role") == (
        200,
        {"account_name": "RealStars", "role": "owner"},
    )


@pytest.mark.parametrize("key", ["", "wrong-us1"])
def test_wrong_key_is_refused(mailchimp, key):
    mailchimp.api_key = "right-us1"
    status, problem = Client(mailchimp, key)("GET", "/lists")
    assert (status, problem["title"]) == (401, "API Key Invalid")


def test_unknown_path_is_404_and_unknown_method_405(mailchimp, call):
    call.check = False
    status, problem = call("GET", "/lists/nosuchlist")
    assert (status, problem["title"], problem["status"]) == (404, "Resource Not Found", 404)
    assert call("GET", "/nothing")[0] == 404
    status, problem = call("DELETE", "/ping")
    assert (status, problem["title"], call.headers["Allow"]) == (405, "Method Not Allowed", "GET")
    assert call.headers["Content-Type"] == "application/problem+json; charset=utf-8"


def test_body_that_is_no_json_is_refused(call, members):
    call.check = False
    status, problem = call("POST", members, raw="{")
    assert (status, problem["title"]) == (400, "JSON Parse Error")


def test_eleventh_call_at_once_is_refused(mailchimp):
    mailchimp.stall(times=None)
    stalled = [Client(mailchimp, check=False) for _ in range(10)]
    threads = [threading.Thread(target=client, args=("GET", "/ping")) for client in stalled]
    for thread in threads:
        thread.start()
    wait_for(lambda: mailchimp.most_at_once == 10, "ten calls at once")
    status, problem = Client(mailchimp, check=False)("GET", "/ping")
    other_key = threading.Thread(target=Client(mailchimp, "other-us1", check=False), args=("GET", "/ping"))
    other_key.start()
    mailchimp.calm()
    for thread in [*threads, other_key]:
        thread.join(10)
    assert (status, problem["title"]) == (429, "Too Many Requests")
    assert sorted(request.status for request in mailchimp.requests) == [200] * 11 + [429]


# Audiences


def test_audience_there_from_the_start_is_listed(mailchimp, call):
    _status, answer = call("GET", "/lists", fields="lists.id,lists.name,lists.stats.member_count,total_items")
    assert answer == {
        "lists": [{"id": mailchimp.list_id, "name": "RealStars", "stats": {"member_count": 0}}],
        "total_items": 1,
    }


def test_audience_is_made_changed_counted_and_deleted(call):
    body = {
        "name": "Partners",
        "contact": {"company": "RealStars", "address1": "Järntorget 7", "city": "Göteborg", "country": "SE"},
        "permission_reminder": "You signed our petition.",
        "campaign_defaults": {
            "from_name": "RealStars",
            "from_email": "hej@mail.se",
            "subject": "",
            "language": "sv",
        },
        "email_type_option": False,
    }
    _status, made = call("POST", "/lists", body)
    path = f"/lists/{made['id']}"
    call("POST", path, {"members": [{"email_address": "ann@mail.se", "status": "subscribed"}]})
    call("POST", path, {"members": [{"email_address": "bo@mail.se", "status": "unsubscribed"}]})
    answer = call("GET", path, include_total_contacts="true")[1]
    assert answer["stats"]["member_count"] == 1
    assert answer["stats"]["unsubscribe_count"] == 1
    assert answer["stats"]["total_contacts"] == 2
    body["contact"].update(state="", zip="413 04")
    assert call("PATCH", path, {**body, "name": "Friends"})[1]["name"] == "Friends"
    assert call("DELETE", path) == (204, None)
    assert call("GET", path)[0] == 404


def test_missing_fields_of_an_audience_are_each_told(call):
    call.check = False
    _status, problem = call("POST", "/lists", {"name": "X", "contact": "nowhere"})
    assert problem["title"] == "Invalid Resource"
    assert problem["errors"] == [
        {"field": "permission_reminder", "message": "This value should not be blank."},
        {"field": "campaign_defaults", "message": "This value should not be blank."},
        {"field": "contact", "message": "Schema describes object, string found instead"},
    ]


# Members


def test_member_is_added_found_by_hash_and_by_address(mailchimp, call, members):
    body = {"email_address": "Ann@Mail.se", "status": "subscribed", "merge_fields": {"FNAME": "Ann"}}
    status, made = call("POST", members, {**body, "language": "sv", "tags": ["Donors"]})
    assert status == 200
    assert made["id"] == "fca2df2bab244f5457e26d627ac61631"
    assert made["email_address"] == "Ann@Mail.se"
    assert made["merge_fields"] == {"FNAME": "Ann", "LNAME": "", "ADDRESS": "", "PHONE": "", "BIRTHDAY": ""}
    assert (made["full_name"], made["language"], made["tags_count"]) == ("Ann", "sv", 1)
    assert call("GET", f"{members}/{made['id']}")[1] == made
    assert call("GET", f"{members}/ann@mail.se")[1] == made
    assert mailchimp.member("ann@mail.se") == made
    assert mailchimp.tags("ann@mail.se") == {"Donors"}


def test_member_who_is_there_is_not_added_again(call, members):
    call.add("ann@mail.se")
    status, problem = call("POST", members, {"email_address": "ANN@mail.se", "status": "subscribed"})
    assert (status, problem["title"]) == (400, "Member Exists")
    assert problem["detail"] == "ANN@mail.se is already a list member. Use PUT to insert or update list members."


@pytest.mark.parametrize(
    ("email", "detail", "errors"),
    [
        (
            "nobody@example.com",
            "nobody@example.com looks fake or invalid, please enter a real email address.",
            None,
        ),
        (
            "no address",
            "The resource submitted could not be validated. For field-specific details, see the 'errors' array.",
            [{"field": "email_address", "message": "Please provide a valid email address."}],
        ),
    ],
)
def test_address_that_cannot_be_is_refused(call, members, email, detail, errors):
    status, problem = call("POST", members, {"email_address": email, "status": "subscribed"})
    assert (status, problem["title"], problem["detail"]) == (400, "Invalid Resource", detail)
    assert problem.get("errors") == errors


def test_unknown_status_is_refused(mailchimp, call, members):
    call.check = False
    _status, problem = call("POST", members, {"email_address": "ann@mail.se", "status": "archived"})
    assert problem["errors"] == [
        {
            "field": "status",
            "message": "Value must be one of: subscribed, unsubscribed, cleaned, pending, transactional.",
        }
    ]
    assert mailchimp.members() == {}


def test_put_makes_and_changes(mailchimp, call, members):
    path = f"{members}/fca2df2bab244f5457e26d627ac61631"
    body = {"email_address": "ann@mail.se", "status_if_new": "pending"}
    assert call("PUT", path, body)[1]["status"] == "pending"
    assert call("PUT", path, {**body, "status_if_new": "subscribed"})[1]["status"] == "pending"
    assert call("PUT", path, {**body, "status": "subscribed"})[1]["status"] == "subscribed"
    assert len(mailchimp.members()) == 1


def test_change_of_address_moves_the_member_with_its_tags(mailchimp, call, members):
    call.add("ann@mail.se", "bo@mail.se", tags=["Donors"])
    status, changed = call("PATCH", f"{members}/ann@mail.se", {"email_address": "ann@post.se"})
    assert (status, changed["email_address"], changed["tags"][0]["name"]) == (200, "ann@post.se", "Donors")
    assert mailchimp.member("ann@mail.se") is None
    status, problem = call("PATCH", f"{members}/ann@post.se", {"email_address": "bo@mail.se"})
    assert (status, problem["title"]) == (400, "Member Exists")
    tag = changed["tags"][0]["id"]
    found = call("GET", f"/lists/{mailchimp.list_id}/segments/{tag}/members", fields="members.email_address")
    assert {m["email_address"] for m in found[1]["members"]} == {"ann@post.se", "bo@mail.se"}


def test_archived_member_is_kept_and_comes_back_with_its_tags(mailchimp, call, members):
    call.add("ann@mail.se", tags=["Donors"])
    assert call("DELETE", f"{members}/ann@mail.se") == (204, None)
    assert call("DELETE", f"{members}/ann@mail.se")[0] == 405
    assert mailchimp.member("ann@mail.se")["status"] == "archived"
    assert call.add("ann@mail.se")["total_created"] == 1
    assert mailchimp.member("ann@mail.se")["status"] == "subscribed"
    assert mailchimp.tags("ann@mail.se") == {"Donors"}


def test_member_deleted_for_good_cannot_be_brought_back_by_us(mailchimp, call, members):
    call.add("ann@mail.se")
    assert call("POST", f"{members}/ann@mail.se/actions/delete-permanent") == (204, None)
    assert call("GET", f"{members}/ann@mail.se")[0] == 404
    status, problem = call("POST", members, {"email_address": "ann@mail.se", "status": "subscribed"})
    assert (status, problem["title"]) == (400, "Forgotten Email Not Subscribed")
    mailchimp.member_subscribes(mailchimp.list_id, "ann@mail.se")
    assert mailchimp.member("ann@mail.se")["status"] == "subscribed"


def test_who_left_is_not_subscribed_by_us_but_may_be_asked(mailchimp, call, members):
    call.add("ann@mail.se")
    mailchimp.member_unsubscribes(mailchimp.list_id, "ann@mail.se")
    path = f"{members}/ann@mail.se"
    for method in ("PATCH", "PUT"):
        body = {"email_address": "ann@mail.se", "status": "subscribed"}
        if method == "PUT":
            body["status_if_new"] = "subscribed"
        status, problem = call(method, path, body)
        assert (status, problem["title"]) == (400, "Member In Compliance State")
    assert call("PATCH", path, {"merge_fields": {"FNAME": "Ann"}})[0] == 200
    assert call("PATCH", path, {"status": "pending"})[1]["status"] == "pending"
    mailchimp.member_confirms(mailchimp.list_id, "ann@mail.se")
    assert mailchimp.member("ann@mail.se")["status"] == "subscribed"


def test_who_bounced_is_neither_subscribed_nor_asked(mailchimp, call, members):
    call.add("ann@mail.se")
    mailchimp.member_cleaned(mailchimp.list_id, "ann@mail.se")
    for status in ("subscribed", "pending"):
        problem = call("PATCH", f"{members}/ann@mail.se", {"status": status})[1]
        assert problem["title"] == "Member In Compliance State"


def test_who_was_unsubscribed_by_us_can_be_subscribed_by_us(call, members):
    call.add("ann@mail.se")
    assert call("PATCH", f"{members}/ann@mail.se", {"status": "unsubscribed"})[1]["status"] == "unsubscribed"
    assert call("PATCH", f"{members}/ann@mail.se", {"status": "subscribed"})[1]["status"] == "subscribed"


def test_members_are_filtered_paged_and_sorted_by_last_change(mailchimp, call, members):
    mailchimp.skew(-3600)
    call.add("ann@mail.se", "bo@mail.se")
    hour_ago = mailchimp.member("ann@mail.se")["last_changed"]
    mailchimp.skew(0)
    call.add("cid@mail.se", "dan@mail.se", status="unsubscribed")
    call("PATCH", f"{members}/ann@mail.se", {"vip": True})
    fields = "members.email_address,total_items"

    def asked(**query):
        answer = call("GET", members, fields=fields, **query)[1]
        return [m["email_address"].partition("@")[0] for m in answer["members"]], answer["total_items"]

    assert asked(sort_field="last_changed", sort_dir="ASC") == (["bo", "cid", "dan", "ann"], 4)
    assert asked(sort_field="last_changed", sort_dir="ASC", count=2, offset=2) == (["dan", "ann"], 4)
    assert asked(since_last_changed=hour_ago) == (["cid", "dan", "ann"], 3)
    assert asked(since_last_changed=hour_ago, status="unsubscribed") == (["cid", "dan"], 2)
    assert asked(vip_only="true") == (["ann"], 1)
    assert asked(count=0) == ([], 4)


def test_count_beyond_a_thousand_is_refused(call, members):
    call.check = False
    assert call("GET", members, count=1001)[1]["errors"][0]["field"] == "count"


def test_fields_and_exclude_fields_cut_the_answer(call, members):
    call.add("ann@mail.se")
    answer = call("GET", members, fields="members.email_address,members.stats.avg_open_rate")[1]
    assert answer == {"members": [{"email_address": "ann@mail.se", "stats": {"avg_open_rate": 0}}]}
    answer = call("GET", f"{members}/ann@mail.se", exclude_fields="merge_fields,location.latitude")[1]
    assert "merge_fields" not in answer
    assert answer["location"].keys() == {
        "longitude",
        "gmtoff",
        "dstoff",
        "country_code",
        "timezone",
        "region",
    }


# Batches of members


def test_batch_reports_new_changed_and_refused_each_in_its_place(mailchimp, call):
    call.add("ann@mail.se")
    members = [
        {"email_address": "ann@mail.se", "merge_fields": {"FNAME": "Ann"}},
        {"email_address": "bo@mail.se", "status": "subscribed", "tags": ["Donors"]},
        {"email_address": "BO@mail.se", "status": "subscribed"},
        {"email_address": "cid@example.com", "status": "subscribed"},
        {"email_address": "dan@mail.se", "status": "subscribed", "merge_fields": {"BIRTHDAY": "31/12"}},
    ]
    status, answer = call("POST", f"/lists/{mailchimp.list_id}", {"members": members, "update_existing": True})
    assert status == 200
    assert [m["email_address"] for m in answer["updated_members"]] == ["ann@mail.se"]
    assert [m["email_address"] for m in answer["new_members"]] == ["bo@mail.se"]
    assert (answer["total_created"], answer["total_updated"], answer["error_count"]) == (1, 1, 3)
    assert answer["errors"] == [
        {
            "email_address": "BO@mail.se",
            "error": "BO@mail.se is in this request more than once.",
            "error_code": "ERROR_CONTACT_EXISTS",
            "field": "",
            "field_message": "",
        },
        {
            "email_address": "cid@example.com",
            "error": "cid@example.com looks fake or invalid, please enter a real email address.",
            "error_code": "ERROR_GENERIC",
            "field": "",
            "field_message": "",
        },
        {
            "email_address": "dan@mail.se",
            "error": "Your merge fields were invalid.",
            "error_code": "ERROR_GENERIC",
            "field": "BIRTHDAY",
            "field_message": "Please enter a month (01-12) and a day (01-31)",
        },
    ]
    assert mailchimp.tags("bo@mail.se") == {"Donors"}


def test_batch_leaves_who_is_there_unless_told_to_update(mailchimp, call):
    call.add("ann@mail.se", tags=["Donors"])
    member = {"email_address": "ann@mail.se", "status": "unsubscribed", "tags": ["Monthly"]}
    path = f"/lists/{mailchimp.list_id}"
    answer = call("POST", path, {"members": [member]})[1]
    assert answer["errors"][0]["error_code"] == "ERROR_CONTACT_EXISTS"
    assert mailchimp.member("ann@mail.se")["status"] == "subscribed"
    call("POST", path, {"members": [member], "update_existing": True})
    assert mailchimp.member("ann@mail.se")["status"] == "unsubscribed"
    assert mailchimp.tags("ann@mail.se") == {"Donors", "Monthly"}
    call("POST", path, {"members": [member], "update_existing": True, "sync_tags": True})
    assert mailchimp.tags("ann@mail.se") == {"Monthly"}


def test_batch_never_subscribes_who_left(mailchimp, call):
    call.add("ann@mail.se")
    mailchimp.member_unsubscribes(mailchimp.list_id, "ann@mail.se")
    body = {"members": [{"email_address": "ann@mail.se", "status": "subscribed"}], "update_existing": True}
    answer = call("POST", f"/lists/{mailchimp.list_id}", body)[1]
    assert "is in a compliance state" in answer["errors"][0]["error"]
    assert mailchimp.member("ann@mail.se")["status"] == "unsubscribed"


def test_batch_of_more_than_500_is_refused_whole(mailchimp, call):
    call.check = False
    members = [{"email_address": f"a{n}@mail.se", "status": "subscribed"} for n in range(501)]
    assert call("POST", f"/lists/{mailchimp.list_id}", {"members": members})[0] == 400
    assert mailchimp.members() == {}
    assert call("POST", f"/lists/{mailchimp.list_id}", {"members": members[:500]})[1]["total_created"] == 500


# Merge fields


def test_merge_field_is_made_changed_and_deleted(mailchimp, call, members):
    path = f"/lists/{mailchimp.list_id}/merge-fields"
    status, made = call("POST", path, {"name": "Given", "type": "number", "tag": "given"})
    assert (status, made["tag"], made["type"], made["merge_id"]) == (200, "GIVEN", "number", 6)
    assert call("GET", path, type="number")[1]["total_items"] == 1
    call.add("ann@mail.se", merge_fields={"GIVEN": 120})
    assert mailchimp.member("ann@mail.se")["merge_fields"]["GIVEN"] == 120
    assert call("PATCH", f"{path}/6", {"name": "Given in all"})[1]["name"] == "Given in all"
    status, problem = call("POST", path, {"name": "Given", "type": "text", "tag": "GIVEN"})
    assert problem["detail"] == 'A Merge Field with the tag "GIVEN" already exists for this list.'
    assert call("DELETE", f"{path}/6") == (204, None)
    assert "GIVEN" not in mailchimp.member("ann@mail.se")["merge_fields"]


def test_thirty_first_merge_field_is_refused(mailchimp, call):
    path = f"/lists/{mailchimp.list_id}/merge-fields"
    for number in range(25):
        assert call("POST", path, {"name": f"Field {number}", "type": "text"})[0] == 200
    assert call("POST", path, {"name": "One more", "type": "text"})[0] == 400
    assert call("GET", path)[1]["total_items"] == 30


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("text", "å" * 127, "å" * 128),
        ("number", "12.50", "twelve"),
        ("date", "2026-11-24", "24.11.2026"),
        ("birthday", "12/31", "31/12"),
        ("url", "https://realstars.eu", "realstars"),
        ("zip", "90210", "413 04"),
        (
            "address",
            {"addr1": "Järntorget 7", "city": "Göteborg", "state": "", "zip": "413 04", "country": "SE"},
            {"addr1": "Järntorget 7"},
        ),
    ],
)
def test_merge_field_takes_what_its_type_says(mailchimp, call, members, kind, good, bad):
    call("POST", f"/lists/{mailchimp.list_id}/merge-fields", {"name": "X", "type": kind, "tag": "X"})
    body = {"email_address": "ann@mail.se", "status": "subscribed", "merge_fields": {"X": bad}}
    status, problem = call("POST", members, body)
    assert (status, problem["detail"]) == (400, "Your merge fields were invalid.")
    assert [error["field"] for error in problem["errors"]] == ["X"]
    assert mailchimp.members() == {}
    body["merge_fields"]["X"] = good
    assert call("POST", members, body)[1]["merge_fields"]["X"] == good


def test_required_merge_field_is_asked_for_unless_skipped(mailchimp, call, members):
    path = f"/lists/{mailchimp.list_id}/merge-fields/1"
    call("PATCH", path, {"name": "First Name", "required": True})
    body = {"email_address": "ann@mail.se", "status": "subscribed"}
    assert call("POST", members, body)[1]["errors"] == [{"field": "FNAME", "message": "Please enter a value"}]
    assert call("POST", members, body, skip_merge_validation="true")[0] == 200


# Tags and segments


def test_tags_are_static_segments(mailchimp, call, members):
    call.add("ann@mail.se")
    path = f"/lists/{mailchimp.list_id}/segments"
    _status, made = call("POST", path, {"name": "Donors", "static_segment": ["ann@mail.se", "nobody@mail.se"]})
    assert (made["type"], made["member_count"]) == ("static", 1)
    assert call("POST", path, {"name": "Donors", "static_segment": []})[1]["detail"] == (
        "Sorry, that tag already exists."
    )
    tags = call("GET", f"{members}/ann@mail.se/tags")[1]
    assert [(tag["id"], tag["name"]) for tag in tags["tags"]] == [(made["id"], "Donors")]
    change = {"tags": [{"name": "Donors", "status": "inactive"}, {"name": "Monthly", "status": "active"}]}
    assert call("POST", f"{members}/ann@mail.se/tags", change) == (204, None)
    assert mailchimp.tags("ann@mail.se") == {"Monthly"}
    found = call("GET", path, type="static", fields="segments.name,segments.member_count")[1]["segments"]
    assert found == [{"name": "Donors", "member_count": 0}, {"name": "Monthly", "member_count": 1}]


def test_segment_is_changed_by_adds_and_removals(mailchimp, call):
    call.add("ann@mail.se", "bo@mail.se", "cid@mail.se")
    path = f"/lists/{mailchimp.list_id}/segments"
    tag = call("POST", path, {"name": "Donors", "static_segment": ["cid@mail.se"]})[1]["id"]
    body = {
        "members_to_add": ["ann@mail.se", "nobody@mail.se", "cid@mail.se"],
        "members_to_remove": ["cid@mail.se"],
    }
    answer = call("POST", f"{path}/{tag}", body)[1]
    assert [m["email_address"] for m in answer["members_added"]] == ["ann@mail.se"]
    assert [m["email_address"] for m in answer["members_removed"]] == ["cid@mail.se"]
    assert [error["email_addresses"] for error in answer["errors"]] == [["nobody@mail.se"]]
    assert (answer["total_added"], answer["total_removed"], answer["error_count"]) == (1, 1, 1)
    assert call("POST", f"{path}/{tag}/members", {"email_address": "bo@mail.se"})[0] == 200
    found = call("GET", f"{path}/{tag}/members")[1]
    assert [m["email_address"] for m in found["members"]] == ["ann@mail.se", "bo@mail.se"]
    assert call("PATCH", f"{path}/{tag}", {"name": "Givers", "static_segment": []})[1]["member_count"] == 0
    assert mailchimp.tags("ann@mail.se") == set()


def test_segment_takes_500_addresses_at_most(mailchimp, call):
    path = f"/lists/{mailchimp.list_id}/segments"
    tag = call("POST", path, {"name": "Donors", "static_segment": []})[1]["id"]
    many = [f"a{n}@mail.se" for n in range(501)]
    problem = call("POST", f"{path}/{tag}", {"members_to_add": many})[1]
    assert problem["errors"][0]["field"] == "members_to_add"


def test_segment_counts_only_subscribed_members_unless_asked(mailchimp, call):
    call.add("ann@mail.se", "bo@mail.se", tags=["Donors"])
    mailchimp.member_unsubscribes(mailchimp.list_id, "ann@mail.se")
    path = f"/lists/{mailchimp.list_id}/segments"
    assert call("GET", path)[1]["segments"][0]["member_count"] == 1
    assert call("GET", path, include_unsubscribed="true")[1]["segments"][0]["member_count"] == 2


def test_deleted_tag_is_gone_from_its_members(mailchimp, call):
    call.add("ann@mail.se", tags=["Donors"])
    tag = mailchimp.member("ann@mail.se")["tags"][0]["id"]
    assert call("DELETE", f"/lists/{mailchimp.list_id}/segments/{tag}") == (204, None)
    assert mailchimp.member("ann@mail.se")["tags"] == []


def test_saved_segment_is_worked_out_from_its_conditions(mailchimp, call):
    call.add("ann@mail.se", "bo@mail.se")
    call.add("cid@mail.se", tags=["Donors"])
    tag = mailchimp.member("cid@mail.se")["tags"][0]["id"]
    condition = {
        "condition_type": "StaticSegment",
        "field": "static_segment",
        "op": "static_not",
        "value": tag,
    }
    options = {"match": "all", "conditions": [condition]}
    made = call("POST", f"/lists/{mailchimp.list_id}/segments", {"name": "Others", "options": options})[1]
    assert (made["type"], made["member_count"]) == ("saved", 2)


def test_only_fifty_tags_of_a_member_are_shown(mailchimp, call, members):
    call.add("ann@mail.se", tags=[f"Tag {n}" for n in range(51)])
    answer = call("GET", f"{members}/ann@mail.se")[1]
    assert (len(answer["tags"]), answer["tags_count"]) == (50, 51)
    assert call("GET", f"{members}/ann@mail.se/tags", count=100)[1]["total_items"] == 51


# Webhooks


def test_webhook_tells_its_secret_once(mailchimp, call, listener):
    status, made = hook(call, listener)
    assert (status, listener.asked, made["sources"]["api"]) == (200, 1, False)
    path = f"/lists/{mailchimp.list_id}/webhooks"
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert call("GET", path)[1]["webhooks"] == [made]
    assert call("GET", f"{path}/{made['id']}")[1] == made
    assert call("PATCH", f"{path}/{made['id']}", {"sources": {"api": True}})[1]["sources"]["api"] is True
    assert hook(call, listener)[1]["detail"] == "Sorry, you can't set up multiple WebHooks for one URL"
    assert call("DELETE", f"{path}/{made['id']}") == (204, None)
    assert call("GET", path)[1]["total_items"] == 0


def test_webhook_address_has_to_answer(mailchimp, call, listener):
    listener.status = 404
    status, problem = hook(call, listener)
    assert (status, problem["errors"][0]["field"]) == (400, "url")
    mailchimp.checks_webhook_addresses = False
    assert hook(call, listener)[0] == 200


def test_leaving_is_told_as_mailchimp_tells_it_and_signed(mailchimp, call, listener):
    secret = hook(call, listener)[1]["secret"]
    call.add("ann@mail.se")
    mailchimp.member_unsubscribes(mailchimp.list_id, "ann@mail.se")
    data, body, headers = listener.got[0]
    assert data["type"] == "unsubscribe"
    assert data["data[action]"] == "unsub"
    assert data["data[reason]"] == "manual"
    assert data["data[email]"] == "ann@mail.se"
    assert data["data[list_id]"] == mailchimp.list_id
    assert data["data[merges][EMAIL]"] == "ann@mail.se"
    assert len(data["fired_at"]) == len("2026-11-24 01:44:33")
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    at, _, _ = headers["X-Mailchimp-Signature"].removeprefix("t=").partition(",")
    assert headers["X-Mailchimp-Signature"] == sign(secret, body, int(at))
    assert [delivery.status for delivery in mailchimp.deliveries] == [200]


def test_bounces_and_new_addresses_are_told(mailchimp, call, listener):
    hook(call, listener)
    call.add("ann@mail.se", "bo@mail.se")
    mailchimp.member_cleaned(mailchimp.list_id, "ann@mail.se")
    mailchimp.member_changes_address(mailchimp.list_id, "bo@mail.se", "bo@post.se")
    cleaned, moved = (data for data, _body, _headers in listener.got)
    del cleaned["fired_at"], moved["fired_at"]
    assert cleaned == {
        "type": "cleaned",
        "data[list_id]": mailchimp.list_id,
        "data[campaign_id]": "",
        "data[reason]": "hard",
        "data[email]": "ann@mail.se",
    }
    assert moved == {
        "type": "upemail",
        "data[new_id]": mailchimp.member("bo@post.se")["unique_email_id"],
        "data[new_email]": "bo@post.se",
        "data[old_email]": "bo@mail.se",
        "data[list_id]": mailchimp.list_id,
    }


def test_our_own_calls_are_told_only_to_hooks_that_want_them(mailchimp, call, listener):
    hook(call, listener)
    call.add("ann@mail.se")
    mailchimp.settle()
    assert listener.got == []
    made = call("GET", f"/lists/{mailchimp.list_id}/webhooks")[1]["webhooks"][0]
    call("PATCH", f"/lists/{mailchimp.list_id}/webhooks/{made['id']}", {"sources": {"api": True}})
    call.add("bo@mail.se")
    mailchimp.settle()
    assert [data["type"] for data, _, _ in listener.got] == ["subscribe"]


def test_webhook_can_be_sent_again(mailchimp, call, listener):
    hook(call, listener)
    call.add("ann@mail.se")
    listener.status = 500
    mailchimp.staff_unsubscribe(mailchimp.list_id, "ann@mail.se")
    listener.status = 200
    mailchimp.redeliver(mailchimp.deliveries[0])
    assert mailchimp.deliveries[0].answers == [500, 200]
    assert listener.got[0][1] == listener.got[1][1]


# Told to fail


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ("problem", "application/problem+json; charset=utf-8", None),
        ("html", "text/html", "<html><body><h1>Bad Gateway</h1></body></html>"),
        ("empty", "text/html", ""),
    ],
)
def test_failing_answers_the_status_for_the_calls_it_hits(mailchimp, call, body, kind, text):
    call.check = False
    mailchimp.fail(times=2, status=503, body=body, path="^/lists", retry_after=1)
    assert call("GET", "/ping")[0] == 200
    for _ in range(2):
        call.connection.request("GET", "/3.0/lists", headers={"Authorization": "Basic dXNlcjprZXk="})
        answer = call.connection.getresponse()
        got = answer.read().decode()
        assert (answer.status, answer.headers["Content-Type"]) == (503, kind)
        assert answer.headers["Retry-After"] == "1"
        assert text is None or got == text
    assert call("GET", "/lists")[0] == 200


@pytest.mark.parametrize("applied", [True, False])
def test_dropped_connection_leaves_the_call_applied_or_not(mailchimp, call, members, applied):
    mailchimp.drop(applied=applied, method="POST")
    with pytest.raises((RemoteDisconnected, ConnectionResetError)):
        call("POST", members, {"email_address": "ann@mail.se", "status": "subscribed"})
    assert list(mailchimp.members()) == (["ann@mail.se"] if applied else [])
    assert mailchimp.requests[-1].status is None


def test_stalled_call_is_answered_when_calm(mailchimp, call, members):
    mailchimp.stall(applied=True)
    body = {"email_address": "ann@mail.se", "status": "subscribed"}
    thread = threading.Thread(target=call, args=("POST", members, body))
    thread.start()
    wait_for(mailchimp.members, "the call to take effect")
    assert mailchimp.requests[-1].status is None
    mailchimp.calm()
    thread.join(10)
    assert mailchimp.requests[-1].status == 200


def test_requests_are_kept_with_what_was_said(mailchimp, call):
    call.add("ann@mail.se")
    call("GET", "/lists", count=5)
    write, read = mailchimp.requests
    assert (write.method, write.path) == ("POST", f"/lists/{mailchimp.list_id}")
    assert write.body == {"members": [{"email_address": "ann@mail.se", "status": "subscribed"}]}
    assert write.answer["total_created"] == 1
    assert (read.query, read.status) == ({"count": "5"}, 200)
    assert mailchimp.writes() == [write]
    assert mailchimp.calls("GET", "lists$") == [read]


# The contract itself


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "what"),
    [
        ("GET", "/list", {}, None, "no such path"),
        ("DELETE", "/lists/x/members", {}, None, "no such method"),
        ("GET", "/lists", {"colour": "red"}, None, "no such parameter"),
        ("GET", "/lists", {"fields": "l,i,s,t,s"}, None, "fields"),
        ("GET", "/lists/x/members", {"count": "1001"}, None, "count"),
        ("GET", "/lists/x/members", {"status": "gone"}, None, "status"),
        ("GET", "/lists/x/members", {"since_last_changed": "yesterday"}, None, "since_last_changed"),
        ("POST", "/lists/x/members", {}, {"email_address": "a@b.se"}, "'status' is a required"),
        ("POST", "/lists/x", {}, {"members": [{"status": "gone"}]}, "members/0/status"),
        ("POST", "/lists/x", {}, {"members": [{"colour": "red"}]}, "colour"),
        ("POST", "/lists/x", {}, {"members": [{}] * 501}, "too long"),
        ("POST", "/lists/x/members/y/actions/delete-permanent", {}, {"a": 1}, "takes no body"),
    ],
)
def test_contract_refuses_what_is_not_described(method, path, query, body, what):
    with pytest.raises(contract.ContractBroken, match=what):
        contract.check_request(method, path, query, body)


def test_contract_refuses_an_answer_that_is_not_described():
    with pytest.raises(contract.ContractBroken, match="colour"):
        contract.check_response("GET", "/lists/x/webhooks", 200, {"webhooks": [], "colour": "red"})
