"""Which function answers which call. The modules of operations register themselves here."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.standins.mailchimp.problems import not_found, wrong_method
from tests.standins.mailchimp.state import Account, Audience


@dataclass
class Call:
    account: Account
    query: dict[str, str]
    body: dict
    parts: dict[str, str] = field(default_factory=dict)

    @property
    def audience(self) -> Audience:
        try:
            return self.account.audiences[self.parts["list_id"]]
        except KeyError:
            raise not_found() from None

    def flag(self, name: str) -> bool:
        return self.query.get(name, "").lower() in ("true", "1")


Operation = Callable[[Call], dict | None]
routes: list[tuple[re.Pattern[str], str, dict[str, Operation]]] = []


def operation(method: str, template: str) -> Callable[[Operation], Operation]:
    """Answer `method template`, such as GET /lists/{list_id}; None is answered as 204."""
    pattern = re.compile("^" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template) + "/?$")

    def register(function: Operation) -> Operation:
        for _pattern, known, methods in routes:
            if known == template:
                methods[method] = function
                return function
        routes.append((pattern, template, {method: function}))
        return function

    return register


def answer(account: Account, method: str, path: str, query: dict[str, str], body: dict) -> dict | None:
    """What the API says to a call; raises Problem."""
    for pattern, _template, methods in routes:
        found = pattern.match(path)
        if found is None:
            continue
        if method not in methods:
            raise wrong_method(list(methods))
        return methods[method](Call(account, query, body, found.groupdict()))
    raise not_found()
