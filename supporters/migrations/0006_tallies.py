"""What was entered of a batch of signatures stays as it is: supporters.tallying. Erasure may take words out of it."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("supporters", "0005_receipts")]
    operations = [
        migrations.RunSQL(
            """
            CREATE FUNCTION supporters_tally_guard() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE
                checking text[] := ARRAY['state', 'checked_by_id', 'checked_at'];
                withdrawing text[] := ARRAY['state', 'withdrawn_by_id', 'withdrawn_at', 'withdrawn_because'];
                words text[] := ARRAY['source', 'place', 'no_scan', 'withdrawn_because'];
            BEGIN
                IF TG_OP = 'UPDATE' THEN
                    IF OLD.state = 'entered' AND NEW.state = 'checked' AND to_jsonb(NEW) - checking = to_jsonb(OLD) - checking
                    OR OLD.state <> 'withdrawn' AND NEW.state = 'withdrawn'
                        AND to_jsonb(NEW) - withdrawing = to_jsonb(OLD) - withdrawing
                    OR current_setting('lodestar.ledger', true) = 'erase' AND to_jsonb(NEW) - words = to_jsonb(OLD) - words THEN
                        RETURN NEW;
                    END IF;
                END IF;
                RAISE EXCEPTION 'A batch of signatures stays as it was entered.' USING ERRCODE = 'restrict_violation';
            END $$;
            CREATE TRIGGER tally_guard BEFORE UPDATE OR DELETE ON supporters_tally
            FOR EACH ROW EXECUTE FUNCTION supporters_tally_guard();

            CREATE FUNCTION supporters_tallyscan_guard() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'A scan stays as it was uploaded.' USING ERRCODE = 'restrict_violation';
            END $$;
            CREATE TRIGGER tallyscan_guard BEFORE UPDATE ON supporters_tallyscan
            FOR EACH ROW EXECUTE FUNCTION supporters_tallyscan_guard();
            """,
            """
            DROP TRIGGER tallyscan_guard ON supporters_tallyscan;
            DROP FUNCTION supporters_tallyscan_guard();
            DROP TRIGGER tally_guard ON supporters_tally;
            DROP FUNCTION supporters_tally_guard();
            """,
        ),
    ]
