"""/batches: many calls handed in at once, done by and by, their answers in an archive fetched without a key."""

import io
import json
import tarfile
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.standins.mailchimp.answers import cut, page
from tests.standins.mailchimp.checking import check
from tests.standins.mailchimp.problems import Problem, invalid, not_found
from tests.standins.mailchimp.routing import Call, operation
from tests.standins.mailchimp.state import Account, Batch, new_id

LIFE = timedelta(minutes=10)
"""Of the address of an archive; asking for the batch again gives a new one."""


def rendered(account: Account, batch: Batch) -> dict:
    until = int((account.now() + LIFE).timestamp())
    return {
        "id": batch.id,
        "status": batch.status,
        "total_operations": len(batch.operations),
        "finished_operations": len(batch.results),
        "errored_operations": sum(result["status_code"] >= 400 for result in batch.results),
        "submitted_at": batch.submitted_at,
        "completed_at": batch.completed_at,
        "response_body_url": f"{account.address}/batches/{batch.id}.tar.gz?until={until}"
        if batch.status == "finished"
        else "",
    }


@operation("GET", "/batches")
def list_batches(call: Call) -> dict:
    return page(call, list(call.account.batches.values()), "batches", lambda b: rendered(call.account, b))


@operation("POST", "/batches")
def add_batch(call: Call) -> dict:
    check(call.body, {"operations": list}, ("operations",))
    for asked in call.body["operations"]:
        check(asked, {"method": ("GET", "POST", "PUT", "PATCH", "DELETE"), "path": str}, ("method", "path"))
    if not call.body["operations"]:
        raise invalid([("operations", "This value should not be blank.")])
    batch = Batch(new_id(), call.body["operations"], call.account.instant())
    call.account.batches[batch.id] = batch
    return rendered(call.account, batch)


@operation("GET", "/batches/{batch_id}")
def get_batch(call: Call) -> dict:
    return cut(call, rendered(call.account, _batch(call)))


@operation("DELETE", "/batches/{batch_id}")
def delete_batch(call: Call) -> None:
    del call.account.batches[_batch(call).id]


def work_on(
    account: Account,
    batch: Batch,
    answer: Callable[[str, str, dict, Any], dict | None],
    may_go_on: Callable[[], object] = lambda: None,
) -> None:
    """In a thread of its own, until it is deleted; `may_go_on` returns when the next is to be done.

    A batch that is finished may have failed in every part.
    """
    batch.status = "started"
    for asked in batch.operations:
        may_go_on()
        if batch.id not in account.batches:
            return
        parts = urlsplit("/" + asked["path"].lstrip("/"))
        query = {**dict(parse_qsl(parts.query)), **{k: str(v) for k, v in (asked.get("params") or {}).items()}}
        try:
            body = json.loads(asked["body"]) if asked.get("body") else {}
            said = answer(asked["method"], parts.path, query, body)
            status = 204 if said is None else 200
        except Problem as problem:
            status, said = problem.status, problem.document()
        except ValueError:
            status, said = 400, {"title": "JSON Parse Error", "status": 400}
        batch.results.append(
            {
                "status_code": status,
                "operation_id": asked.get("operation_id"),
                "response": "" if said is None else json.dumps(said),
            }
        )
    batch.completed_at = account.instant()
    batch.status = "finished"


def archive(account: Account, name: str, query: str, has_key: bool) -> tuple[int, bytes]:
    """The .tar.gz, unless its time is up or somebody sends a key along, which such stores refuse."""
    batch = account.batches.get(name.removesuffix(".tar.gz"))
    until = int(dict(parse_qsl(query)).get("until", "0"))
    if batch is None or has_key:
        return (400, b"") if has_key else (404, b"")
    if datetime.fromtimestamp(until, account.now().tzinfo) < account.now():
        return 403, b""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        content = json.dumps(batch.results).encode()
        entry = tarfile.TarInfo(f"{batch.id}.json")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return 200, packed.getvalue()


def _batch(call: Call) -> Batch:
    try:
        return call.account.batches[call.parts["batch_id"]]
    except KeyError:
        raise not_found() from None
