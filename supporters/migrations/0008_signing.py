"""What supporters.signing.asking calls: a function, for PostgreSQL would plan its statements anew for each signature."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("supporters", "0007_room")]
    operations = [
        migrations.RunSQL(
            """
            CREATE FUNCTION supporters_sign(signed bigint, said jsonb, again_after interval, most integer)
            RETURNS boolean LANGUAGE plpgsql AS $$
            DECLARE
                its_id bigint;
            BEGIN
                FOR attempt IN 1..10 LOOP
                    PERFORM FROM supporters_petition WHERE id = signed AND state = 'open'
                    AND coalesce(opens_at <= statement_timestamp(), true) AND coalesce(closes_at > statement_timestamp(), true);
                    IF NOT FOUND THEN
                        RETURN false;
                    END IF;
                    INSERT INTO supporters_signature
                        (petition_id, email, typed, state, country, language, organisation_id, source_code, shown)
                    VALUES (signed, said ->> 'email', said -> 'typed', 'pending', said ->> 'country', said ->> 'language',
                            (said ->> 'organisation')::bigint, said ->> 'source_code', (said ->> 'shown')::boolean)
                    ON CONFLICT (petition_id, email) WHERE email IS NOT NULL DO NOTHING RETURNING id INTO its_id;
                    IF NOT FOUND THEN
                        UPDATE supporters_signature
                        SET typed = said -> 'typed', country = said ->> 'country', language = said ->> 'language',
                            organisation_id = (said ->> 'organisation')::bigint, source_code = said ->> 'source_code',
                            shown = (said ->> 'shown')::boolean
                        WHERE petition_id = signed AND email = said ->> 'email' RETURNING id INTO its_id;
                        CONTINUE WHEN NOT FOUND; -- It was confirmed or forgotten between the two.
                    END IF;
                    INSERT INTO supporters_letter AS letter (kind, signature_id, language)
                    VALUES ('confirm', its_id, said ->> 'language')
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
