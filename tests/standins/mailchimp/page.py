"""A page for people: what the stand-in holds, and buttons for what a person at Mailchimp might do."""

import re
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qsl, urlencode

from tests.standins.mailchimp.merge_fields import LIMIT
from tests.standins.mailchimp.state import Account, Audience, Member

if TYPE_CHECKING:
    from tests.standins.mailchimp.standin import MailchimpStandIn

HTML = "text/html; charset=utf-8"
PAGE = 50
STATUSES = ("subscribed", "pending", "unsubscribed", "cleaned", "archived", "transactional")
ACTS = {"member_unsubscribes": "Unsubscribe", "member_cleaned": "Bounce"}
POLICY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
Answer = tuple[int, bytes, str, dict[str, str]]


def answer(standin: "MailchimpStandIn", method: str, parts: SplitResult, raw: bytes, site: str) -> Answer:
    """`site`: where the browser says that the request comes from."""
    if parts.path == "/page.css":
        return 200, (Path(__file__).parent / "page.css").read_bytes(), "text/css; charset=utf-8", POLICY
    account = standin.account
    found = re.fullmatch(r"/(?:audiences/(\w+)/?)?", parts.path)
    audience = account.audiences.get(found[1] or next(iter(account.audiences), "")) if found else None
    if audience is None:
        body = '<main><p class="empty">There is no such audience. <a href="/">Back</a></p></main>'
        return 404, _page("Not here", body).encode(), HTML, POLICY
    if method == "POST":
        return _act(standin, audience, dict(parse_qsl(raw.decode())), site)
    with standin.lock:
        body = _audience(account, audience, dict(parse_qsl(parts.query)))
        log = "".join(
            f"<tr><td>{r.method}<td>{escape(r.path)}<td>{r.status or 'no answer'}" for r in standin.requests[:-16:-1]
        )
    calls = f"<details><summary>Latest of {standin.count:,} calls</summary><table>{log}</table></details>"
    return 200, _page(audience.name, f"{body}{calls}</main>").encode(), HTML, POLICY


def _act(standin: "MailchimpStandIn", audience: Audience, form: dict[str, str], site: str) -> Answer:
    act, email = form.get("act", ""), form.get("email", "")
    if site not in ("", "same-origin") or act not in ACTS or audience.find(email) is None:
        return 400, _page("Refused", '<main><p class="empty">That can\'t be done.</p></main>').encode(), HTML, POLICY
    getattr(standin, act)(audience.id, email)
    where = f"/audiences/{audience.id}?{urlencode({'q': email})}"
    return 303, b"", HTML, {**POLICY, "Location": where}


def _audience(account: Account, audience: Audience, query: dict[str, str]) -> str:
    counts = audience.status_counts()
    others = "".join(
        f'<a href="/audiences/{other.id}"{" aria-current=page" if other is audience else ""}>{escape(other.name)}</a>'
        for other in account.audiences.values()
    )
    tiles = "".join(
        f'<a href="{_where(audience, status=status)}"><b>{counts[status]:,}</b> {status}</a>'
        for status in STATUSES
        if counts[status] or status == "subscribed"
    )
    tags = "".join(
        f'<a class="tag" href="{_where(audience, tag=segment.name)}">{escape(segment.name)} <b>{len(segment.hashes):,}</b></a>'
        for segment in audience.segments.values()
        if segment.type == "static"
    )
    hooks = "".join(f"<li>{escape(re.sub('/[^/]{16,}', '/…', hook.url))}" for hook in audience.webhooks.values())
    campaigns = "".join(
        f"<tr><td>{escape(c.settings.get('title') or c.settings.get('subject_line') or c.id)}<td>{c.status}<td>{len(c.sent_to):,}"
        for c in reversed(account.campaigns.values())
        if c.recipients.get("list_id") == audience.id
    )
    fields = ", ".join(escape(field.tag) for field in audience.merge_fields)
    return f"""<header><p>Mailchimp stand-in</p><nav>{others}</nav></header><main>
<h1>{escape(audience.name)} <small>Audience ID {audience.id}</small></h1>
<div class="tiles">{tiles}</div>
{f'<h2>Tags</h2><p class="tags">{tags}</p>' if tags else ""}
<h2>Members</h2>{_members(audience, query)}
{f"<h2>Campaigns</h2><table><tr><th>Title<th>Status<th>Sent{campaigns}</table>" if campaigns else ""}
<details><summary>Merge fields: {len(audience.merge_fields)} of {LIMIT}</summary><p>{fields}</p></details>
<details><summary>Webhooks: {len(audience.webhooks)}</summary><ul>{hooks}</ul></details>"""


def _members(audience: Audience, query: dict[str, str]) -> str:
    found = _found(audience, query)
    start = int(query["from"]) if query.get("from", "").isdecimal() else 0
    rows = "".join(_row(audience, member) for member in found[start : start + PAGE])
    kept = {name: query[name] for name in ("q", "status", "tag") if query.get(name)}
    chosen = "".join(
        f'<a class="tag on" href="{_where(audience, **{n: v for n, v in kept.items() if n != name})}">{escape(value)} ×</a>'
        for name, value in kept.items()
        if name != "q"
    )
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in kept.items() if name != "q"
    )
    turns = ""
    if start:
        turns += f'<a href="{_where(audience, **kept, **{"from": str(max(0, start - PAGE))})}">Previous</a>'
    if len(found) > start + PAGE:
        turns += f'<a class="next" href="{_where(audience, **kept, **{"from": str(start + PAGE)})}">Next</a>'
    table = (
        f'<table class="members"><thead><tr><th>Address<th>Status<th>Tags<th>Last changed<th></thead>{rows}</table>'
        if rows
        else '<p class="empty">Nobody here.</p>'
    )
    return f"""<form role="search"><input type="search" name="q" value="{escape(query.get("q", ""))}"
 placeholder="Find an address or a name" aria-label="Find an address or a name">{hidden}<button>Find</button>
<span>{len(found):,} {"member" if len(found) == 1 else "members"}</span>{chosen}</form>
{table}<nav class="turns">{turns}</nav>"""


def _found(audience: Audience, query: dict[str, str]) -> list[Member]:
    """The one changed last comes first."""
    wanted, status, tag = query.get("q", "").strip().lower(), query.get("status"), query.get("tag")
    segment = audience.tag_named(tag) if tag else None
    return [
        member
        for member in reversed(audience.members.values())
        if (not status or member.status == status)
        and (not tag or (segment and segment.id in member.tags))
        and (not wanted or wanted in f"{member.email} {_name(member)}".lower())
    ]


def _row(audience: Audience, member: Member) -> str:
    tags = "".join(f'<span class="tag">{escape(audience.segments[number].name)}</span>' for number in member.tags)
    acts = "".join(
        f'<button name="act" value="{act}" title="{title}, as if it happened at Mailchimp">{title}</button>'
        for act, title in ACTS.items()
        if member.status in ("subscribed", "pending")
    )
    form = f'<form method="post" action="/audiences/{audience.id}"><input type="hidden" name="email" value="{escape(member.email)}">{acts}</form>'
    return f"""<tr><td><strong>{escape(member.email)}</strong><small dir="auto">{escape(_name(member))}</small>
<td><span class="status {member.status}">{member.status}</span><td>{tags}
<td><time>{escape(member.last_changed[:19].replace("T", " "))}</time><td>{form if acts else ""}"""


def _name(member: Member) -> str:
    return f"{member.merge_fields.get('FNAME', '')} {member.merge_fields.get('LNAME', '')}".strip()


def _where(audience: Audience, **query: str) -> str:
    return escape(f"/audiences/{audience.id}" + (f"?{urlencode(query)}" if query else ""))


def _page(title: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)} · Mailchimp stand-in</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,"><link rel="stylesheet" href="/page.css"></head><body>{body}</body></html>"""
