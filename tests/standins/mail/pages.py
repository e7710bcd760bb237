"""The pages, as HTML."""

import re
from email.utils import getaddresses, parseaddr
from html import escape
from urllib.parse import urlencode, urlsplit

from tests.standins.mail.store import Mail

PAGE = 50
VIEWS = {"html": "Message", "text": "Plain text", "headers": "Headers", "raw": "Raw"}


def mails(shown: list[Mail], count: int, wanted: str, start: int, more: bool) -> str:
    rows = "".join(_row(mail) for mail in shown)
    if not shown:
        rows = f'<p class="empty">{"No mail to such an address." if wanted else "No mail yet."}</p>'
    else:
        rows = f'<ol class="mails">{rows}</ol>'
    turns = ""
    if start:
        turns += f'<a href="/?{_where(wanted, max(0, start - PAGE))}">Newer</a>'
    if more:
        turns += f'<a class="older" href="/?{_where(wanted, start + PAGE)}">Older</a>'
    total = "1 mail" if count == 1 else f"{count:,} mails"
    return _page(
        f"Inbox · {total}",
        f"""<header class="bar"><h1><a href="/">Inbox</a> <small id="count" data-count="{count}">{total}</small></h1>
<form role="search"><input type="search" name="to" value="{escape(wanted)}" placeholder="Find a recipient"
 aria-label="Find a recipient"><button>Find</button></form></header>
<main>{rows}<nav class="turns">{turns}</nav></main>
<footer>Every mail that was sent on this machine. Nothing is passed on.</footer>""",
    )


def mail(mail: Mail, view: str) -> str:
    there = [name for name in VIEWS if name in ("headers", "raw") or getattr(mail, name)]
    view = view if view in there else there[0]
    tabs = "".join(
        f'<a href="?view={name}"{" aria-current=page" if name == view else ""}>{VIEWS[name]}</a>' for name in there
    )
    body = {"html": _html, "text": _text, "headers": _headers, "raw": _raw}[view](mail)
    name, address = _person(mail.header("From") or mail.sender)
    return _page(
        mail.subject or "(no subject)",
        f"""<header class="bar"><h1><a href="/">← Inbox</a></h1></header>
<main class="mail"><h2 dir="auto">{escape(mail.subject) or "(no subject)"}</h2>
<div class="people">{_disc(name or address)}<div><div class="from"><bdi><strong>{escape(name or address)}</strong></bdi>
 {f"<span>{escape(address)}</span>" if name else ""}{_leave(mail)}</div>
<div class="to">to {escape(", ".join(mail.to))}</div></div>
<time datetime="{mail.received.isoformat()}">{mail.received:%d %b %Y, %H:%M:%S} UTC</time></div>
<nav class="tabs">{tabs}</nav>{body}{_attachments(mail)}</main>""",
    )


def nowhere() -> str:
    return _page(
        "Not here",
        '<header class="bar"><h1><a href="/">← Inbox</a></h1></header><main><p class="empty">There is no such mail, '
        "or it is no longer kept.</p></main>",
    )


def _row(mail: Mail) -> str:
    recipients = ", ".join(mail.to)
    name = next((name for name, _ in getaddresses([mail.header("To")]) if name), "") or recipients
    snippet = re.sub(r"\s+", " ", mail.text)[:140]
    return f"""<li><a href="/messages/{mail.id}">{_disc(name)}
<span class="who" dir="auto">{escape(name)}</span><time datetime="{mail.received.isoformat()}">{mail.received:%H:%M:%S}</time>
<span class="what"><b dir="auto">{escape(mail.subject) or "(no subject)"}</b> <i>{escape(snippet)}</i></span>
<span class="address">{escape(recipients)}</span></a></li>"""


def _html(mail: Mail) -> str:
    return f'<iframe sandbox="allow-popups allow-popups-to-escape-sandbox" src="/messages/{mail.id}/html" title="Message"></iframe>'


def _text(mail: Mail) -> str:
    linked = re.sub(
        r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]",
        lambda found: f'<a href="{found[0]}" target="_blank" rel="noreferrer">{found[0]}</a>',
        escape(mail.text),
    )
    return f'<pre class="text" dir="auto">{linked}</pre>'


def _headers(mail: Mail) -> str:
    rows = "".join(f"<tr><th>{escape(name)}<td>{escape(str(value))}" for name, value in mail.message.items())
    envelope = f"{mail.sender or '<>'} → {', '.join(mail.to)} {' '.join(mail.options)}"
    return f'<div class="wide"><table><tr><th>Envelope<td>{escape(envelope)}{rows}</table></div>'


def _raw(mail: Mail) -> str:
    return f'<pre class="raw">{escape(mail.raw.decode(errors="replace"))}</pre>'


def _leave(mail: Mail) -> str:
    """The button that mail programs show beside the sender: one click, by POST (RFC 8058)."""
    found = re.search(r"<(https?://[^>\s]+)>", mail.header("List-Unsubscribe"))
    if not found or "one-click" not in mail.header("List-Unsubscribe-Post").lower():
        return ""
    return (
        f'<form class="leave" method="post" action="{escape(found[1])}" target="_blank">'
        '<input type="hidden" name="List-Unsubscribe" value="One-Click">'
        f'<button title="One-click unsubscribe at {escape(urlsplit(found[1]).netloc)}">Unsubscribe</button></form>'
    )


def _attachments(mail: Mail) -> str:
    files = [
        f'<li><a href="/messages/{mail.id}/parts/{index}">{escape(part.get_filename() or part.get_content_type())}</a>'
        for index, part in enumerate(mail.attachments)
    ]
    return f'<ul class="files">{"".join(files)}</ul>' if files else ""


def _disc(name: str) -> str:
    """A disc with the person's initial, in a colour of theirs."""
    letter = next((letter for letter in name if letter.isalnum()), "?").upper()
    return f'<span class="disc c{sum(map(ord, name)) % 8}" aria-hidden="true">{escape(letter)}</span>'


def _person(header: str) -> tuple[str, str]:
    return parseaddr(header)


def _where(wanted: str, start: int) -> str:
    return escape(urlencode({"to": wanted, "from": start} if wanted else {"from": start}))


def _page(title: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,"><link rel="stylesheet" href="/mail.css"><script src="/mail.js" defer></script></head>
<body>{body}</body></html>"""
