"""What a merge does with the tables of campaigns: supporters.merging.declaring says how it is read.

Nobody gets an appeal twice: of two deliveries of one appeal the one that is further stays, and what is still owed by the other
is not sent. Both go over, so that the links in either message lead to the person. Of two members of an audience the
one with the address that stays is the person's; the other is retired (campaigns.mailchimp.push archives it there).
"""

import json

from django.utils.translation import gettext_lazy as _

from campaigns.appeals.ledger import MERGED
from campaigns.mailchimp import newcomers
from supporters.merging.declaring import Kept, Move, Pair, one_per, put_back

_FURTHER = """array_position(ARRAY['sent', 'complained', 'unknown', 'sending', 'queued', 'held', 'bounced', 'failed', 'skipped'],
                               state::text)"""
"""Those that may have arrived come first, then those that will."""


def _spare_deliveries(pair: Pair) -> Kept:
    rows = pair.run(
        f"""
        WITH ranked AS (
            SELECT id, state, reason, row_number() OVER (
                PARTITION BY appeal_id ORDER BY {_FURTHER}, supporter_id = %(keeps_address)s DESC, id) AS place
            FROM campaigns_delivery WHERE supporter_id IN (%(survivor)s, %(away)s) AND NOT doubled
        )
        UPDATE campaigns_delivery spare SET doubled = true, updated_at = now(),
            state = CASE WHEN ranked.state IN ('queued', 'held') THEN 'skipped' ELSE ranked.state END,
            reason = CASE WHEN ranked.state IN ('queued', 'held') THEN %(merged)s ELSE ranked.reason END
        FROM ranked WHERE spare.id = ranked.id AND place > 1 RETURNING spare.id, ranked.state, ranked.reason
        """,
        merged=MERGED,
    )
    return {"spare": rows} if rows else {}


def _owe_again(pair: Pair, kept: Kept) -> None:
    """What was not sent because of the merge is owed again, if its appeal is still on its way."""
    pair.run(
        """
        UPDATE campaigns_delivery spare SET doubled = false,
            state = CASE WHEN owed THEN was.state ELSE spare.state END,
            reason = CASE WHEN owed THEN was.reason ELSE spare.reason END
        FROM (
            SELECT was.*, d.state = 'skipped' AND d.reason = %(merged)s AND was.state IN ('queued', 'held')
                   AND a.state IN ('sending', 'paused') AS owed
            FROM jsonb_to_recordset(%(spare)s::jsonb) AS was (id bigint, state text, reason text)
            JOIN campaigns_delivery d USING (id) JOIN campaigns_appeal a ON a.id = d.appeal_id
        ) was
        WHERE spare.id = was.id AND spare.doubled AND NOT EXISTS (
            SELECT FROM campaigns_delivery o
            WHERE o.appeal_id = spare.appeal_id AND o.supporter_id = spare.supporter_id AND NOT o.doubled)
        """,
        merged=MERGED,
        spare=json.dumps([{"id": pk, "state": state, "reason": reason} for pk, state, reason in kept["spare"]]),
    )


def _retire_members(pair: Pair) -> Kept:
    newcomers.settle_one(pair.away)
    rows = pair.run(
        """
        WITH ranked AS (
            SELECT id, supporter_id, row_number() OVER (
                PARTITION BY audience_id ORDER BY supporter_id = %(keeps_address)s DESC, id) AS place
            FROM campaigns_audiencemember WHERE supporter_id IN (%(survivor)s, %(away)s)
        )
        UPDATE campaigns_audiencemember spare SET supporter_id = NULL, retired_from_id = %(survivor)s, updated_at = now()
        FROM ranked WHERE spare.id = ranked.id AND place > 1 RETURNING spare.id, ranked.supporter_id
        """
    )
    return {"retired": rows, "fewer": len(rows)} if rows else {}


def _take_back_members(pair: Pair, kept: Kept) -> None:
    pair.run(
        """
        UPDATE campaigns_audiencemember spare SET supporter_id = was.supporter, retired_from_id = NULL, updated_at = now()
        FROM unnest(%(members)s::bigint[], %(owners)s::bigint[]) AS was (id, supporter)
        WHERE spare.id = was.id AND spare.retired_from_id IN (%(survivor)s, %(away)s) AND NOT EXISTS (
            SELECT FROM campaigns_audiencemember o WHERE o.audience_id = spare.audience_id AND o.supporter_id = was.supporter)
        """,
        members=[member for member, _owner in kept["retired"]],
        owners=[owner for _member, owner in kept["retired"]],
    )


def _one_turn(pair: Pair) -> Kept:
    """Of two turns the later one counts."""
    rows = pair.run(
        """
        DELETE FROM campaigns_turn gone USING campaigns_turn other
        WHERE gone.supporter_id IN (%(survivor)s, %(away)s) AND other.supporter_id IN (%(survivor)s, %(away)s)
          AND (other.taken_at, other.id) > (gone.taken_at, gone.id)
        RETURNING to_jsonb(gone)::text
        """
    )
    return {"rows": [json.loads(row) for (row,) in rows], "fewer": len(rows)} if rows else {}


def _turn_back(_pair: Pair, kept: Kept) -> None:
    put_back("campaigns_turn", kept["rows"])


MOVES: list[Move] = [
    Move(
        "campaigns.Delivery",
        settle=_spare_deliveries,
        restore=_owe_again,
        twice=_("Appeals that both are to get or have got: what was not sent to one of them yet goes out once."),
    ),
    Move("campaigns.Turn", settle=_one_turn, restore=_turn_back, shown=False),
    Move("campaigns.Return"),
    Move(
        "campaigns.AudienceMember",
        settle=_retire_members,
        restore=_take_back_members,
        always=True,
        twice=_("Mailchimp audiences that both are in: the other address is archived there."),
        locked_first=True,
    ),
    Move("campaigns.AudienceMember", "retired_from", counted=False, shown=False),
    one_per("campaigns.SegmentMember", "segment_id", key="segment_id", locked_first=True, shown=False),
]
