"""What the ledgers promise, kept by the database itself.

Lines of the consent ledger are only ever added. Deleting them and giving them to another person takes a transaction
that has said what it is: `SET LOCAL lodestar.ledger = 'erase'` (supporters.privacy), `'merge'` (supporters.merging), or
`'undo'` for lines that an import wrote (supporters.importing.undoing).

What was asked for of an export, and that it was, stays as it is; erasure may take words out of it.

No more of a donation goes back than came, whoever writes the refund.

Who gets an address of their own no longer shares somebody's, through whatever door the address came.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("supporters", "0002_records"), ("supporters", "0001_names")]
    operations = [
        migrations.RunSQL(
            """
            CREATE FUNCTION supporters_consent_guard() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'INSERT' THEN
                    -- A clock that runs ahead must not outlast a later withdrawal.
                    NEW.recorded_at := clock_timestamp();
                    NEW.happened_at := LEAST(NEW.happened_at, clock_timestamp());
                    RETURN NEW;
                ELSIF TG_OP = 'DELETE' AND (current_setting('lodestar.ledger', true) = 'erase'
                    OR current_setting('lodestar.ledger', true) = 'merge' AND OLD.method = 'merge'
                    OR current_setting('lodestar.ledger', true) = 'undo' AND OLD.import_run_id IS NOT NULL) THEN
                    RETURN OLD;
                ELSIF TG_OP = 'UPDATE' AND current_setting('lodestar.ledger', true) = 'merge'
                    AND to_jsonb(NEW) - 'supporter_id' = to_jsonb(OLD) - 'supporter_id' THEN
                    RETURN NEW;
                END IF;
                RAISE EXCEPTION 'The consent ledger is append-only.' USING ERRCODE = 'restrict_violation';
            END $$;
            CREATE TRIGGER consent_guard BEFORE INSERT OR UPDATE OR DELETE ON supporters_consent
            FOR EACH ROW EXECUTE FUNCTION supporters_consent_guard();
            """,
            """
            DROP TRIGGER consent_guard ON supporters_consent;
            DROP FUNCTION supporters_consent_guard();
            """,
        ),
        migrations.RunSQL(
            """
            CREATE FUNCTION supporters_refund_guard() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE
                came numeric;
            BEGIN
                -- The lock keeps two refunds at once from giving back more than came.
                SELECT amount INTO came FROM supporters_donation WHERE id = NEW.donation_id FOR NO KEY UPDATE;
                IF NEW.amount + (SELECT coalesce(sum(amount), 0) FROM supporters_refund
                                 WHERE donation_id = NEW.donation_id AND id <> NEW.id) > came THEN
                    RAISE EXCEPTION 'More would go back than came.'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_no_more_than_came';
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER refund_guard BEFORE INSERT OR UPDATE ON supporters_refund
            FOR EACH ROW EXECUTE FUNCTION supporters_refund_guard();
            CREATE FUNCTION supporters_refunded_guard() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NEW.amount < (SELECT coalesce(sum(amount), 0) FROM supporters_refund WHERE donation_id = NEW.id) THEN
                    RAISE EXCEPTION 'More went back than would have come.'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_no_more_than_came';
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER refunded_guard BEFORE UPDATE OF amount ON supporters_donation
            FOR EACH ROW EXECUTE FUNCTION supporters_refunded_guard();
            """,
            """
            DROP TRIGGER refunded_guard ON supporters_donation;
            DROP FUNCTION supporters_refunded_guard();
            DROP TRIGGER refund_guard ON supporters_refund;
            DROP FUNCTION supporters_refund_guard();
            """,
        ),
        migrations.RunSQL(
            """
            CREATE FUNCTION supporters_own_address() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                NEW.shares_email_with_id := NULL;
                RETURN NEW;
            END $$;
            CREATE TRIGGER own_address BEFORE INSERT OR UPDATE OF email, shares_email_with_id ON supporters_supporter
            FOR EACH ROW WHEN (NEW.email IS NOT NULL AND NEW.shares_email_with_id IS NOT NULL)
            EXECUTE FUNCTION supporters_own_address();
            """,
            """
            DROP TRIGGER own_address ON supporters_supporter;
            DROP FUNCTION supporters_own_address();
            """,
        ),
        migrations.RunSQL(
            """
            CREATE FUNCTION supporters_export_guard() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'DELETE' THEN
                    RAISE EXCEPTION 'The log of exports is append-only.' USING ERRCODE = 'restrict_violation';
                ELSIF ROW(NEW.listing, NEW.columns, NEW.format, NEW.people, NEW.traced, NEW.by_id, NEW.created_at)
                    IS DISTINCT FROM
                    ROW(OLD.listing, OLD.columns, OLD.format, OLD.people, OLD.traced, OLD.by_id, OLD.created_at)
                OR (ROW(NEW.query, NEW.what, NEW.filters, NEW.reason)
                    IS DISTINCT FROM ROW(OLD.query, OLD.what, OLD.filters, OLD.reason)
                    AND current_setting('lodestar.ledger', true) IS DISTINCT FROM 'erase') THEN
                    RAISE EXCEPTION 'What was asked for of an export stays as it is.' USING ERRCODE = 'restrict_violation';
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER export_guard BEFORE UPDATE OR DELETE ON supporters_export
            FOR EACH ROW EXECUTE FUNCTION supporters_export_guard();
            """,
            """
            DROP TRIGGER export_guard ON supporters_export;
            DROP FUNCTION supporters_export_guard();
            """,
        ),
    ]
