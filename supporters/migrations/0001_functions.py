"""Extensions and functions that the records are built on."""

import secrets

from django.contrib.postgres.operations import TrigramExtension, UnaccentExtension
from django.db import migrations


def create_address_hash(apps, schema_editor):
    # The salt lives in the function: it can't be lost or changed apart from the hashes made with it,
    # and an index may use the function because it never gives another answer.
    salt = secrets.token_hex(32)
    schema_editor.execute(
        f"""
        CREATE FUNCTION supporters_address_hash(address text) RETURNS bytea
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
        RETURN sha256(convert_to('{salt}' || address, 'UTF8'))
        """,
        params=None,
    )


class Migration(migrations.Migration):
    dependencies = []
    operations = [
        TrigramExtension(),
        UnaccentExtension(),
        migrations.RunPython(
            create_address_hash,
            lambda apps, schema_editor: schema_editor.execute("DROP FUNCTION supporters_address_hash(text)"),
        ),
        migrations.RunSQL(
            """
            CREATE FUNCTION supporters_fold(value text) RETURNS text
            LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
            RETURN lower(unaccent('unaccent'::regdictionary, value))
            """,
            "DROP FUNCTION supporters_fold(text)",
        ),
    ]
