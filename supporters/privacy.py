"""The consent ledger opened for what it is otherwise guarded against: erasure (GDPR, article 17), merging, undoing."""

from django.db import connection

LEDGER = "lodestar.ledger"
"""The setting by which a transaction tells the consent ledger's guard what it is doing."""


class ledger_open_for:
    """Let the consent ledger be changed within the block, for the reason that its guard knows."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __enter__(self) -> None:
        _set_local(LEDGER, self.reason)

    def __exit__(self, *failure: object) -> None:
        if not failure[0]:
            _set_local(LEDGER, "")


def _set_local(name: str, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [name, value])
