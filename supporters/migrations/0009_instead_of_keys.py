"""What foreign keys would do for signatures and letters, which are written by the hundred a second."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("supporters", "0008_signing")]
    operations = [
        # A key would have each signature lock the row of its petition, and PostgreSQL write down who of all at once holds it.
        migrations.RunSQL(
            """
            CREATE FUNCTION supporters_keep_signed() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                LOCK TABLE supporters_signature IN SHARE MODE;
                IF EXISTS (SELECT FROM supporters_signature WHERE petition_id = OLD.id) THEN
                    RAISE EXCEPTION 'A petition that was signed stays.' USING ERRCODE = 'foreign_key_violation';
                END IF;
                RETURN OLD;
            END $$;
            CREATE TRIGGER keep_signed BEFORE DELETE ON supporters_petition
            FOR EACH ROW EXECUTE FUNCTION supporters_keep_signed();
            """,
            "DROP TRIGGER keep_signed ON supporters_petition; DROP FUNCTION supporters_keep_signed();",
        ),
        # A letter is written with its signature, and goes with it.
        migrations.RunSQL(
            """
            CREATE FUNCTION supporters_forget_letters() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                DELETE FROM supporters_letter USING gone WHERE signature_id = gone.id;
                RETURN NULL;
            END $$;
            CREATE TRIGGER forget_letters AFTER DELETE ON supporters_signature REFERENCING OLD TABLE AS gone
            FOR EACH STATEMENT EXECUTE FUNCTION supporters_forget_letters();
            """,
            "DROP TRIGGER forget_letters ON supporters_signature; DROP FUNCTION supporters_forget_letters();",
        ),
    ]
