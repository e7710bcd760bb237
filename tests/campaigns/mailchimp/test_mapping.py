"""Our values as Mailchimp's fields take them, and theirs as ours."""

import json
from datetime import date
from decimal import Decimal

import pytest

from campaigns.mailchimp import mapping
from campaigns.mailchimp.mapping import There
from campaigns.models import Audience
from supporters.models import Donation, Supporter, Tag
from tests.campaigns.mailchimp.people import person
from tests.factories import make_donation, make_organisation, make_petition, make_signature

ADDRESS = json.dumps({"addr1": "Storgatan 1", "city": "Malmö", "state": "", "zip": "211 34", "country": "SE"})


@pytest.mark.parametrize(
    ("kind", "raw", "sent"),
    [
        *(("text", "Ann", "Ann"), ("text", "", ""), ("number", "100.00", "100.00"), ("number", "many", None)),
        *(("date", "2026-05-01", "2026-05-01"), ("date", "soon", None), ("birthday", "1980-05-01", "05/01")),
        *(
            ("birthday", "soon", None),
            ("zip", "21134", "21134"),
            ("zip", "211 34", None),
            ("phone", "+46 1", "+46 1"),
        ),
        *(("url", "https://mail.se/x", "https://mail.se/x"), ("url", "javascript:1", None), ("imageurl", "x", None)),
        ("text", ADDRESS, "Storgatan 1, 211 34, Malmö, SE"),
        (
            "address",
            ADDRESS,
            {"addr1": "Storgatan 1", "city": "Malmö", "state": "", "zip": "211 34", "country": "SE"},
        ),
        ("address", json.dumps({"addr1": "Storgatan 1", "city": "", "zip": ""}), None),
        ("address", "Storgatan 1", None),
    ],
)
def test_a_value_is_expressed_as_the_field_there_takes_it(kind, raw, sent):
    assert mapping.express(raw, There(kind, whole=raw == ADDRESS or "addr1" in raw)) == sent


def test_a_name_that_looks_like_an_address_is_a_name():
    """A supporter may write whatever they like into a form."""
    for raw in ('{"', '{"addr1": "x"}', "{}"):
        assert mapping.express(raw, There("text")) == raw
        assert mapping.express(raw, There("address")) is None


def test_choices_and_american_numbers_are_kept_to():
    assert mapping.express("red", There("dropdown", ("red", "blue"))) == "red"
    assert mapping.express("green", There("radio", ("red", "blue"))) is None
    assert mapping.express("+1 (212) 555-0123", There("phone", us_phone=True)) == "212-555-0123"
    assert mapping.express("+46 40 123", There("phone", us_phone=True)) is None


def test_a_text_is_cut_at_255_bytes_between_two_characters():
    assert mapping.cut("é" * 200) == "é" * 127
    assert mapping.cut("x" * 300) == "x" * 255
    assert mapping.cut("x" * 252 + "🙂🙂") == "x" * 252


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        *(("sv", "sv"), ("pt-br", "pt"), ("pt", "pt_PT"), ("es", "es_ES"), ("fr-ca", "fr_CA"), ("nb", "no")),
        *(("de-at", "de"), ("zh-tw", "zh"), ("eo", ""), ("", "")),
    ],
)
def test_a_language_in_mailchimps_code(ours, theirs):
    assert mapping.language_there(ours) == theirs


@pytest.mark.parametrize(
    ("theirs", "ours"), [("pt", "pt-br"), ("pt_PT", "pt"), ("es_ES", "es"), ("fr_CA", "fr"), ("sv", "sv"), ("?", "")]
)
def test_mailchimps_code_in_ours(theirs, ours):
    assert mapping.language_here(theirs) == ours


@pytest.mark.parametrize(
    ("name", "value", "columns"),
    [
        ("first_name", " Ann\x00  Marie ", {"first_name": "Ann Marie"}),
        ("first_name", "x" * 151, None),
        ("first_name", {"a": 1}, None),
        ("country", "Schweden", {"country": "SE"}),
        ("country", "Atlantis", None),
        ("birth_date", "05/01/1980", {"birth_date": date(1980, 5, 1)}),
        ("birth_date", "soon", None),
        ("birth_date", "", {"birth_date": None}),
        ("last_gift", "2026-05-01", None),
        (
            "address",
            {"addr1": "Storgatan 1", "addr2": "2 tr", "city": "Malmö", "state": "", "zip": "21134", "country": "SE"},
            {"street": "Storgatan 1 2 tr", "city": "Malmö", "region": "", "postcode": "211 34", "country": "SE"},
        ),
        ("phone", "(070) 123 45 67", {"phone": "+46701234567"}),
        ("phone", "ask me", {"phone": "ask me"}),
        ("last_name", "\u202eO’Brien\u202c", {"last_name": "O’Brien"}),
        ("address", "", {"street": "", "city": "", "region": "", "postcode": "", "country": ""}),
        ("address", "Storgatan 1", None),
    ],
)
def test_what_was_written_there_becomes_columns_here(name, value, columns):
    assert mapping.accept(name, value) == columns


@pytest.mark.parametrize("merge_fields", [{"FNAME": "password"}, {"F'": "first_name"}, {"FNAME": "given_SE'K"}])
def test_what_is_no_field_reaches_no_statement(merge_fields):
    with pytest.raises(ValueError):
        mapping.values_sql(merge_fields, {})


@pytest.mark.django_db
def test_what_people_gave_signed_and_belong_to_goes_along(mailchimp, audience, push, pull):
    names = [*mapping.FIELDS, "given_SEK"]
    Audience.objects.update(merge_fields={mapping.field(name).tag: name for name in names})
    ann = person(
        *("Ann",), last_name="Ek", street="Storgatan 1", city="Malmö", postcode="21134", birth_date=date(1980, 5, 1)
    )
    Supporter.objects.update(organisation=make_organisation(name="Helpers"))
    ann.tags.add(Tag.objects.create(name="Volunteer"), Tag.objects.create(name="Board"))
    make_donation(ann, amount=Decimal("100"), received_on=date(2025, 1, 2))
    make_donation(ann, amount=Decimal("50.50"), received_on=date(2026, 1, 2))
    make_donation(ann, amount=Decimal("900"), received_on=date(2026, 2, 2), state=Donation.State.FAILED)
    make_signature(make_petition(title="A common law"), ann, state="validated", validated_at="2026-01-01T00:00:00Z")
    make_signature(make_petition(title="Pending"), ann)
    person("Bo")
    push()
    fields = mailchimp.member("ann@mail.se")["merge_fields"]
    assert {tag: fields[tag] for tag in ("ORGANIS", "TAGS", "DONORSINCE", "LASTGIFT", "LASTAMOUNT", "GIFTS")} == {
        "ORGANIS": "Helpers",
        "TAGS": "Board, Volunteer",
        "DONORSINCE": "2025-01-02",
        "LASTGIFT": "2026-01-02",
        "LASTAMOUNT": "50.50",
        "GIFTS": "2",
    }
    assert (fields["GIVENSEK"], fields["SIGNATURES"], fields["LASTSIGNED"]) == ("150.50", "1", "A common law")
    assert (fields["BIRTHDATE"], fields["BIRTHDAY"]) == ("1980-05-01", "05/01")
    assert fields["ADDRESS"]["addr1"] == "Storgatan 1"
    assert mailchimp.member("bo@mail.se")["merge_fields"]["GIVENSEK"] == ""
    pull()
    push()
    assert mailchimp.writes() == []
    make_donation(ann, amount=Decimal("10"), received_on=date(2026, 3, 2))
    assert push().counts == {"changed": 1}
    assert mailchimp.member("ann@mail.se")["merge_fields"]["GIVENSEK"] == "160.50"


@pytest.mark.django_db
def test_a_field_that_is_there_with_another_type_keeps_it(mailchimp, audience, push, pull):
    path = f"/lists/{audience.list_id}/merge-fields"
    mailchimp.answer("POST", path, {}, {"name": "Born", "tag": "BIRTHDATE", "type": "birthday"})
    mailchimp.answer("POST", path, {}, {"name": "Post code", "tag": "POSTCODE", "type": "zip"})
    Audience.objects.update(merge_fields={"BIRTHDATE": "birth_date", "POSTCODE": "postcode"})
    person("Ann", birth_date=date(1980, 5, 1), postcode="211 34")
    push()
    assert mailchimp.member("ann@mail.se")["merge_fields"]["BIRTHDATE"] == "05/01"
    assert mailchimp.member("ann@mail.se")["merge_fields"]["POSTCODE"] == ""
    kinds = {
        field["tag"]: field["type"] for field in mailchimp.answer("GET", path, {"count": "100"}, None)["merge_fields"]
    }
    assert (kinds["BIRTHDATE"], kinds["POSTCODE"]) == ("birthday", "zip")
    pull()
    push()
    assert mailchimp.writes() == []
    assert Supporter.objects.get().birth_date == date(1980, 5, 1)


@pytest.mark.django_db
def test_fields_are_made_with_their_types(mailchimp, audience, push):
    names = ["birth_date", "phone", "last_amount", "birthday", "city"]
    Audience.objects.update(merge_fields={f"X{mapping.field(name).tag}"[:10]: name for name in names})
    push()
    made = {
        field.tag: (field.type, field.options.get("phone_format"))
        for field in mailchimp.account.audiences[audience.list_id].merge_fields
    }
    assert [made[tag] for tag in ("XBIRTHDATE", "XPHONENR", "XLASTAMOUN", "XBIRTHDAY", "XCITY")] == [
        ("date", None),
        ("phone", "none"),
        ("number", None),
        ("birthday", None),
        ("text", None),
    ]
