"""What went back, as reports of payments tell it: by a row of its own, or as a total beside the payment.

A payment is known under several names; a refund by its own id, or by how much of the payment went back in all. Either
way the same file fed in again adds nothing, and neither does a webhook's refund that is on file.
"""

NAMES = """
UPDATE stage SET provider_id = d.provider_id
FROM (SELECT number, unnest(names) AS name FROM stage WHERE refund_of = '') known
JOIN supporters_donation d ON d.provider_id = known.name AND d.provider_id <> ''
WHERE stage.number = known.number AND d.provider = stage.provider;
UPDATE stage SET provider_id = d.provider_id
FROM (SELECT number, unnest(names) AS name FROM stage WHERE refund_of = '') known
JOIN supporters_donation d ON d.other_ids @> ARRAY[known.name::varchar] AND d.other_ids <> '{}'
WHERE stage.number = known.number AND d.provider = stage.provider AND d.provider_id <> stage.provider_id;

CREATE TEMP TABLE returned ON COMMIT DROP AS SELECT * FROM stage WHERE refund_of <> '';
UPDATE returned SET fresh = false, donation_id = NULL;
DELETE FROM stage WHERE refund_of <> '';

-- A payment on file is whose it is there: its row makes nobody, least of all somebody who was erased.
UPDATE stage SET supporter_id = d.supporter_id, email = NULL, reference = '', may_be_unknown = false
FROM supporters_donation d WHERE d.provider = stage.provider AND d.provider_id = stage.provider_id AND d.provider_id <> '';
UPDATE stage SET reason = %(no_person)s
WHERE may_be_unknown AND email IS NULL AND reference = '';
"""
"""The names under which payments are on file; refunds go aside, and so does what is nobody's."""

REFUNDS = """
-- A payment whose other names we learn now is found by them next time.
UPDATE supporters_donation d SET other_ids = (
    SELECT array_agg(DISTINCT name) FROM unnest(d.other_ids || t.names) name WHERE name <> d.provider_id)
FROM stage t
WHERE t.reason IS NULL AND NOT t.fresh AND d.provider = t.provider AND d.provider_id = t.provider_id AND d.provider_id <> ''
  AND NOT array_remove(t.names, t.provider_id)::varchar[] <@ d.other_ids;

WITH back AS (
    SELECT DISTINCT ON (d.id) d.id, t.number, greatest(coalesce(t.refunded_on, t.received_on), d.received_on) AS day,
           least(t.refunded, d.amount) - coalesce((SELECT sum(r.amount) FROM supporters_refund r WHERE r.donation_id = d.id), 0) AS amount
    FROM stage t JOIN supporters_donation d ON d.provider = t.provider AND d.provider_id = t.provider_id AND d.provider_id <> ''
    WHERE t.reason IS NULL AND t.refunded > 0 ORDER BY d.id, t.number DESC
), written AS (
    INSERT INTO supporters_refund (donation_id, amount, refunded_on, provider, provider_id, reason)
    SELECT id, amount, day, '', '', %(refunded)s FROM back WHERE amount > 0 RETURNING id, donation_id
) UPDATE stage SET changed = true, refund_id = written.id FROM back JOIN written ON written.donation_id = back.id WHERE stage.number = back.number;

-- `candidate_id` is the donation here: nobody else uses it in a file of donations.
UPDATE returned SET candidate_id = d.id FROM supporters_donation d
WHERE d.provider = returned.provider AND d.provider_id = ANY(returned.names) AND d.provider_id <> '';
UPDATE returned SET candidate_id = d.id
FROM (SELECT number, unnest(names) AS name FROM returned WHERE candidate_id IS NULL) known
JOIN supporters_donation d ON d.other_ids @> ARRAY[known.name::varchar] AND d.other_ids <> '{}'
WHERE returned.number = known.number AND d.provider = returned.provider;
UPDATE returned SET reason = %(no_payment)s WHERE candidate_id IS NULL;

-- What a total told of before has its name now.
UPDATE supporters_refund r SET provider = told.provider, provider_id = told.provider_id
FROM (
    SELECT DISTINCT ON (nameless.id) nameless.id, t.provider, t.provider_id
    FROM returned t JOIN supporters_refund nameless
        ON nameless.donation_id = t.candidate_id AND nameless.provider_id = '' AND nameless.amount = t.amount
    WHERE NOT EXISTS (SELECT FROM supporters_refund r WHERE r.provider = t.provider AND r.provider_id = t.provider_id)
    ORDER BY nameless.id, t.number
) told WHERE r.id = told.id
  AND told.id IN (SELECT min(id) FROM supporters_refund WHERE provider_id = '' GROUP BY donation_id, amount);

WITH going AS (
    SELECT t.number, sum(t.amount) OVER (PARTITION BY t.candidate_id ORDER BY t.number)
           + coalesce((SELECT sum(r.amount) FROM supporters_refund r WHERE r.donation_id = t.candidate_id), 0) AS back
    FROM returned t WHERE t.reason IS NULL AND NOT EXISTS (
        SELECT FROM supporters_refund r WHERE r.provider = t.provider AND r.provider_id = t.provider_id)
) UPDATE returned SET reason = %(too_much)s FROM going, supporters_donation d
WHERE returned.number = going.number AND d.id = returned.candidate_id AND going.back > d.amount;

WITH written AS (
    INSERT INTO supporters_refund (donation_id, amount, refunded_on, provider, provider_id, reason)
    SELECT t.candidate_id, t.amount, greatest(t.received_on, d.received_on), t.provider, t.provider_id, ''
    FROM returned t JOIN supporters_donation d ON d.id = t.candidate_id
    -- The guard of what went back looks at a row before its conflict is found.
    WHERE t.reason IS NULL AND NOT EXISTS (
        SELECT FROM supporters_refund r WHERE r.provider = t.provider AND r.provider_id = t.provider_id)
    ORDER BY t.number
    ON CONFLICT (provider, provider_id) WHERE provider_id <> '' DO NOTHING
    RETURNING id, provider, provider_id
) UPDATE returned SET fresh = true, refund_id = written.id FROM written
WHERE returned.provider = written.provider AND returned.provider_id = written.provider_id;

UPDATE supporters_donation d SET state = 'refunded'
WHERE d.state = 'received'
  AND d.id IN (SELECT candidate_id FROM returned WHERE reason IS NULL
               UNION SELECT d.id FROM stage t JOIN supporters_donation d ON d.provider = t.provider AND d.provider_id = t.provider_id
               WHERE t.reason IS NULL AND t.refunded > 0)
  AND d.amount <= (SELECT sum(r.amount) FROM supporters_refund r WHERE r.donation_id = d.id);

UPDATE returned SET candidate_id = NULL;
INSERT INTO stage SELECT * FROM returned;
DROP TABLE returned;
"""
