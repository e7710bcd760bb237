"""Holding the whole of an audience against what we believe it holds, once a week: the drift, which should be none.

What changed since the last read is news, not drift: a comparison first reads that. Then everybody there is read again. Whoever
differs in a way that no change explains is counted, named (`AudienceMember.differs`), and mended as if it had just been heard.
Those we believe there and who did not come up are asked after one by one: they were deleted for good.
"""

import json
import time
from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from campaigns.mailchimp import hearing, mapping, reading
from campaigns.mailchimp.client import Mailchimp, connect
from campaigns.mailchimp.hearing import Heard
from campaigns.mailchimp.merging import unchanged
from campaigns.mailchimp.pull import ARCHIVED, catch_up, take_over
from campaigns.mailchimp.reading import BEFORE_MAILCHIMP, Place
from campaigns.mailchimp.sync import STRETCH, OutOfTime, work_on
from campaigns.models import Audience, AudienceMember, SyncRun

Status = AudienceMember.Status
MISSING_THERE, MISSING_HERE, STATUS, FIELDS, TAGS = "missing_there", "missing_here", "status", "fields", "tags"
KINDS = (MISSING_THERE, MISSING_HERE, STATUS, FIELDS, TAGS)
"""What a run counts, beside `compared` and `drift`: members there are, and members who differ."""
LOOKS = 100
"""Members asked after between two looks at the clock."""


def compare(pk: int, seconds: float = STRETCH) -> bool:
    """Compare an audience for this long; returns whether more is to be compared."""
    return work_on(
        pk, SyncRun.Kind.COMPARE, lambda audience, run, until: _Comparison(audience, run, until).work(), seconds
    )


class _Comparison:
    def __init__(self, audience: Audience, run: SyncRun, until: float) -> None:
        self.audience, self.run, self.until = audience, run, until
        self.mailchimp: Mailchimp = connect()
        self.there = mapping.there(audience.merge_fields, audience.merge_types)

    def work(self) -> None:
        """Raises OutOfTime, MailchimpError."""
        kept = self.audience.place.get("compare")
        if not kept or kept["run"] != self.run.pk:
            catch_up(self.mailchimp, self.audience, self.run, self.until)
            self.audience.refresh_from_db(fields=["changed_since", "place"])
            self.run.counts = {"compared": 0, "drift": 0}
            since = self.audience.changed_since or BEFORE_MAILCHIMP
            self._keep({"run": self.run.pk, "known_to": since.isoformat()})
        self.known_to = datetime.fromisoformat(self.audience.place["compare"]["known_to"])
        for walk in ("", ARCHIVED):
            self._walk(walk)
        self._ask_after()
        del self.audience.place["compare"]
        self.audience.save(update_fields=["place"])

    def _walk(self, status: str) -> None:
        name = f"walk {status}"
        kept = self.audience.place["compare"].get(name)
        place = Place.of(kept) if kept else Place(BEFORE_MAILCHIMP)
        for heard, after in reading.pages(self.mailchimp, self.audience, place, status=status):
            with transaction.atomic():
                self._look_at(heard)
                self._keep({**self.audience.place["compare"], name: after.kept()})
            if time.monotonic() > self.until:
                raise OutOfTime

    def _look_at(self, heard: Sequence[Heard]) -> None:
        known = {
            member["subscriber_hash"]: member
            for member in AudienceMember.objects.filter(
                audience=self.audience, subscriber_hash__in=[row.hash for row in heard]
            ).values("subscriber_hash", "status", "agreed", "tags", "last_changed", "to_delete", "seen_in")
        }
        fresh = [row for row in heard if row.hash not in known or known[row.hash]["seen_in"] != self.run.pk]
        found = {row.hash: self._differences(row, known.get(row.hash)) for row in fresh}
        take_over(self.audience, fresh)
        self._note(found)

    def _differences(self, heard: Heard, known: dict | None) -> list[str]:
        """The kinds of difference that no change since explains; for fields also which."""
        if heard.changed_at > self.known_to or (known and known["to_delete"]):
            return []
        if known is None:
            return [MISSING_HERE]
        if known["last_changed"] and known["last_changed"] > heard.changed_at:
            return []  # we wrote it since
        found = []
        if known["status"] != heard.status:
            found.append(STATUS)
        agreed = known["agreed"] or {}
        fields = [
            tag
            for tag, value in (heard.fields or {}).items()
            if tag in agreed and tag in self.there and not unchanged(agreed[tag], value, self.there[tag])
        ]
        if fields:
            found += [FIELDS, *fields]
        if heard.tags is not None:
            told, held = set(heard.tags), set(known["tags"])
            if told - held or (heard.all_tags and held - told):
                found.append(TAGS)
        return found

    def _note(self, found: dict[str, list[str]]) -> None:
        if not found:
            return
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE campaigns_audiencemember held SET seen_in = %s, differs = t.differs::jsonb
                FROM unnest(%s::text[], %s::text[]) AS t (hash, differs)
                WHERE held.audience_id = %s AND held.subscriber_hash = t.hash
                """,
                [self.run.pk, list(found), [json.dumps(one) for one in found.values()], self.audience.pk],
            )
        self._count(compared=len(found))
        for differs in found.values():
            self._count(drift=bool(differs), **{kind: kind in differs for kind in KINDS})
        SyncRun.objects.filter(pk=self.run.pk).update(counts=self.run.counts)

    def _ask_after(self) -> None:
        """Those we believe there, and who did not come up, though nothing was written to them since."""
        while True:
            missing = list(
                AudienceMember.objects.filter(
                    audience=self.audience, to_delete=False, handed_in=None, updated_at__lt=self.run.started_at
                )
                .filter(~Q(seen_in=self.run.pk) | Q(seen_in=None))
                .exclude(status__in=[Status.NONE, Status.FORGOTTEN])
                .values_list("subscriber_hash", flat=True)[:LOOKS]
            )
            if not missing:
                return
            for key in missing:
                member = self.mailchimp.read_member(self.audience.list_id, key, reading.fields(self.audience))
                with transaction.atomic():
                    if member:
                        self._look_at([reading.heard_of(member, reading.our_tags(self.audience))])
                    else:
                        hearing.gone(self.audience, [key])
                        self._note({key: [MISSING_THERE]})
                if time.monotonic() > self.until:
                    raise OutOfTime

    def _keep(self, place: dict) -> None:
        self.audience.place["compare"] = place
        self.audience.save(update_fields=["place"])

    def _count(self, **added: int) -> None:
        for name, number in added.items():
            if number:
                self.run.counts[name] = self.run.counts.get(name, 0) + number
