"""Keeps SignatureCount in step with the signatures, whoever changes them: supporters.models.petition."""

from django.db import migrations

GROUPED = "petition_id, country, organisation_id, day"


def changes(table: str, number: str) -> str:
    return f"""
        SELECT petition_id, country, organisation_id, (validated_at AT TIME ZONE 'UTC')::date AS day, {number} AS number
        FROM {table} WHERE state = 'validated' GROUP BY {GROUPED}
    """


class Migration(migrations.Migration):
    dependencies = [("supporters", "0003_triggers")]
    operations = [
        migrations.RunSQL(
            f"""
            CREATE FUNCTION supporters_count_signatures() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'INSERT' THEN
                    INSERT INTO supporters_signaturecount ({GROUPED}, number) {changes("(SELECT NEW.*) gained", "count(*)")};
                ELSIF TG_OP = 'DELETE' THEN
                    INSERT INTO supporters_signaturecount ({GROUPED}, number) {changes("lost", "-count(*)")};
                ELSE
                    INSERT INTO supporters_signaturecount ({GROUPED}, number)
                    SELECT {GROUPED}, sum(number) FROM (
                        {changes("gained", "count(*)")} UNION ALL {changes("lost", "-count(*)")}) changed
                    GROUP BY {GROUPED} HAVING sum(number) <> 0;
                END IF;
                RETURN NULL;
            END $$;
            -- One signs at a time, and nothing is to be counted yet.
            CREATE TRIGGER count_added AFTER INSERT ON supporters_signature
            FOR EACH ROW WHEN (NEW.state = 'validated') EXECUTE FUNCTION supporters_count_signatures();
            CREATE TRIGGER count_changed AFTER UPDATE ON supporters_signature
            REFERENCING NEW TABLE AS gained OLD TABLE AS lost
            FOR EACH STATEMENT EXECUTE FUNCTION supporters_count_signatures();
            CREATE TRIGGER count_removed AFTER DELETE ON supporters_signature REFERENCING OLD TABLE AS lost
            FOR EACH STATEMENT EXECUTE FUNCTION supporters_count_signatures();
            """,
            """
            DROP TRIGGER count_added ON supporters_signature;
            DROP TRIGGER count_changed ON supporters_signature;
            DROP TRIGGER count_removed ON supporters_signature;
            DROP FUNCTION supporters_count_signatures();
            """,
        ),
    ]
