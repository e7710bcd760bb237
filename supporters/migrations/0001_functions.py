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


# By what somebody is found at the door (supporters.matching.door). Not STRICT where that would keep PostgreSQL from
# putting the expression in the place of the call.
DOOR_KEYS = """
CREATE FUNCTION supporters_phone_key(phone text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN right(translate(phone, ' +-()/.', ''), 8);

CREATE FUNCTION supporters_postcode_key(postcode text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN translate(upper(postcode), ' -.', '');

-- “anna.berg+news@gmail.com” and “annaberg@gmial.com”.
CREATE FUNCTION supporters_email_key(email text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN translate(split_part(split_part(email, '@', 1), '+', 1), '.-_', '') || '@' || left(split_part(email, '@', 2), 1);

-- Two letters of each name, whichever is called the first. Every record that is written pays for it, and unaccent is slow.
CREATE FUNCTION supporters_name_start(name text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN translate(lower(left(name, 2)), 'àáâãäåāăąçćčďđèéêëēėęěğìíîïīįıķĺļľłñńņňòóôõöøōőŕřśşšșťțùúûüūůűųýÿźżž',
                                       'aaaaaaaaacccddeeeeeeeegiiiiiiikllllnnnnoooooooorrssssttuuuuuuuuyyzzz') COLLATE "C";

CREATE FUNCTION supporters_name_key(first_name text, last_name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN least(supporters_name_start(first_name), supporters_name_start(last_name))
    || greatest(supporters_name_start(first_name), supporters_name_start(last_name));
"""
DROP_DOOR_KEYS = """
DROP FUNCTION supporters_phone_key(text);
DROP FUNCTION supporters_postcode_key(text);
DROP FUNCTION supporters_email_key(text);
DROP FUNCTION supporters_name_key(text, text);
DROP FUNCTION supporters_name_start(text);
"""


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
        migrations.RunSQL(DOOR_KEYS, DROP_DOOR_KEYS),
    ]
