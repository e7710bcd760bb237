import re
from io import StringIO

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from django.core.management import CommandError, call_command

from campaigns.mail.dkim import Key


def printed(*arguments):
    out = StringIO()
    call_command("dkim_records", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_dkim_records_are_printed_for_each_key(settings):
    keys = (Key("spring", generate_private_key(65537, 2048)), Key("autumn", Ed25519PrivateKey.generate()))
    settings.DKIM_KEYS = keys
    settings.DKIM_DOMAIN = "realstars.se"
    rsa, ed25519 = printed()
    assert rsa.startswith('spring._domainkey.realstars.se. IN TXT "v=DKIM1; k=rsa; p=')
    strings = re.findall(r'"([^"]*)"', rsa)
    assert "".join(strings) == keys[0].record
    assert max(map(len, strings)) <= 255
    assert ed25519 == f'autumn._domainkey.realstars.se. IN TXT "v=DKIM1; k=ed25519; p={keys[1].public}"'
    assert printed("example.org")[0].startswith("spring._domainkey.example.org. ")


def test_dkim_records_say_what_is_missing(settings):
    settings.DKIM_KEYS = ()
    with pytest.raises(CommandError, match="DKIM_KEY is not set"):
        printed()
