from django.db import migrations


class Migration(migrations.Migration):
    """Half of each page of the shadow stays free: every member of a first sync is written twice within a second, and a second
    version on the same page spares all the indexes."""

    dependencies = [("campaigns", "0002_counts")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE campaigns_audiencemember SET (fillfactor = 50)",
            "ALTER TABLE campaigns_audiencemember RESET (fillfactor)",
        )
    ]
