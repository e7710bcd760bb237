"""How often somebody hears from us, where they asked for less than every appeal (Supporter.how_often).

Of two appeals that reach for the same person at once one has the turn and the other is skipped: the turn is a row of its
own, taken by a conditional upsert for which the second waits. Nobody has one who wants every appeal, so it costs them
nothing. An appeal that failed gives its turn back; one that is tried again has its own. What somebody got before they
asked for less counts as well.

Who sends every week or every four weeks does so a little earlier now and then, so the spans are half a day shorter.
"""

from django.utils.translation import gettext_noop

SPAN = """CASE {how_often} WHEN 'week' THEN interval '6 days 12 hours' WHEN 'month' THEN interval '27 days 12 hours' END"""
"""How far apart two appeals are, by what the person asked for."""
TOO_OFTEN = gettext_noop("The person asked for fewer appeals, and had one lately.")
TAKE = f"""
INSERT INTO campaigns_turn AS turn (supporter_id, delivery, taken_at)
SELECT asked.supporter_id, asked.id, clock_timestamp() FROM {{asked}} asked
-- With a limit, for as a join it would read the whole ledger.
WHERE asked.how_often <> '' AND (
    SELECT had.id FROM campaigns_delivery had
    WHERE had.supporter_id = asked.supporter_id AND had.appeal_id <> {{appeal}}
      AND had.sent_at > statement_timestamp() - {SPAN.format(how_often="asked.how_often")} LIMIT 1) IS NULL
-- In one order, so that no two wait for each other.
ORDER BY asked.supporter_id
ON CONFLICT (supporter_id) DO UPDATE SET delivery = excluded.delivery, taken_at = excluded.taken_at
WHERE turn.delivery = excluded.delivery
   OR turn.taken_at <= excluded.taken_at - (
       SELECT {SPAN.format(how_often="s.how_often")} FROM supporters_supporter s WHERE s.id = excluded.supporter_id)
   -- Looked at as of the beginning of the statement: what was taken since then stands.
   OR turn.taken_at < statement_timestamp()
      AND (SELECT before.state FROM campaigns_delivery before WHERE before.id = turn.delivery) IN ('failed', 'skipped')
RETURNING supporter_id
"""
"""SQL. Takes the turns of those among `asked` (id of the delivery, supporter_id, how_often) who may have this appeal now,
and tells who they are."""
