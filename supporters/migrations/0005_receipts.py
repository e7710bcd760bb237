"""Receipts of consent stay as they are, and let go of a line that is lawfully deleted: supporters.receipts."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("supporters", "0004_signature_counts")]
    operations = [
        # The hash of each receipt of a chain, over the one before: supporters.receipts.record.LINK, one after the other.
        migrations.RunSQL(
            """
            CREATE FUNCTION supporters_receipt_step(state bytea, previous bytea, chain uuid, number bigint, commitment bytea)
            RETURNS bytea LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
            BEGIN
                RETURN sha256(coalesce(state, previous) || uuid_send(chain) || int8send(number) || commitment);
            END $$;
            CREATE AGGREGATE supporters_receipt_link(bytea, uuid, bigint, bytea) (SFUNC = supporters_receipt_step, STYPE = bytea);
            """,
            """
            DROP AGGREGATE supporters_receipt_link(bytea, uuid, bigint, bytea);
            DROP FUNCTION supporters_receipt_step(bytea, bytea, uuid, bigint, bytea);
            """,
        ),
        migrations.RunSQL(
            """
            CREATE FUNCTION supporters_receipt_guard() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE
                loose text[] := ARRAY['line_id', 'asked', 'salt', 'taken_at', 'taken_for'];
            BEGIN
                IF TG_OP = 'UPDATE' THEN
                    IF OLD.taken_at IS NULL AND NEW.taken_for = current_setting('lodestar.ledger', true)
                        AND to_jsonb(NEW) - loose = to_jsonb(OLD) - loose THEN
                        RETURN NEW;
                    ELSIF OLD.taken_at IS NOT NULL AND OLD.told_on IS NULL
                        AND to_jsonb(NEW) - 'told_on' = to_jsonb(OLD) - 'told_on' THEN
                        RETURN NEW;
                    END IF;
                END IF;
                RAISE EXCEPTION 'Receipts of consent are append-only.' USING ERRCODE = 'restrict_violation';
            END $$;
            CREATE TRIGGER receipt_guard BEFORE UPDATE OR DELETE ON supporters_receipt
            FOR EACH ROW EXECUTE FUNCTION supporters_receipt_guard();

            CREATE FUNCTION supporters_receiptday_guard() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'Digests of receipts are append-only.' USING ERRCODE = 'restrict_violation';
            END $$;
            CREATE TRIGGER receiptday_guard BEFORE UPDATE OR DELETE ON supporters_receiptday
            FOR EACH ROW EXECUTE FUNCTION supporters_receiptday_guard();

            CREATE FUNCTION supporters_receipts_let_go() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                UPDATE supporters_receipt r
                SET line_id = NULL, asked = NULL, salt = NULL, taken_at = clock_timestamp(),
                    taken_for = current_setting('lodestar.ledger')
                FROM gone WHERE r.line_id = gone.id;
                RETURN NULL;
            END $$;
            CREATE TRIGGER receipts_let_go AFTER DELETE ON supporters_consent REFERENCING OLD TABLE AS gone
            FOR EACH STATEMENT WHEN (current_setting('lodestar.ledger', true) IN ('erase', 'undo', 'merge'))
            EXECUTE FUNCTION supporters_receipts_let_go();
            """,
            """
            DROP TRIGGER receipts_let_go ON supporters_consent;
            DROP FUNCTION supporters_receipts_let_go();
            DROP TRIGGER receiptday_guard ON supporters_receiptday;
            DROP FUNCTION supporters_receiptday_guard();
            DROP TRIGGER receipt_guard ON supporters_receipt;
            DROP FUNCTION supporters_receipt_guard();
            """,
        ),
    ]
