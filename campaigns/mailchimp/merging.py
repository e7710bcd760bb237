"""Three-way merging of what a member's fields hold: last agreed, ours, theirs.

    only theirs changed     ours takes it over, where the audience says so and the value is one we can keep
    only ours changed       ours goes with the next push
    both changed            ours stands and goes with the next push; noted for staff, and so is a value we can't keep
    nothing agreed yet      a field that is empty here is filled from there; else ours stands

A leaving is not merged: it wins (campaigns.mailchimp.hearing). So does taking back an interest or a marketing permission that
stands for one of our purposes; one that is given there, without a proof, is not a consent, and ours goes again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import OuterRef, Value
from django.db.models.functions import Now
from django.db.models.lookups import Exact
from django.utils.translation import gettext as _

from campaigns.mailchimp import difference, mapping
from campaigns.mailchimp.hearing import Heard
from campaigns.mailchimp.mapping import INTEREST, LANGUAGE, PERMISSION, There
from campaigns.models import Audience, AudienceMember
from supporters.hygiene.contact import contact_of
from supporters.models import Consent, Supporter

COLUMNS = ("language", *dict.fromkeys(column for one in mapping.FIELDS.values() for column in one.columns))


@dataclass
class Outcome:
    """What merging one member came to."""

    agreed: dict[str, str]
    edits: dict[str, object] = field(default_factory=dict)
    """Columns of the supporter that take over what was changed there."""
    put_back: bool = False
    """Whether ours has to go there again."""
    conflicts: list[str] = field(default_factory=list)
    permissions: dict[str, bool] | None = None
    taken_back: list[str] = field(default_factory=list)
    """Purposes that they no longer allow."""


def merge(audience: Audience, heard: Sequence[Heard]) -> dict[str, int]:
    """Merge the fields of these members, in the caller's transaction. Returns counts for staff."""
    told = {row.hash: row for row in heard if row.fields is not None}
    merger = _Merger(audience)
    members = list(
        AudienceMember.objects.filter(
            audience=audience, subscriber_hash__in=told, supporter__isnull=False, to_delete=False
        )
        .select_related("supporter")
        .only(
            "subscriber_hash",
            "agreed",
            "permissions",
            "note",
            "last_changed",
            *(f"supporter__{column}" for column in COLUMNS),
        )
    )
    members = [m for m in members if not _older(told[m.subscriber_hash], m)]
    outcomes = {member.pk: merger.merge(member, told[member.subscriber_hash]) for member in members}
    edited = [member for member in members if outcomes[member.pk].edits]
    if edited:
        whole = difference.in_step(audience, [member.pk for member in edited])
        # Look again with the rows locked: staff may be at them.
        now = Supporter.objects.select_for_update().order_by("pk").in_bulk([member.supporter_id for member in edited])
        for member in edited:
            member.supporter = now.get(member.supporter_id, member.supporter)
            outcomes[member.pk] = outcome = merger.merge(member, told[member.subscriber_hash])
            member.supporter.marks = contact_of(member.supporter, outcome.edits)["marks"]
            for column, value in outcome.edits.items():
                setattr(member.supporter, column, value)
        Supporter.objects.bulk_update(now.values(), [*COLUMNS, "marks"])
        Supporter.objects.filter(pk__in=now).update(updated_at=Now())
        difference.note_digests(audience, whole)
    _write(members, outcomes)
    withdrawn = _withdraw(audience, members, outcomes)
    counts = {
        "edited": sum(1 for outcome in outcomes.values() if outcome.edits),
        "withdrawn": withdrawn,
        "conflicts": sum(1 for outcome in outcomes.values() if outcome.conflicts),
    }
    return {name: number for name, number in counts.items() if number}


def _older(heard: Heard, member: AudienceMember) -> bool:
    return bool(heard.changed_at and member.last_changed and heard.changed_at < member.last_changed)


class _Merger:
    def __init__(self, audience: Audience) -> None:
        self.takes = audience.takes_edits
        self.names, self.groups = audience.merge_fields, audience.groups
        self.there = mapping.there(audience.merge_fields, audience.merge_types)

    def merge(self, member: AudienceMember, heard: Heard) -> Outcome:
        outcome = Outcome(dict(member.agreed or {}), permissions=dict(member.permissions or {}))
        for tag, name in self.names.items():
            if tag in (heard.fields or {}):
                self._field(outcome, member, tag, name, heard.fields[tag])
        if heard.language:
            self._language(outcome, member, heard.language)
        for key, purpose in self.groups.items():
            if key in (heard.chosen or {}):
                self._group(outcome, key, purpose, heard.chosen[key])
        return outcome

    def _group(self, outcome: Outcome, key: str, purpose: str, theirs: bool) -> None:
        if key.startswith(INTEREST):
            agreed = outcome.agreed.get(key)
            outcome.put_back |= theirs and agreed == "false"
            if agreed == "true" and not theirs:
                outcome.taken_back.append(purpose)
                outcome.agreed[key] = "false"
            return
        name = key.removeprefix(PERMISSION)
        if outcome.permissions.pop(name, False) and not theirs:
            outcome.taken_back.append(purpose)
        if theirs:
            outcome.permissions[name] = True  # the next push takes it back, unless it is what they gave us

    def _field(self, outcome: Outcome, member: AudienceMember, tag: str, name: str, value: object) -> None:
        there = self.there[tag]
        base = outcome.agreed.get(tag)
        theirs = mapping.plain(value, there)
        if base is not None and unchanged(base, value, there):
            return
        columns = mapping.field(name).columns
        if not columns:
            outcome.put_back |= base is not None
            return
        ours = _raw(name, member.supporter)
        expressed = mapping.express(ours, there)
        if expressed is None:
            return  # a field that can't hold ours is left to them
        if mapping.plain(expressed, there) == theirs:
            outcome.agreed[tag] = ours
            return
        here_too = (
            ours != ""
            if base is None
            else mapping.plain(mapping.express(base, there), there) != mapping.plain(expressed, there)
        )
        taken = self.takes and not here_too
        edit = mapping.accept(name, value, member.supporter.country) if taken else None
        if edit is None:
            outcome.put_back |= theirs != "" or base is not None
            if base is not None and self.takes:
                outcome.conflicts.append(str(mapping.field(name).label))
            return
        outcome.edits |= edit
        outcome.agreed[tag] = _raw(name, member.supporter, edit)
        kept = mapping.express(outcome.agreed[tag], there)
        outcome.put_back |= kept is not None and mapping.plain(kept, there) != theirs  # our spelling goes there

    def _language(self, outcome: Outcome, member: AudienceMember, code: str) -> None:
        base, ours = outcome.agreed.get(LANGUAGE), member.supporter.language
        if mapping.language_there(ours) == code:
            outcome.agreed[LANGUAGE] = ours
            return
        if base is not None and mapping.language_there(base) == code:
            return
        theirs = mapping.language_here(code)
        if base and base != ours:
            outcome.put_back = True
            outcome.conflicts.append(_("Language"))
        elif not theirs or not self.takes:
            outcome.put_back |= bool(ours)
        elif (base and base == ours) or (not ours and code != "en"):
            # English is what Mailchimp puts where nobody said anything.
            outcome.edits["language"] = outcome.agreed[LANGUAGE] = theirs


def unchanged(base: str, value: object, there: There) -> bool:
    """Whether this is what was agreed last, as the field there holds it, or can't hold it."""
    sent = mapping.express(base, there)
    return sent is None or mapping.plain(sent, there) == mapping.plain(value, there)


def _raw(name: str, supporter: Supporter, edits: Mapping[str, object] = {}) -> str:
    """As mapping.values_sql gives it."""
    columns = mapping.field(name).columns
    values = {column: edits.get(column, getattr(supporter, column)) for column in columns}
    if name != "address":
        return str(values[columns[0]] or "")
    if not values["street"]:
        return ""
    parts = {"addr1": "street", "city": "city", "state": "region", "zip": "postcode", "country": "country"}
    return json.dumps({part: values[column] for part, column in parts.items()}, ensure_ascii=False)


_WRITE = """
UPDATE campaigns_audiencemember held SET agreed = t.agreed, note = t.note, permissions = t.permissions,
       digest = CASE WHEN t.put_back THEN NULL ELSE held.digest END
FROM jsonb_to_recordset(%s::jsonb) AS t (id bigint, agreed jsonb, note text, put_back boolean, permissions jsonb)
WHERE held.id = t.id AND (held.agreed IS DISTINCT FROM t.agreed OR held.note <> t.note OR held.permissions IS DISTINCT FROM t.permissions OR (t.put_back AND held.digest IS NOT NULL))
"""


def _write(members: Sequence[AudienceMember], outcomes: Mapping[int, Outcome]) -> None:
    rows = [
        {
            "id": member.pk,
            "agreed": outcomes[member.pk].agreed or None,
            "note": _note(outcomes[member.pk].conflicts)[:500] or member.note,
            "put_back": outcomes[member.pk].put_back,
            "permissions": outcomes[member.pk].permissions or None,
        }
        for member in members
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_WRITE, [json.dumps(rows)])


def _withdraw(audience: Audience, members: Sequence[AudienceMember], outcomes: Mapping[int, Outcome]) -> int:
    """Write into the consent ledger what was taken back there, of those who had allowed it."""
    lines = []
    for purpose in {purpose for outcome in outcomes.values() for purpose in outcome.taken_back}:
        who = [member.supporter_id for member in members if purpose in outcomes[member.pk].taken_back]
        allowed = Supporter.objects.filter(
            Exact(Consent.objects.latest_state(OuterRef("pk"), purpose), Value(Consent.State.GRANTED)), pk__in=who
        )
        lines += [
            Consent(
                supporter_id=pk,
                purpose=purpose,
                state=Consent.State.WITHDRAWN,
                method=Consent.Method.MAILCHIMP,
                source=f"Mailchimp: {audience.name}"[:250],
            )
            for pk in allowed.values_list("pk", flat=True)
        ]
    Consent.objects.bulk_create(lines)
    return len(lines)


def _note(conflicts: Sequence[str]) -> str:
    if not conflicts:
        return ""
    return _("Ours stands, for it was changed on both sides or to something that cannot be kept: %(fields)s.") % {
        "fields": ", ".join(conflicts)
    }
