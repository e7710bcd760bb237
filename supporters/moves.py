"""What a merge does with the tables of supporters: supporters.merging.declaring says how it is read.

One petition counts one signature of a person: the one that was validated first stays, the other goes over too, but is marked
and no longer counted. One tag, one contact of an organisation. All else goes over as it is.
"""

import json

from django.utils.translation import gettext_lazy as _

from supporters.merging.declaring import Kept, Move, Pair, one_per, put_back


def _spare_signatures(pair: Pair) -> Kept:
    rows = pair.run(
        """
        WITH ranked AS (
            SELECT id, state, row_number() OVER (
                PARTITION BY petition_id ORDER BY state = 'validated' DESC, validated_at NULLS LAST, created_at, id) AS place
            FROM supporters_signature WHERE supporter_id IN (%(survivor)s, %(away)s) AND NOT doubled
        )
        UPDATE supporters_signature spare SET doubled = true,
               state = CASE WHEN ranked.state = 'validated' THEN 'invalidated' ELSE ranked.state END
        FROM ranked WHERE spare.id = ranked.id AND place > 1 RETURNING spare.id, ranked.state
        """
    )
    return {"spare": rows} if rows else {}


def _count_again(pair: Pair, kept: Kept) -> None:
    pair.run(
        """
        UPDATE supporters_signature spare SET doubled = false, state = was.state
        FROM jsonb_to_recordset(%(spare)s::jsonb) AS was (id bigint, state text)
        WHERE spare.id = was.id AND spare.doubled AND NOT EXISTS (
            SELECT FROM supporters_signature o
            WHERE o.petition_id = spare.petition_id AND o.supporter_id = spare.supporter_id AND NOT o.doubled)
        """,
        spare=json.dumps([{"id": pk, "state": state} for pk, state in kept["spare"]]),
    )


def _pairs(pair: Pair) -> Kept:
    """What was found or said of the record merged away is of the survivor now; that two are different is never forgotten."""
    rows = [
        json.loads(row)
        for (row,) in pair.run(
            "DELETE FROM supporters_double d WHERE %(away)s IN (first_id, second_id) RETURNING to_jsonb(d)::text"
        )
    ]
    was = pair.run(
        """
        SELECT to_jsonb(d)::text FROM supporters_double d
        WHERE %(survivor)s IN (first_id, second_id) AND (first_id = ANY(%(others)s) OR second_id = ANY(%(others)s))
        """,
        others=[other for row in rows for other in (row["first_id"], row["second_id"]) if other != pair.survivor],
    )
    moved = []
    for row in rows:
        other = row["second_id"] if row["first_id"] == pair.away else row["first_id"]
        if other != pair.survivor:
            first, second = sorted((pair.survivor, other))
            moved.append({**row, "first_id": first, "second_id": second})
    made = pair.run(
        """
        INSERT INTO supporters_double AS d SELECT * FROM jsonb_populate_recordset(NULL::supporters_double, %(moved)s::jsonb)
        ON CONFLICT (first_id, second_id) DO UPDATE
        SET state = excluded.state, decided_by_id = excluded.decided_by_id, decided_at = excluded.decided_at, certain = false
        WHERE d.state = 'open' AND excluded.state = 'different' RETURNING id
        """,
        moved=json.dumps(moved),
    )
    if not rows:
        return {}
    return {"pairs": rows, "was": [json.loads(row) for (row,) in was], "made": [pk for (pk,) in made]}


def _pairs_back(pair: Pair, kept: Kept) -> None:
    pair.run(
        "DELETE FROM supporters_double WHERE id = ANY(%(made)s) OR id = ANY(%(was)s)",
        made=kept["made"],
        was=[row["id"] for row in kept["was"]],
    )
    both = [*kept["was"], *kept["pairs"]]
    alive = pair.run(
        "SELECT id FROM supporters_supporter WHERE id = ANY(%(people)s)",
        people=[pk for row in both for pk in (row["first_id"], row["second_id"])],
    )
    people = {pk for (pk,) in alive}
    put_back("supporters_double", [row for row in both if {row["first_id"], row["second_id"]} <= people])


def _not_through_oneself(pair: Pair) -> Kept:
    rows = pair.run(
        """
        UPDATE supporters_supporter SET shares_email_with_id = NULL
        WHERE id = %(survivor)s AND shares_email_with_id = %(away)s RETURNING id
        """
    )
    return {"fewer": 1} if rows else {}


def _one_open_request(pair: Pair) -> Kept:
    """Two open requests to be erased become one: the one that is further on, or came first."""
    rows = pair.run(
        """
        WITH ranked AS (
            SELECT id, state, row_number() OVER (ORDER BY state = 'approved' DESC, due_on, id) AS place
            FROM supporters_erasurerequest
            WHERE supporter_id IN (%(survivor)s, %(away)s) AND state IN ('received', 'approved')
        )
        UPDATE supporters_erasurerequest spare SET state = 'taken_back' FROM ranked
        WHERE spare.id = ranked.id AND place > 1 RETURNING spare.id, ranked.state
        """
    )
    return {"spare": rows} if rows else {}


def _open_again(pair: Pair, kept: Kept) -> None:
    pair.run(
        """
        UPDATE supporters_erasurerequest spare SET state = was.state
        FROM jsonb_to_recordset(%(spare)s::jsonb) AS was (id bigint, state text)
        WHERE spare.id = was.id AND spare.state = 'taken_back' AND NOT EXISTS (
            SELECT FROM supporters_erasurerequest o
            WHERE o.supporter_id = spare.supporter_id AND o.state IN ('received', 'approved'))
        """,
        spare=json.dumps([{"id": pk, "state": state} for pk, state in kept["spare"]]),
    )


MOVES: list[Move] = [
    Move("supporters.Donation"),
    Move("supporters.RecurringDonation", locked_first=True),
    Move("supporters.Pledge", locked_first=True),
    Move(
        "supporters.Signature",
        settle=_spare_signatures,
        restore=_count_again,
        twice=_("Petitions that both signed: one signature of each goes on counting, the first that was confirmed."),
    ),
    Move("supporters.Consent"),
    Move("supporters.Reference"),
    one_per(
        "supporters.Supporter_tags", "tag_id", title=_("tags"), twice=_("Tags that both have: one of each stays.")
    ),
    one_per(
        "supporters.OrganisationContact",
        "organisation_id",
        twice=_("Organisations that both speak for: the contact of the record that stays is kept."),
    ),
    Move(
        "supporters.Supporter",
        "shares_email_with",
        settle=_not_through_oneself,
        title=_("people reached through the address"),
    ),
    one_per("supporters.Letter", "kind", shown=False),
    Move("supporters.InboxRequest", shown=False),
    Move("supporters.Disclosure", shown=False),
    Move("supporters.Handover", shown=False),
    Move("supporters.ErasureRequest", settle=_one_open_request, restore=_open_again),
    Move("supporters.ImportRow", shown=False),
    Move(
        "supporters.Double",
        "first",
        settle=_pairs,
        restore=_pairs_back,
        always=True,
        counted=False,
        shown=False,
    ),
    Move("supporters.Double", "second", counted=False, shown=False),
    Move("supporters.Merge", "survivor", shown=False),
    Move(
        "admin.LogEntry",
        "object_id",
        cast="::text",
        condition="content_type_id = (SELECT id FROM django_content_type WHERE app_label = 'supporters' AND model = 'supporter')",
        shown=False,
    ),
]
"""In the order in which they are done."""
