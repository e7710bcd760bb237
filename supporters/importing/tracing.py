"""What each slice of an import wrote, noted in the same transaction, so that it can be undone: see undoing.

One row for a slice, with the keys of what was made and, of people on file, the values before and after. It lapses:
supporters.retention.
"""

from typing import Any

from supporters.models import ImportRun


class Trace:
    """A watch over the slices of an import; see staging.Watch."""

    def __init__(self, run: ImportRun) -> None:
        self.run = run

    def before(self, cursor: Any) -> None:
        """Nothing is there yet."""

    def after(self, cursor: Any) -> None:
        of_people = self.run.kind == ImportRun.Kind.SUPPORTERS
        cursor.execute(_OF_PEOPLE if of_people else _OF_GIFTS, {"run": self.run.pk})


_WRITER = "(SELECT xmin::text::bigint FROM stage LIMIT 1)"
# Of several rows about a person, the first says what was there and the last what was left.
_OF_PEOPLE = f"""
WITH alone AS MATERIALIZED (
    SELECT supporter_id AS id, array_agg(number ORDER BY round, number) FILTER (WHERE before IS NOT NULL) AS rows,
           array_agg(to_jsonb(before) ORDER BY round, number) FILTER (WHERE before IS NOT NULL) AS before,
           array_agg(to_jsonb(after) ORDER BY round, number) FILTER (WHERE before IS NOT NULL) AS after
    FROM stage WHERE reason IS NULL AND supporter_id IN (SELECT supporter_id FROM stage WHERE before IS NOT NULL) GROUP BY supporter_id HAVING bool_or(before IS NOT NULL) AND NOT bool_or(fresh)
)
INSERT INTO supporters_importtrace (run_id, writer, made, made_rows, changed, changed_rows, before, after, "references", tag_links, grants)
SELECT %(run)s, {_WRITER}, coalesce(made, '{{}}'), coalesce(made_rows, '{{}}'), coalesce(changed, '{{}}'), coalesce(changed_rows, '{{}}'),
       coalesce(before, '[]'), coalesce(after, '[]'), coalesce(reference_ids, '{{}}'), coalesce(links, '{{}}'), coalesce(grants, '{{}}')
FROM (SELECT array_agg(supporter_id ORDER BY number) FILTER (WHERE fresh) AS made,
             array_agg(number ORDER BY number) FILTER (WHERE fresh) AS made_rows,
             array_agg(reference_id) FILTER (WHERE reference_id IS NOT NULL) AS reference_ids
      FROM stage WHERE reason IS NULL) rows,
     (SELECT array_agg(id ORDER BY id) AS grants FROM granted) consents,
     (SELECT array_agg(id ORDER BY id) AS changed, array_agg(alone.rows[1] ORDER BY id) AS changed_rows,
             jsonb_agg(alone.before[1] ORDER BY id) AS before, jsonb_agg(alone.after[cardinality(alone.after)] ORDER BY id) AS after FROM alone) people,
     (SELECT array_agg(DISTINCT link) AS links FROM stage, unnest(tag_ids) link WHERE reason IS NULL) tags
WHERE EXISTS (SELECT FROM stage WHERE reason IS NULL AND (fresh OR changed))
"""
_OF_GIFTS = f"""
INSERT INTO supporters_importtrace (run_id, writer, made, made_rows, donations, donation_rows, refunds)
SELECT %(run)s, {_WRITER}, coalesce(made, '{{}}'), coalesce(made_rows, '{{}}'), coalesce(donations, '{{}}'), coalesce(donation_rows, '{{}}'),
       coalesce(refunds, '{{}}')
FROM (SELECT array_agg(donation_id ORDER BY number) FILTER (WHERE donation_id IS NOT NULL) AS donations,
             array_agg(number ORDER BY number) FILTER (WHERE donation_id IS NOT NULL) AS donation_rows,
             array_agg(refund_id) FILTER (WHERE refund_id IS NOT NULL) AS refunds
      FROM stage WHERE reason IS NULL) rows,
     (SELECT array_agg(a.id ORDER BY a.id) AS made, array_agg(coalesce(s.number, 0) ORDER BY a.id) AS made_rows
      FROM arrivals a LEFT JOIN (SELECT supporter_id, min(number) AS number FROM stage GROUP BY supporter_id) s ON s.supporter_id = a.id) people
WHERE EXISTS (SELECT FROM stage WHERE reason IS NULL AND (fresh OR changed OR refund_id IS NOT NULL)) OR EXISTS (SELECT FROM arrivals)
"""
