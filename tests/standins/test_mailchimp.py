"""The stand-in for Mailchimp, asked over HTTP; every answer is held against Mailchimp's own description."""

import threading

import mailchimp_marketing
import pytest

from tests.processes import wait_for
from tests.standins.conftest import Client
from tests.standins.mailchimp import contract, routing

# Doors


def test_every_operation_described_is_served():
    described = {
        (method.upper(), path) for path, methods in contract.description()["paths"].items() for method in methods
    }
    served = {(method, path) for _pattern, path, methods in routing.routes for method in methods}
    assert served - described == {("GET", "/"), ("GET", "/ping")}
    assert described - served == set()


def test_official_client_is_answered(mailchimp):
    client = mailchimp_marketing.Client({"api_key": "key-us1"})
    client.api_client.host = mailchimp.url
    members = [{"email_address": "ann@mail.se", "status": "subscribed"}]
    made = client.lists.batch_list_members(mailchimp.list_id, {"members": members})["new_members"][0]
    answer = client.lists.get_list_member(mailchimp.list_id, made["id"], fields=["email_address", "status"])
    assert answer == {"email_address": "ann@mail.se", "status": "subscribed"}
    assert client.lists.delete_list_member_permanent(mailchimp.list_id, made["id"]).status_code == 204
    assert mailchimp.members() == {}
    assert contract.check_calls(mailchimp.requests) == 3


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
