"""/lists/{list_id}/webhooks. The answer that makes a hook is the only one that holds its secret."""

import secrets

from tests.standins.mailchimp.checking import check
from tests.standins.mailchimp.problems import invalid, not_found, refused
from tests.standins.mailchimp.routing import Call, operation
from tests.standins.mailchimp.state import Audience, Webhook, new_id

EVENTS = ("subscribe", "unsubscribe", "profile", "cleaned", "upemail", "campaign")
SOURCES = ("user", "admin", "api")


def rendered(audience: Audience, hook: Webhook) -> dict:
    return {
        "id": hook.id,
        "url": hook.url,
        "events": hook.events,
        "sources": hook.sources,
        "list_id": audience.id,
    }


@operation("GET", "/lists/{list_id}/webhooks")
def list_webhooks(call: Call) -> dict:
    audience = call.audience
    hooks = [rendered(audience, hook) for hook in audience.webhooks.values()]
    return {"webhooks": hooks, "list_id": audience.id, "total_items": len(hooks)}


@operation("POST", "/lists/{list_id}/webhooks")
def add_webhook(call: Call) -> dict:
    _check(call)
    if "url" not in call.body:
        raise invalid([("url", "This value should not be blank.")])
    events = {name: call.body.get("events", {}).get(name, "events" not in call.body) for name in EVENTS}
    sources = {name: call.body.get("sources", {}).get(name, True) for name in SOURCES}
    hook = Webhook(new_id(), call.body["url"], "whsec_" + secrets.token_hex(16), events, sources)
    call.audience.webhooks[hook.id] = hook
    return {**rendered(call.audience, hook), "secret": hook.secret}


@operation("GET", "/lists/{list_id}/webhooks/{webhook_id}")
def get_webhook(call: Call) -> dict:
    return rendered(call.audience, _hook(call))


@operation("PATCH", "/lists/{list_id}/webhooks/{webhook_id}")
def change_webhook(call: Call) -> dict:
    hook = _hook(call)
    _check(call, hook)
    hook.url = call.body.get("url", hook.url)
    hook.events.update(call.body.get("events", {}))
    hook.sources.update(call.body.get("sources", {}))
    return rendered(call.audience, hook)


@operation("DELETE", "/lists/{list_id}/webhooks/{webhook_id}")
def delete_webhook(call: Call) -> None:
    del call.audience.webhooks[_hook(call).id]


def _check(call: Call, but: Webhook | None = None) -> None:
    check(call.body, {"url": str, "events": dict, "sources": dict})
    check(call.body.get("events", {}), dict.fromkeys(EVENTS, bool))
    check(call.body.get("sources", {}), dict.fromkeys(SOURCES, bool))
    url = call.body.get("url")
    if url is not None and not url.startswith(("http://", "https://")):
        raise invalid([("url", "Please enter a valid URL.")])
    if any(hook.url == url for hook in call.audience.webhooks.values() if hook is not but):
        raise refused("Sorry, you can't set up multiple WebHooks for one URL")


def _hook(call: Call) -> Webhook:
    try:
        return call.audience.webhooks[call.parts["webhook_id"]]
    except KeyError:
        raise not_found() from None
