"""What supporters.signing.asking calls: a function, for PostgreSQL would plan its statements anew for each signature."""

from django.db import migrations

OPEN = """id = signed AND state = 'open'
                    AND coalesce(opens_at <= statement_timestamp(), true) AND coalesce(closes_at > statement_timestamp(), true)"""


class Migration(migrations.Migration):
    dependencies = [("supporters", "0007_room")]
    operations = [
        migrations.RunSQL(
            f"""
            CREATE FUNCTION supporters_sign(
                signed bigint, its_email text, its_typed jsonb, its_country text, its_language text,
                its_organisation bigint, its_source text, is_shown boolean, again_after interval, most integer
            ) RETURNS boolean LANGUAGE plpgsql AS $$
            DECLARE
                its_id bigint;
            BEGIN
                FOR attempt IN 1..10 LOOP
                    INSERT INTO supporters_signature
                        (petition_id, email, typed, state, country, language, organisation_id, source_code, shown)
                    SELECT id, its_email, its_typed, 'pending', its_country, its_language, its_organisation, its_source, is_shown
                    FROM supporters_petition WHERE {OPEN}
                    ON CONFLICT (petition_id, email) WHERE email IS NOT NULL DO NOTHING RETURNING id INTO its_id;
                    IF NOT FOUND THEN
                        PERFORM FROM supporters_petition WHERE {OPEN};
                        IF NOT FOUND THEN
                            RETURN false;
                        END IF;
                        UPDATE supporters_signature
                        SET typed = its_typed, country = its_country, language = its_language, organisation_id = its_organisation,
                            source_code = its_source, shown = is_shown
                        WHERE petition_id = signed AND email = its_email RETURNING id INTO its_id;
                        CONTINUE WHEN NOT FOUND; -- It was confirmed or forgotten between the two.
                    END IF;
                    INSERT INTO supporters_letter AS letter (kind, signature_id, language)
                    VALUES ('confirm', its_id, its_language)
                    ON CONFLICT (signature_id, kind) DO UPDATE
                    SET state = 'owed', due_at = statement_timestamp(), language = excluded.language
                    WHERE letter.state IN ('sent', 'failed', 'unknown') AND letter.times < most
                      AND letter.taken_at < statement_timestamp() - again_after;
                    RETURN true;
                END LOOP;
                RAISE EXCEPTION USING ERRCODE = 'serialization_failure', MESSAGE = 'A signature went each time it was looked at.';
            END $$
            """,
            "DROP FUNCTION supporters_sign",
        ),
    ]
