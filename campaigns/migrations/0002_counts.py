"""Keeps DeliveryCount in step with the deliveries, whoever changes them: campaigns.models.results."""

from django.db import migrations

GROUPED = "appeal_id, language, variant, state"


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0001_records")]
    operations = [
        migrations.RunSQL(
            f"""
            CREATE FUNCTION campaigns_count_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'INSERT' THEN
                    INSERT INTO campaigns_deliverycount ({GROUPED}, number)
                    SELECT {GROUPED}, count(*) FROM gained GROUP BY {GROUPED};
                ELSIF TG_OP = 'DELETE' THEN
                    INSERT INTO campaigns_deliverycount ({GROUPED}, number)
                    SELECT {GROUPED}, -count(*) FROM lost GROUP BY {GROUPED};
                ELSE
                    INSERT INTO campaigns_deliverycount ({GROUPED}, number)
                    SELECT {GROUPED}, sum(number) FROM (
                        SELECT {GROUPED}, count(*) AS number FROM gained GROUP BY {GROUPED}
                        UNION ALL SELECT {GROUPED}, -count(*) FROM lost GROUP BY {GROUPED}) changes
                    GROUP BY {GROUPED} HAVING sum(number) <> 0;
                END IF;
                RETURN NULL;
            END $$;
            CREATE TRIGGER count_added AFTER INSERT ON campaigns_delivery REFERENCING NEW TABLE AS gained
            FOR EACH STATEMENT EXECUTE FUNCTION campaigns_count_deliveries();
            CREATE TRIGGER count_changed AFTER UPDATE ON campaigns_delivery
            REFERENCING NEW TABLE AS gained OLD TABLE AS lost
            FOR EACH STATEMENT EXECUTE FUNCTION campaigns_count_deliveries();
            CREATE TRIGGER count_removed AFTER DELETE ON campaigns_delivery REFERENCING OLD TABLE AS lost
            FOR EACH STATEMENT EXECUTE FUNCTION campaigns_count_deliveries();
            """,
            """
            DROP TRIGGER count_added ON campaigns_delivery;
            DROP TRIGGER count_changed ON campaigns_delivery;
            DROP TRIGGER count_removed ON campaigns_delivery;
            DROP FUNCTION campaigns_count_deliveries();
            """,
        ),
    ]
