"""What a push would do, without doing it: for staff who want to know first, and for the pushes that ask.

Of an audience with few people it is worked out while a person waits; else by a worker, who is asked for it, and it is shown
with its time.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from django.db import connection
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.mailchimp import difference
from campaigns.models import Audience, AudienceMember, SegmentMember

FEW = 20_000
"""People in its segments, and members, with whom an audience is compared in well under a second."""
SHOWN = 100
"""People of whom it is told."""
LEAST = 50
"""So many may be taken away unasked from however small an audience."""
_REASONS: dict[str, str | Promise] = {
    "withdrawn": gettext_lazy("They withdrew their consent here."),
    "suppressed": gettext_lazy("Their address is suppressed: they left, bounced or complained."),
    difference.LAPSE: gettext_lazy("No consent of theirs allows to write to them."),
    difference.ARCHIVE: gettext_lazy("They are in no segment of this audience any more."),
    difference.ADD: gettext_lazy("They are in a segment of this audience."),
    difference.WAIT: gettext_lazy("They are in a segment, and their address is still another member's."),
    difference.CHANGE: gettext_lazy("What we hold of them changed."),
    difference.MOVE: gettext_lazy("Their address changed."),
    difference.RETURN: gettext_lazy("They left there and have said yes here since."),
    difference.LOOK: gettext_lazy("Mailchimp's answer about them was lost."),
    difference.TAGS: gettext_lazy("They came to a segment, or dropped out of one."),
}


@dataclass(frozen=True)
class Planned:
    """What would happen to one person, and why."""

    supporter: int
    what: str
    why: str
    """A key of _REASONS."""
    tags: tuple[str, ...]
    """The segments whose tags they would get."""
    loses: tuple[str, ...]
    """The segments whose tags they would lose."""

    @property
    def reason(self) -> str:
        return str(_REASONS[self.why])


@dataclass(frozen=True)
class Preview:
    """`counts` is by what would be done, as in difference.py."""

    counts: Mapping[str, int]
    takes: int
    """Who would be taken away or lose a tag other than by their own word."""
    allowance: int
    """How many of such a push takes away without asking."""
    people: list[Planned]
    """Some of them, those first who would be taken away."""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def asks(self) -> bool:
        return self.takes > self.allowance


def is_quick(audience: Audience) -> bool:
    """Whether a person can wait for it."""
    wanted = SegmentMember.objects.filter(segment__links__audience=audience)
    return all(rows[: FEW + 1].count() <= FEW for rows in (wanted, audience.members.all()))


def request(audience: Audience) -> None:
    """Have it worked out by a worker within a minute (sync.push_due)."""
    Audience.objects.filter(pk=audience.pk).update(preview_requested_at=Now())


def keep(pk: int) -> None:
    """Work it out and keep it for whoever asked."""
    audience = Audience.objects.filter(pk=pk, preview_requested_at__isnull=False).first()
    if audience is None:
        return
    found = asdict(preview(audience))
    found["at"] = found["at"].isoformat()
    Audience.objects.filter(pk=pk).update(preview=found)
    Audience.objects.filter(pk=pk, preview_requested_at=audience.preview_requested_at).update(
        preview_requested_at=None
    )


def kept(audience: Audience) -> Preview | None:
    """What a worker found last."""
    found = audience.preview
    if not found:
        return None
    people = [Planned(**person) for person in found["people"]]
    return Preview(found["counts"], found["takes"], found["allowance"], people, datetime.fromisoformat(found["at"]))


def preview(audience: Audience, limit: int = SHOWN) -> Preview:
    """Compare, and tell; asks Mailchimp nothing. Takes seconds for a million members."""
    counts = difference.compare(audience, whole=True)
    tags = {link.tag_id or -link.pk: str(link.segment) for link in audience.links.select_related("segment")}
    gone = _("a segment that is not in this audience any more")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT supporter, coalesce(what, %(tags)s), coalesce(CASE what WHEN 'leave' THEN reason END, what, %(tags)s),
                   ARRAY(SELECT value::bigint FROM jsonb_array_elements_text(tags) WHERE NOT held_tags @> to_jsonb(value::bigint)),
                   ARRAY(SELECT value::bigint FROM jsonb_array_elements_text(held_tags) WHERE NOT tags @> to_jsonb(value::bigint))
            FROM (SELECT supporter, what, reason, tags, held_tags, number FROM owed
                  UNION ALL SELECT supporter, 'add', NULL, tags, '[]', number FROM newcomers) owed
            ORDER BY what IN ('lapse', 'archive') DESC NULLS LAST, tags @> held_tags, number LIMIT %(limit)s
            """,
            {"tags": difference.TAGS, "limit": limit},
        )
        people = [
            Planned(
                supporter,
                what,
                reason,
                tuple(tags.get(tag, gone) for tag in gains),
                () if what in (difference.LEAVE, difference.LAPSE) else tuple(tags.get(tag, gone) for tag in loses),
            )
            for supporter, what, reason, gains, loses in cursor.fetchall()
        ]
        takes = difference.takings()
        difference.forget()
    return Preview(counts, takes, allowance(audience), people)


def allowance(audience: Audience) -> int:
    """How many a push may take away, or take a tag from, without asking: the audience's share of those who are there."""
    live = [AudienceMember.Status.SUBSCRIBED, AudienceMember.Status.PENDING]
    return max(LEAST, audience.members.filter(status__in=live).count() * audience.most_taken // 100)
