from django.db import migrations

_KEYS = ("made", "made_rows", "grants", "donations", "donation_rows")


def _storage(kind: str) -> str:
    return "ALTER TABLE supporters_importtrace " + ", ".join(f"ALTER {name} SET STORAGE {kind}" for name in _KEYS)


class Migration(migrations.Migration):
    """What an import notes of each slice lapses after some weeks: compressing it takes longer than the room is worth.

    What it has met is counted on in place, if there is room for that on the page, and not on another with another entry in the index.
    """

    dependencies = [("supporters", "0006_tallies")]

    operations = [
        migrations.RunSQL(_storage("EXTERNAL"), _storage("EXTENDED")),
        migrations.RunSQL(
            "ALTER TABLE supporters_importkey SET (fillfactor = 45)",
            "ALTER TABLE supporters_importkey RESET (fillfactor)",
        ),
    ]
