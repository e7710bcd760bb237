import pytest

from campaigns.mail.addresses import AddressUnusable, deliverable


@pytest.mark.parametrize(
    ("address", "usable"),
    [
        ("ann@mail.se", "ann@mail.se"),
        ("o'brien+law@mail.se", "o'brien+law@mail.se"),
        ("ann@localhost", "ann@localhost"),
        ("ann@räksmörgås.se", "ann@xn--rksmrgs-5wao1o.se"),
        ("ann@Straße.de", "ann@xn--strae-oqa.de"),
        ("jörgen@mail.se", "jörgen@mail.se"),
        ("用户@例え.jp", "用户@xn--r8jz45g.jp"),
        ('"odd one"@mail.se', '"odd one"@mail.se'),
        (r'"a\"b"@mail.se', r'"a\"b"@mail.se'),
    ],
)
def test_an_address_keeps_its_local_part_and_has_its_domain_in_ascii(address, usable):
    assert deliverable(address) == usable


@pytest.mark.parametrize(
    "address",
    [
        *("", "ann", "@mail.se", "ann@", "ann@mail..se", "a b@mail.se", "a..b@mail.se", ".a@mail.se", "a.@mail.se"),
        *(
            "ann@mail\r\n.se",
            "ann\r\nBcc: bo@mail.se",
            'a"b@mail.se',
            '"a"b"@mail.se',
            "ann@bo@mail.se",
            "<ann@mail.se>",
        ),
        *("ann@-mail.se", "ann@ma_il.se", "ann@mail.se\n", "an\x85n@mail.se", "a" * 250 + "@mail.se"),
    ],
)
def test_what_no_message_can_go_to_is_refused(address):
    with pytest.raises(AddressUnusable):
        deliverable(address)
