"""What the jobs do for receipts: seal, close days, check."""

from datetime import timedelta

from django.utils import timezone

from supporters.receipts import checking, days, sealing

WHOLE_EVERY = timedelta(days=7)


def keep() -> dict[str, int | str]:
    """For crm.jobs: seal what is not sealed, and make the digests of days that are over."""
    sealed = sealing.seal()
    days.close()
    last = days.latest()
    digest = {"digest": f"{last.day} {bytes(last.digest).hex()}"} if last else {}
    return {"sealed": sealed or 0, **digest}


def check_due() -> dict[str, int]:
    """For crm.jobs: check what is new, or everything if that was not found whole within a week. Raises checking.NotWhole."""
    whole_at = sealing.book().whole_at
    # An hour less, or a weekly check that took a minute longer than the last would wait for another night.
    whole = whole_at is None or timezone.now() - whole_at > WHOLE_EVERY - timedelta(hours=1)
    found = checking.check(whole=whole)
    if found.findings:
        raise checking.NotWhole(found.findings)
    return {"checked": found.receipts, "days": found.days}
