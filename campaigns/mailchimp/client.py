"""Mailchimp's own client, made fit for work: the one class through which every call goes.

What it mends of mailchimp-marketing 3.0.80: a new connection for every call; no retries; an empty body taken for success
whatever the status; problem+json handed back as text; errors that can't be pickled; `server` replaced anywhere in the
address.
"""

import json
import random
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import mailchimp_marketing
import requests
from django.conf import settings
from django.utils.translation import gettext as _
from mailchimp_marketing.api_client import ApiClient

from campaigns.mailchimp import circuit
from campaigns.mailchimp.campaign_calls import ONCE, CampaignCalls
from campaigns.mailchimp.slots import NoSlot, slot

CONNECT_TIMEOUT, READ_TIMEOUT = 5, 30
"""Seconds, the second between two pieces of an answer."""
WHOLE_TIMEOUT = 50
"""Seconds for an answer that comes in drops; less than the lease of a slot."""
MOST_BYTES = 64 * 1024 * 1024
ATTEMPTS = 5
LONGEST_PAUSE = 20
"""Seconds between two attempts, whatever the server asks for."""
BUDGET = 45
"""Seconds after which a call is not tried again: a task may take about a minute, and its next run goes on from here."""
HASTE = (2, 5)
"""Seconds to connect and to read while a person waits for a page; then there is one attempt only."""
T = TypeVar("T")
GONE = frozenset({404, 405})
"""Statuses of archiving or deleting somebody who is not there, or not any more."""
_HEALABLE = {429, 500, 502, 503, 504}
_KEY = re.compile(r"[0-9A-Za-z]+-[a-z]{2,3}\d{1,3}")


class MailchimpError(Exception):
    """Mailchimp refused a call, or could not be reached (status 0)."""

    retry_after: int | None = None
    """Seconds that Mailchimp asked us to wait."""

    def __init__(self, status: int, title: str, detail: str = "", errors: tuple = ()) -> None:
        super().__init__(status, title, detail, errors)
        self.status, self.title, self.detail, self.errors = status, title, detail, errors

    def __str__(self) -> str:
        return f"{self.status} {self.title}"

    @property
    def for_staff(self) -> str:
        if self.status == 401:
            return _("Mailchimp does not accept the API key. Ask whoever runs Lodestar to check MAILCHIMP_API_KEY.")
        if self.status == 403:
            return _("The API key may not do this in Mailchimp.")
        if self.status == 404:
            return _("Mailchimp has no such audience, or it was deleted there.")
        if self.status == 429:
            return _("Mailchimp asks us to slow down. It goes on by itself.")
        if self.status == 0 or self.status >= 500:
            return _("Mailchimp does not answer just now. It goes on by itself.")
        said = "; ".join(str(error.get("message", "")) for error in self.errors if isinstance(error, Mapping))
        return _("Mailchimp refused: %(why)s") % {"why": said or self.detail or self.title}

    @property
    def passing(self) -> bool:
        """Whether the same call may work later."""
        return self.status in _HEALABLE or self.status == 0


class NotConfigured(MailchimpError):
    """There is no key, or it is none."""

    def __init__(self, reason: str) -> None:
        super().__init__(401, reason)
        self.args = (reason,)

    @property
    def for_staff(self) -> str:
        return self.title


class _Pooled(ApiClient):
    """The generated client over one pool of connections, with retries and honest errors."""

    def __init__(self, key: str, url: str, *, quick: bool) -> None:
        super().__init__({"api_key": key})
        self.timeout = HASTE if quick else (CONNECT_TIMEOUT, READ_TIMEOUT)
        self.whole_timeout = sum(HASTE) if quick else WHOLE_TIMEOUT
        self.attempts = 1 if quick else ATTEMPTS
        self.host, self.server = (
            (url.rstrip("/"), "") if url else (f"https://{self.server}.api.mailchimp.com/3.0", "")
        )
        self.session = requests.Session()
        self.session.auth = ("lodestar", key)
        self.session.mount("http", requests.adapters.HTTPAdapter(pool_maxsize=10))

    def call_api(
        self,
        resource_path: str,
        method: str,
        path_params: Mapping[str, Any] | None = None,
        query_params: Any = None,
        header_params: Any = None,
        body: Any = None,
        *_args: Any,
        read: Callable[[bytes], Any] | None = None,
        **_kwargs: Any,
    ) -> Any:
        once = (method, resource_path) in ONCE
        for name, value in (path_params or {}).items():
            resource_path = resource_path.replace(f"{{{name}}}", requests.utils.quote(str(value), safe=""))
        query = [(name, _text(value)) for name, value in query_params or []]
        sent = body if body is None or isinstance(body, str) else json.dumps(body)
        until = time.monotonic() + BUDGET
        attempt = 0
        while True:
            attempt += 1
            if not circuit.may_call():
                raise MailchimpError(0, "Circuit open")
            try:
                return self._once(method, self.host + resource_path, query, sent, read or _document)
            except MailchimpError as error:
                pause = _pause(attempt, error.retry_after)
                repeatable = error.passing and (error.status == 429 or not once)  # a throttled call took no effect
                if not repeatable or attempt >= self.attempts or time.monotonic() + pause > until:
                    raise
                time.sleep(pause)

    def _once(self, method: str, url: str, query: list, body: str | None, read: Callable[[bytes], Any]) -> Any:
        try:
            with slot(patience=BUDGET if self.attempts > 1 else sum(HASTE)) as held:
                try:
                    answer, content = self._ask(method, url, query, body)
                except requests.Timeout:
                    held.keep()
                    raise
            result = {} if answer.status_code == 204 else _result(answer, content, read)
        except NoSlot as failure:
            raise MailchimpError(0, type(failure).__name__) from None
        except requests.RequestException as failure:
            circuit.failed()
            raise MailchimpError(0, type(failure).__name__) from None
        except MailchimpError as error:
            if error.status >= 500:
                circuit.failed()
            elif error.status != 429:
                circuit.answered()
            raise
        circuit.answered()
        return result

    def _ask(self, method: str, url: str, query: list, body: str | None) -> tuple[requests.Response, bytes]:
        """The answer and its body, which is waited for only so long, however slowly it drips."""
        until = time.monotonic() + self.whole_timeout
        headers = {"Content-Type": "application/json"}
        with self.session.request(
            method,
            url,
            params=query,
            data=body,
            headers=headers,
            timeout=self.timeout,
            stream=True,
            allow_redirects=False,
        ) as answer:
            content = bytearray()
            for piece in answer.iter_content(65_536):
                content += piece
                if time.monotonic() > until:
                    raise requests.Timeout
                if len(content) > MOST_BYTES:
                    raise requests.RequestException
            return answer, bytes(content)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, list | tuple) else str(value)


def _result(answer: requests.Response, content: bytes, read: Callable[[bytes], T | None]) -> T:
    """What was answered, as it is read; raises MailchimpError for a refusal and for what is no answer."""
    if answer.status_code >= 400:
        raise _error(answer, _document(content) or {})
    result = read(content) if answer.status_code < 300 else None
    if result is None:
        raise MailchimpError(502, "Unreadable answer")
    return result


def _document(content: bytes) -> dict | None:
    try:
        document = json.loads(content)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _error(answer: requests.Response, problem: dict) -> MailchimpError:
    # Only its API refuses in documents; what stands before it throttles without one.
    status = 429 if answer.status_code == 403 and not problem else answer.status_code
    errors = problem.get("errors")
    error = MailchimpError(
        status,
        str(problem.get("title") or answer.reason),
        str(problem.get("detail") or ""),
        tuple(errors) if isinstance(errors, list) else (),
    )
    after = answer.headers.get("Retry-After", "")
    error.retry_after = int(after) if after.isdigit() else None
    return error


def _pause(attempt: int, asked: int | None) -> float:
    """Seconds: what the server asked for, or exponential, with jitter, for the lanes of all workers fail at once."""
    least = 0 if asked is None else min(asked, LONGEST_PAUSE)
    spread = min(LONGEST_PAUSE, 0.5 * 2**attempt) if asked is None else 1
    return least + random.uniform(0, spread)  # noqa: S311 - it spreads load, it hides nothing


class Tag(NamedTuple):
    id: int
    name: str
    members: int
    """Who are subscribed."""


class Mailchimp(CampaignCalls):
    """The calls we make, by what they are for."""

    def __init__(self, key: str, url: str = "", *, quick: bool = False) -> None:
        if not key:
            raise NotConfigured(_("No Mailchimp key is set: MAILCHIMP_API_KEY."))
        if not url and not _KEY.fullmatch(key):
            raise NotConfigured(
                _("MAILCHIMP_API_KEY is no Mailchimp key: one ends in its data centre, such as -us12.")
            )
        client = mailchimp_marketing.Client()
        self._pooled = _Pooled(key, url, quick=quick)
        for api in (client.lists, client.root, client.campaigns, client.reports, client.batches):
            api.api_client = self._pooled
        self._lists, self._root, self._batches = client.lists, client.root, client.batches
        self._campaigns, self._reports = client.campaigns, client.reports

    def account(self) -> dict:
        return self._root.get_root(fields=["account_name", "login_id", "total_subscribers"])

    def audiences(self) -> list[dict]:
        fields = ["lists.id", "lists.name", "lists.stats.member_count"]
        return self._lists.get_all_lists(count=100, fields=fields).get("lists", [])

    def merge_fields(self, list_id: str) -> list[dict]:
        return self._lists.get_list_merge_fields(
            list_id, count=100, fields=["merge_fields.tag", "merge_fields.type", "merge_fields.options"]
        ).get("merge_fields", [])

    def add_merge_field(self, list_id: str, tag: str, name: str, kind: str = "text") -> dict:
        body = {"tag": tag, "name": name, "type": kind, "required": False}
        if kind == "phone":
            body["options"] = {"phone_format": "none"}  # numbers of any country
        try:
            return self._lists.add_list_merge_field(list_id, body)
        except MailchimpError as error:  # made by an earlier attempt whose answer got lost?
            if error.status != 400 or tag not in {field["tag"] for field in self.merge_fields(list_id)}:
                raise
            return body

    def tags(self, list_id: str) -> list[Tag]:
        """A tag is what the API calls a static segment."""
        found: list[Tag] = []
        fields = ["segments.id", "segments.name", "segments.member_count"]
        while True:
            page = self._lists.list_segments(
                list_id, type="static", count=1000, offset=len(found), fields=fields
            ).get("segments", [])
            found += [Tag(segment["id"], segment["name"], segment["member_count"]) for segment in page]
            if len(page) < 1000:
                return found

    def add_tag(self, list_id: str, name: str) -> int:
        """Make the tag; returns its id, also when there is an empty one: an earlier answer may have got lost."""
        try:
            return self._lists.create_segment(list_id, {"name": name, "static_segment": []})["id"]
        except MailchimpError as error:
            made = [tag.id for tag in self.tags(list_id) if tag.name == name and not tag.members]
            if error.status != 400 or not made:
                raise
            return made[0]

    def write_members(self, list_id: str, members: list[dict], *, update: bool) -> dict:
        """Up to 500 members. Each answer names who was written and who was refused; 200 may hold refusals only.

        A merge field that somebody there made required must not keep people out, nor keep them from leaving.
        """
        body = {"members": members, "update_existing": update, "sync_tags": False}
        return self._lists.batch_list_members(list_id, body, skip_merge_validation=True)

    def write_ready_members(self, list_id: str, members: str, read: Callable[[bytes], T | None]) -> T:
        """The same for new ones whose part of the body is there already, in JSON: `{…},{…}`; the answer as it is read."""
        body = f'{{"members":[{members}],"update_existing":false,"sync_tags":false}}'
        query = [("skip_merge_validation", True)]
        return self._pooled.call_api("/lists/{list_id}", "POST", {"list_id": list_id}, query, body=body, read=read)

    def hand_in(self, operations: Sequence[dict]) -> str:
        """Many calls that Mailchimp works off by and by; returns its id for them (bulk.py)."""
        return self._batches.start({"operations": list(operations)})["id"]

    def handed_in(self, batch_id: str) -> dict:
        """How far it is with them, and where the answers are, under an address that lives ten minutes."""
        return self._batches.status(batch_id, fields=["status", "response_body_url"])

    def take_back(self, batch_id: str) -> None:
        """Have it not worked off any further; harmless for one that is over."""
        try:
            self._batches.delete_request(batch_id)
        except MailchimpError as error:
            if error.passing or error.status == 401:
                raise

    def do(self, method: str, path: str, body: dict | None) -> dict:
        """A call about one member that is handed in just as well (each.py)."""
        query = [("skip_merge_validation", True)] if body else []
        return self._pooled.call_api(f"/{path}", method, {}, query, body=body)

    def change_member(self, list_id: str, subscriber_hash: str, body: dict) -> dict:
        return self._lists.update_list_member(list_id, subscriber_hash, body, skip_merge_validation=True)

    def member(self, list_id: str, subscriber_hash: str) -> tuple[str, list[int]] | None:
        """Status and tags of a member; None where there is none of that id."""
        try:
            member = self._lists.get_list_member(list_id, subscriber_hash, fields=["status", "tags", "tags_count"])
            if member["tags_count"] > len(member["tags"]):  # it shows fifty
                member |= self._lists.get_list_member_tags(list_id, subscriber_hash, count=1000)
        except MailchimpError as error:
            if error.status != 404:
                raise
            return None
        return member["status"], [tag["id"] for tag in member["tags"]]

    def archive(self, list_id: str, subscriber_hash: str) -> None:
        """Harmless for one who is archived or not there."""
        try:
            self._lists.delete_list_member(list_id, subscriber_hash)
        except MailchimpError as error:
            if error.status not in GONE:
                raise

    def signup_url(self, list_id: str) -> str:
        """Mailchimp's own form, through which anybody can sign up, the forgotten too."""
        return str(self._lists.get_list(list_id, fields=["subscribe_url_short"]).get("subscribe_url_short", ""))

    def delete_for_good(self, list_id: str, subscriber_hash: str) -> None:
        self._lists.delete_list_member_permanent(list_id, subscriber_hash)

    def change_tag(self, list_id: str, tag_id: int, add: list[str], remove: list[str]) -> dict:
        return self._lists.batch_segment_members(
            {"members_to_add": add, "members_to_remove": remove}, list_id, tag_id
        )

    def changed_members(
        self, list_id: str, names: Sequence[str], count: int, offset: int, **narrower: str
    ) -> tuple[list[dict], int]:
        """A page of members in order of their last change, with the named fields; and how many there are in all.

        `narrower`: status, since_last_changed, before_last_changed.
        """
        answer = self._lists.get_list_members_info(
            list_id,
            sort_field="last_changed",
            sort_dir="ASC",
            count=count,
            offset=offset,
            fields=[*(f"members.{name}" for name in names), "total_items"],
            **narrower,
        )
        return answer.get("members", []), answer.get("total_items", 0)

    def read_member(self, list_id: str, subscriber_hash: str, names: Sequence[str]) -> dict | None:
        """One member with the named fields; None if there is none, or none any more."""
        try:
            return self._lists.get_list_member(list_id, subscriber_hash, fields=list(names))
        except MailchimpError as error:
            if error.status != 404:
                raise
            return None

    def choices(self, list_id: str) -> dict[str, str]:
        """What the audience asks people to choose, by the key of its group: marketing permissions, and interests.

        They are told with a member only, and interests without their names.
        """
        names = ["members.marketing_permissions", "members.interests"]
        members = self._lists.get_list_members_info(list_id, count=1, fields=names).get("members", [])
        found: dict[str, str] = {}
        for member in members:
            found |= {
                f"p:{one['marketing_permission_id']}": one["text"]
                for one in member.get("marketing_permissions") or []
            }
            found |= {f"i:{key}": key for key in member.get("interests") or {}}
        return found

    def webhooks(self, list_id: str) -> list[dict]:
        return self._lists.get_list_webhooks(list_id).get("webhooks", [])

    def add_webhook(self, list_id: str, url: str) -> dict:
        return self._lists.create_list_webhook(list_id, {"url": url, **HEARD})

    def remove_webhook(self, list_id: str, webhook_id: str) -> None:
        self._lists.delete_list_webhook(list_id, webhook_id)

    def mend_webhook(self, list_id: str, webhook_id: str, url: str) -> dict:
        return self._lists.update_list_webhook(list_id, webhook_id, {"url": url, **HEARD})


# Said in full: what is left out would come from a default. Our own calls are not told back to us.
HEARD = {
    "events": {
        "subscribe": True,
        "unsubscribe": True,
        "profile": True,
        "cleaned": True,
        "upemail": True,
        "campaign": False,
    },
    "sources": {"user": True, "admin": True, "api": False},
}
_made = threading.local()


def connect(*, quick: bool = False) -> Mailchimp:
    """The client of this thread, with its pool of connections; quick while a person waits. Raises NotConfigured."""
    wanted = (settings.MAILCHIMP_API_KEY.strip(), settings.MAILCHIMP_API_URL)
    if getattr(_made, "settings", None) != wanted:
        _made.clients, _made.settings = {}, wanted
    if quick not in _made.clients:
        _made.clients[quick] = Mailchimp(*wanted, quick=quick)
    return _made.clients[quick]
