"""POST /__control__, for the process form: {"do": "fail", "times": 2, "status": 503} calls fail(times=2, …).

GET /__control__ tells the calls so far.
"""

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.standins.mailchimp.standin import MailchimpStandIn

ORDERS = (
    *(
        "delay",
        "fail",
        "drop",
        "stall",
        "calm",
        "skew",
        "sending_takes",
        "add_list",
        "member",
        "forget_requests",
        "settle",
    ),
    *("member_subscribes", "member_confirms", "member_unsubscribes", "member_cleaned"),
    *("member_changes_address", "member_changes_profile"),
    *("campaign_sent", "member_opens", "member_clicks", "member_bounces"),
    *("staff_add", "staff_unsubscribe", "staff_archive", "staff_delete", "staff_tag", "staff_untag"),
)
JSON = "application/json"


def answer(standin: "MailchimpStandIn", method: str, raw: bytes) -> tuple[int, bytes, str]:
    if method == "GET":
        calls = [{"method": r.method, "path": r.path, "status": r.status} for r in standin.requests]
        told = {"count": standin.count, "most_at_once": standin.most_at_once, "requests": calls}
        return 200, json.dumps(told).encode(), JSON
    try:
        order = json.loads(raw)
        name = order.pop("do")
        if name not in ORDERS:
            raise ValueError(f"Unknown order {name!r}; there are {', '.join(ORDERS)}")
        result = getattr(standin, name)(**order)
    except Exception as error:
        return 400, json.dumps({"error": f"{type(error).__name__}: {error}"}).encode(), JSON
    return 200, json.dumps({"result": result}).encode(), JSON
