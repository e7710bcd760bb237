"""What the consent ledger promises, kept by the database itself.

Rows are only ever added. Deleting and re-assigning them takes a transaction that has said what it is:
`SET LOCAL lodestar.ledger = 'erase'` (supporters.privacy) or `'merge'` (supporters.merging).
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("supporters", "0002_records")]
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
                ELSIF TG_OP = 'DELETE' AND current_setting('lodestar.ledger', true) = 'erase' THEN
                    RETURN OLD;
                ELSIF TG_OP = 'UPDATE' AND current_setting('lodestar.ledger', true) = 'merge' THEN
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
    ]
