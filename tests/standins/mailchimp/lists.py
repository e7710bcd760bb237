"""/, /ping, /lists and the batch of members."""

from tests.standins.mailchimp import members
from tests.standins.mailchimp.answers import cut, page, time_asked
from tests.standins.mailchimp.checking import MEMBER, check, faults
from tests.standins.mailchimp.problems import Problem, invalid
from tests.standins.mailchimp.routing import Call, operation
from tests.standins.mailchimp.state import Account, Audience, Member, subscriber_hash
from tests.standins.mailchimp.writing import Writer

BATCH_LIMIT = 500
SHAPE: dict[str, object] = {
    "name": str,
    "contact": dict,
    "permission_reminder": str,
    "campaign_defaults": dict,
    "email_type_option": bool,
    "use_archive_bar": bool,
    "notify_on_subscribe": str,
    "notify_on_unsubscribe": str,
    "double_optin": bool,
    "marketing_permissions": bool,
}


def rendered(account: Account, audience: Audience, with_total: bool) -> dict:
    counts = audience.status_counts()
    settings = audience.settings
    stats: dict[str, object] = {
        "member_count": counts["subscribed"],
        "unsubscribe_count": counts["unsubscribed"],
        "cleaned_count": counts["cleaned"],
        "member_count_since_send": counts["subscribed"],
        "unsubscribe_count_since_send": counts["unsubscribed"],
        "cleaned_count_since_send": counts["cleaned"],
        "campaign_count": sum(c.recipients.get("list_id") == audience.id for c in account.campaigns.values()),
        "campaign_last_sent": settings.get("campaign_last_sent", ""),
        "merge_field_count": len(audience.merge_fields),
        "avg_sub_rate": 0,
        "avg_unsub_rate": 0,
        "target_sub_rate": 0,
        "open_rate": 0,
        "click_rate": 0,
        "last_sub_date": "",
        "last_unsub_date": "",
    }
    if with_total:
        stats["total_contacts"] = len(audience.members) - counts["archived"]
    return {
        "id": audience.id,
        "web_id": audience.web_id,
        "name": audience.name,
        "contact": settings.get("contact", {}),
        "permission_reminder": settings.get("permission_reminder", ""),
        "use_archive_bar": settings.get("use_archive_bar", False),
        "campaign_defaults": settings.get("campaign_defaults", {}),
        "notify_on_subscribe": settings.get("notify_on_subscribe", ""),
        "notify_on_unsubscribe": settings.get("notify_on_unsubscribe", ""),
        "date_created": audience.date_created,
        "list_rating": 0,
        "email_type_option": settings.get("email_type_option", False),
        "subscribe_url_short": f"http://eepurl.test/{audience.id}",
        "subscribe_url_long": f"https://realstars.us1.list-manage.test/subscribe?id={audience.id}",
        "beamer_address": f"us1-{audience.id}@inbound.mailchimp.test",
        "visibility": "pub",
        "double_optin": settings.get("double_optin", False),
        "has_welcome": False,
        "marketing_permissions": settings.get("marketing_permissions", False),
        "modules": [],
        "stats": stats,
    }


@operation("GET", "/")
def root(call: Call) -> dict:
    account = call.account
    subscribed = sum(audience.status_counts()["subscribed"] for audience in account.audiences.values())
    return cut(
        call,
        {
            "account_id": "realstars",
            "login_id": "1",
            "account_name": account.name,
            "email": "owner@realstars.test",
            "first_name": "Astrid",
            "last_name": "Berg",
            "username": "realstars",
            "role": "owner",
            "account_timezone": "Europe/Stockholm",
            "account_industry": "Non-Profit",
            "total_subscribers": subscribed,
        },
    )


@operation("GET", "/ping")
def ping(call: Call) -> dict:
    return {"health_status": "Everything's Chimpy!"}


@operation("GET", "/lists")
def list_audiences(call: Call) -> dict:
    audiences = list(call.account.audiences.values())
    since, before = time_asked(call, "since_date_created"), time_asked(call, "before_date_created")
    if since:
        audiences = [audience for audience in audiences if audience.date_created > since]
    if before:
        audiences = [audience for audience in audiences if audience.date_created < before]
    if "email" in call.query:
        audiences = [audience for audience in audiences if audience.find(call.query["email"])]
    if call.query.get("sort_field") == "date_created":
        audiences.sort(key=lambda a: a.date_created, reverse=call.query.get("sort_dir") == "DESC")
    constraints = {"may_create": True, "max_instances": 100, "current_total_instances": len(audiences)}
    with_total = call.flag("include_total_contacts")
    return page(call, audiences, "lists", lambda a: rendered(call.account, a, with_total), constraints=constraints)


@operation("POST", "/lists")
def add_audience(call: Call) -> dict:
    required = ("name", "contact", "permission_reminder", "campaign_defaults")
    check(call.body, SHAPE, required)
    if "email_type_option" not in call.body:
        raise invalid([("email_type_option", "This value should not be blank.")])
    settings = {name: call.body[name] for name in SHAPE if name in call.body}
    audience = call.account.add_audience(call.body["name"], settings=settings)
    return rendered(call.account, audience, False)


@operation("GET", "/lists/{list_id}")
def get_audience(call: Call) -> dict:
    return cut(call, rendered(call.account, call.audience, call.flag("include_total_contacts")))


@operation("PATCH", "/lists/{list_id}")
def change_audience(call: Call) -> dict:
    check(call.body, SHAPE)
    audience = call.audience
    audience.settings.update({name: call.body[name] for name in SHAPE if name in call.body})
    audience.name = call.body.get("name", audience.name)
    return rendered(call.account, audience, False)


@operation("DELETE", "/lists/{list_id}")
def delete_audience(call: Call) -> None:
    del call.account.audiences[call.audience.id]


@operation("POST", "/lists/{list_id}")
def write_members(call: Call) -> dict:
    """Up to 500 members at once; 200 even if every one of them is refused."""
    audience = call.audience
    check(call.body, {"members": list, "update_existing": bool, "sync_tags": bool}, ("members",))
    if not 0 < len(call.body["members"]) <= BATCH_LIMIT:
        raise invalid([("members", f"Between 1 and {BATCH_LIMIT} members may be sent in one request.")])
    batch = _Batch(call)
    for body in call.body["members"]:
        batch.take(body)
    return cut(
        call,
        {
            "new_members": [members.brief(audience, member) for member in batch.new],
            "updated_members": [members.brief(audience, member) for member in batch.updated],
            "errors": batch.errors,
            "total_created": len(batch.new),
            "total_updated": len(batch.updated),
            "error_count": len(batch.errors),
        },
    )


class _Batch:
    def __init__(self, call: Call) -> None:
        self.audience = call.audience
        self.update_existing = call.body.get("update_existing", False)
        self.sync_tags = call.body.get("sync_tags", False)
        self.ignore_twice = call.flag("skip_duplicate_check")
        self.writer = Writer(call.account, call.audience, skip_merge_validation=call.flag("skip_merge_validation"))
        self.now = call.account.instant()
        self.seen: set[str] = set()
        self.new: list[Member] = []
        self.updated: list[Member] = []
        self.errors: list[dict] = []

    def take(self, body: object) -> None:
        email = body.get("email_address", "") if isinstance(body, dict) else ""
        wrong = faults(body, MEMBER, ("email_address",))
        if wrong:
            self.refuse(email, "The resource submitted could not be validated.", *wrong[0])
            return
        key = subscriber_hash(email)
        if key in self.seen:
            if not self.ignore_twice:
                self.refuse(email, f"{email} is in this request more than once.", code="ERROR_CONTACT_EXISTS")
            return
        self.seen.add(key)
        known = self.audience.find(email)
        there = known is not None and known.status != "archived"
        if there and not self.update_existing:
            self.refuse(
                email,
                f"{email} is already a list member, do you want to update? please provide "
                "update_existing:true in the request body",
                code="ERROR_CONTACT_EXISTS",
            )
            return
        if not there and not body.get("status"):
            self.refuse(
                email,
                "The resource submitted could not be validated.",
                "status",
                "This value should not be blank.",
            )
            return
        try:
            member = self.writer.write(known, body, body.get("status"))
        except Problem as problem:
            first = (problem.errors or [{}])[0]
            self.refuse(email, problem.detail, first.get("field", ""), first.get("message", ""))
            return
        self.set_tags(member, body.get("tags"))
        (self.updated if there else self.new).append(member)

    def set_tags(self, member: Member, names: list[str] | None) -> None:
        if self.sync_tags:
            for number in list(member.tags):
                if self.audience.segments[number].name not in (names or []):
                    self.audience.untag(member, self.audience.segments[number], self.now)
        self.writer.give_tags(member, names or [])

    def refuse(self, email: str, error: str, field: str = "", message: str = "", code: str = "ERROR_GENERIC") -> None:
        self.errors.append(
            {
                "email_address": email,
                "error": error,
                "error_code": code,
                "field": field,
                "field_message": message,
            }
        )
