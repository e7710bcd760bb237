"""Webhooks of the Mailchimp stand-in."""

from tests.standins.mailchimp.deliveries import sign


def hook(call, listener, **sources):
    events = dict.fromkeys(("subscribe", "unsubscribe", "profile", "cleaned", "upemail"), True)
    sources = {"user": True, "admin": True, "api": False, **sources}
    path = f"/lists/{call.mailchimp.list_id}/webhooks"
    return call("POST", path, {"url": listener.url, "events": events, "sources": sources})


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
