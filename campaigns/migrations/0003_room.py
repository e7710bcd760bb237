from django.db import migrations


class Migration(migrations.Migration):
    """What is written for each call of a first sync and deleted a moment later is not worth compressing."""

    dependencies = [("campaigns", "0002_counts")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE campaigns_addition ALTER supporters SET STORAGE EXTERNAL, ALTER hashes SET STORAGE EXTERNAL",
            "ALTER TABLE campaigns_addition ALTER supporters SET STORAGE EXTENDED, ALTER hashes SET STORAGE EXTENDED",
        )
    ]
