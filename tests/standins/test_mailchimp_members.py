"""Members of the Mailchimp stand-in, one at a time and in batches."""

import pytest


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


def test_pages_of_one_second_fit_together(mailchimp, call, members):
    call.add(*(f"p{number}@mail.se" for number in range(250)))
    query = {"sort_field": "last_changed", "sort_dir": "ASC", "count": 100, "fields": "members.email_address"}
    pages = [call("GET", members, offset=offset, **query)[1]["members"] for offset in (0, 100, 200)]
    assert [m["email_address"] for page in pages for m in page] == [f"p{number}@mail.se" for number in range(250)]


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
