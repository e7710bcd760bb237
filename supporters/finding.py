"""Who is meant by a number, a link or an address that may be that of a record merged away since.

Every door by which something old may come in asks here: links in messages sent long ago, what a bank or Mailchimp tells,
files, bookmarks of staff. A record on file always comes before a record that was one.
"""

from uuid import UUID

from django.db.models import QuerySet

from supporters.models import Merge, Supporter

KNOWN_AS = """
(SELECT m.survivor_id FROM supporters_merge m
 WHERE m.other_email = {email} AND m.undone_at IS NULL AND NOT EXISTS (SELECT FROM supporters_supporter s WHERE s.email = {email})
 ORDER BY m.id DESC LIMIT 1)
"""
"""Whose other address this is, for statements; null where it is nobody's, or that of a record of its own."""


def by_pk(pk: int, *, lock: bool = False) -> Supporter | None:
    return _found(lock, {"pk": pk}, {"away_pk": pk})


def by_uuid(uuid: UUID, *, lock: bool = False) -> Supporter | None:
    return _found(lock, {"uuid": uuid}, {"away_uuid": uuid})


def by_email(email: str, *, lock: bool = False) -> Supporter | None:
    """By the address in the spelling that records have; an address given up in a merge finds whoever has the other."""
    return _found(lock, {"email": email}, {"other_email": email})


def _found(lock: bool, now: dict[str, object], before: dict[str, object]) -> Supporter | None:
    """Locked, a row that was merged away while it was waited for is followed as well."""
    people: QuerySet[Supporter] = Supporter.objects.all()
    if lock:
        people = people.select_for_update(of=["self"])
    for _attempt in range(3):
        if found := people.filter(**now).first():
            return found
        merge = Merge.objects.standing().filter(**before).order_by("-pk").first()
        if merge is None:
            return None
        if found := people.filter(pk=merge.survivor_id).first():
            return found
    return None
