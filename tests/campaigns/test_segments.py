import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns import segments
from campaigns.models import Appeal, Campaign, Delivery, Segment, SegmentMember
from campaigns.segments.fields import FIELDS
from campaigns.segments.refresh import request
from supporters import consent
from supporters.models import Consent, Donation, RecurringDonation, Signature, Supporter, Tag
from tests.factories import make_donation, make_organisation, make_petition, make_signature, make_supporter

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate


def person(name: str, **fields) -> Supporter:
    return make_supporter(first_name=name, consent=True, **fields)


def names(rules: object) -> str:
    return " ".join(sorted(segments.query(rules).values_list("first_name", flat=True)))


def rule(field: str, op: str, value: object = None) -> dict:
    return {"field": field, "op": op, "value": value}


@pytest.mark.parametrize(
    ("field", "yes", "no"),
    [
        ("role_address", "Office Yop", "Ann"),
        ("disposable_address", "Yop", "Ann Office"),
        ("doubtful_phone", "Office", "Ann Yop"),
        ("doubtful_postcode", "", "Ann Office Yop"),
    ],
)
def test_what_is_odd_about_an_address(field, yes, no):
    person("Ann")
    person("Office", marks=["role", "phone"])
    person("Yop", marks=["role", "disposable"])
    assert names({"rules": [rule(field, "yes")]}) == yes
    assert names({"rules": [rule(field, "no")]}) == no


def make_segment(name: str = "Swedes", rules: dict | None = None) -> Segment:
    return Segment.objects.create(name=name, rules=rules or {"rules": [rule("country", "in", ["SE"])]})


def test_only_people_who_may_be_written_to_are_ever_found():
    person("Ann")
    make_supporter(first_name="Bo")
    consent.leave(person("Cy"), method=Consent.Method.LINK)
    assert names({}) == "Ann"
    assert names({"match": "none", "rules": [rule("country", "in", ["XX"])]}) == "Ann"
    assert names({"match": "any", "rules": [rule("ever_gave", "no"), rule("ever_gave", "yes")]}) == "Ann"


def test_who_and_where():
    tag, partner = Tag.objects.create(name="vip"), make_organisation()
    ann = person(
        "Ann",
        country="SE",
        language="sv",
        city="Lund",
        postcode="223 50",
        source_code="fair-24",
        organisation=partner,
    )
    ann.tags.add(tag)
    person("Bo", country="DE", city="Lübeck")
    assert names({"rules": [rule("country", "in", ["SE", "DK"])]}) == "Ann"
    assert names({"rules": [rule("country", "not_in", ["SE"])]}) == "Bo"
    assert names({"rules": [rule("language", "unknown")]}) == "Bo"
    assert names({"rules": [rule("city", "starts_with", "lu")]}) == "Ann"
    assert names({"rules": [rule("city", "is", "LÜBECK")]}) == "Bo"
    assert names({"rules": [rule("postcode", "starts_with", "223")]}) == "Ann"
    assert names({"rules": [rule("source_code", "starts_with", "fair")]}) == "Ann"
    assert names({"rules": [rule("tag", "has", [tag.pk])]}) == "Ann"
    assert names({"rules": [rule("tag", "has_not", [tag.pk])]}) == "Bo"
    assert names({"rules": [rule("organisation", "has", [partner.pk])]}) == "Ann"
    assert names({"rules": [rule("organisation", "has_not", [partner.pk])]}) == "Bo"
    assert names({"rules": [rule("created", "last_days", 1)]}) == "Ann Bo"
    assert names({"rules": [rule("created", "over_months", 1)]}) == ""


def test_what_they_signed():
    law, other = make_petition(), make_petition()
    ann, bo = person("Ann"), person("Bo")
    person("Cy")
    for petition in (law, other):
        make_signature(petition, ann, state=Signature.State.VALIDATED, validated_at=timezone.now())
    make_signature(law, bo)  # pending: it doesn't count
    assert names({"rules": [rule("signed", "has", [law.pk])]}) == "Ann"
    assert names({"rules": [rule("signed", "has", [])]}) == "Ann"
    assert names({"rules": [rule("signed", "has_not", [law.pk])]}) == "Bo Cy"
    assert names({"rules": [rule("signatures", "at_least", 2)]}) == "Ann"
    assert names({"rules": [rule("signatures", "at_least", 0)]}) == "Ann Bo Cy"
    assert names({"rules": [rule("signatures", "at_most", 1)]}) == "Bo Cy"
    assert names({"rules": [rule("signed_when", "last_days", 1)]}) == "Ann"


@pytest.fixture
def donors():
    today = TODAY()
    campaign = Campaign.objects.create(name="Spring", source_code="spring")
    regular, once, early = person("Regular"), person("Once"), person("Early")
    person("Never")
    for months in (1, 13, 25):
        make_donation(
            regular, amount=Decimal("50.00"), received_on=today - timedelta(days=30 * months), source_code="spring"
        )
    RecurringDonation.objects.create(supporter=regular, amount=50, currency="SEK", state="active")
    make_donation(once, amount=Decimal("500.00"), received_on=today, designation="Shelter")
    make_donation(once, amount=Decimal("9.00"), currency="EUR", received_on=today)
    make_donation(early, amount=Decimal("200.00"), received_on=date(today.year - 3, 6, 1))
    make_donation(early, amount=Decimal("999.00"), received_on=today, state=Donation.State.FAILED)
    return campaign


@pytest.mark.parametrize(
    ("field", "op", "value", "expected"),
    [
        ("given_total", "at_least", {"amount": "150", "currency": "SEK"}, "Early Once Regular"),
        ("given_total", "at_least", {"amount": "150.01", "currency": "SEK"}, "Early Once"),
        ("given_total", "at_least", {"amount": 9, "currency": "EUR"}, "Once"),
        ("given_total", "less_than", {"amount": "200", "currency": "SEK"}, "Never Regular"),
        ("given_last_year", "at_least", {"amount": "50", "currency": "SEK"}, "Once Regular"),
        ("largest_gift", "at_least", {"amount": "200", "currency": "SEK"}, "Early Once"),
        ("largest_gift", "less_than", {"amount": "200", "currency": "SEK"}, "Regular"),
        ("gifts", "at_least", 2, "Once Regular"),
        ("gifts", "at_most", 1, "Early Never"),
        ("last_gift", "last_days", 31, "Once Regular"),
        ("last_gift", "over_months", 12, "Early"),
        ("first_gift", "over_months", 6, "Early Regular"),
        ("gift_source", "is", "SPRING", "Regular"),
        ("gift_designation", "is", "shelter", "Once"),
        ("ever_gave", "yes", None, "Early Once Regular"),
        ("ever_gave", "no", None, "Never"),
        ("monthly", "yes", None, "Regular"),
        ("monthly", "no", None, "Early Never Once"),
        ("lapsed", "months", 12, "Early"),
    ],
)
def test_what_they_gave(donors, field, op, value, expected):
    assert names({"rules": [rule(field, op, value)]}) == expected


def test_lybunt_and_sybunt(donors):
    year = TODAY().year
    assert names({"rules": [rule("sybunt", "year", year - 2)]}) == "Early"
    assert names({"rules": [rule("lybunt", "year", year - 2)]}) == "Early"
    assert names({"rules": [rule("sybunt", "year", None)]}) == "Early"
    assert names({"rules": [rule("lybunt", "year", None)]}) == ""


def test_gave_to_a_campaign_or_its_appeals(donors):
    segment = make_segment()
    Appeal.objects.create(
        name="A", campaign=donors, segment=segment, source_code="letter", sender_name="R", sender_email="r@r.se"
    )
    make_donation(Supporter.objects.get(first_name="Never"), source_code="letter")
    assert names({"rules": [rule("gave_campaign", "has", [donors.pk])]}) == "Never Regular"
    assert names({"rules": [rule("gave_campaign", "has_not", [donors.pk])]}) == "Early Once"


def test_what_they_received():
    ann, bo = person("Ann"), person("Bo")
    appeal = Appeal.objects.create(
        name="A", segment=make_segment(), source_code="a", sender_name="R", sender_email="r@r.se"
    )
    Delivery.objects.create(appeal=appeal, supporter=ann, state=Delivery.State.SENT, sent_at=timezone.now())
    Delivery.objects.create(appeal=appeal, supporter=bo)
    assert names({"rules": [rule("received", "has", [appeal.pk])]}) == "Ann"
    assert names({"rules": [rule("received", "has_not", [])]}) == "Bo"
    assert names({"rules": [rule("received_when", "last_days", 2)]}) == "Ann"


def test_groups_nest():
    person("Ann", country="SE", language="sv")
    person("Bo", country="SE", language="en")
    person("Cy", country="DE", language="de")
    rules = {
        "match": "all",
        "rules": [
            {"match": "any", "rules": [rule("country", "in", ["DE"]), rule("country", "in", ["SE"])]},
            {"match": "none", "rules": [rule("language", "in", ["sv"]), rule("language", "in", ["de"])]},
        ],
    }
    assert names(rules) == "Bo"
    assert segments.describe(rules) == (
        "People who may be written to and: (Country is Germany or Country is Sweden) and "
        "none of: Language is Swedish or Language is German."
    )


CODES = st.lists(st.sampled_from(["SE", "DE", "FR"]), min_size=1, max_size=2)
LEAF = st.one_of(
    st.builds(lambda codes: rule("country", "in", codes), CODES),
    st.builds(lambda codes: rule("country", "not_in", codes), CODES),
    st.builds(lambda number: rule("gifts", "at_least", number), st.integers(0, 3)),
    st.builds(lambda number: rule("gifts", "at_most", number), st.integers(0, 3)),
    st.sampled_from([rule("ever_gave", "yes"), rule("ever_gave", "no"), rule("country", "unknown")]),
)
TREE = st.recursive(
    LEAF,
    lambda children: st.builds(
        lambda match, rules: {"match": match, "rules": rules},
        st.sampled_from(["all", "any", "none"]),
        st.lists(children, min_size=1, max_size=3),
    ),
    max_leaves=8,
)


def holds(tree: dict, country: str, gifts: int) -> bool:
    """The rules in plain Python."""
    if "field" not in tree:
        results = [holds(member, country, gifts) for member in tree["rules"]]
        return {"all": all(results), "any": any(results), "none": not any(results)}[tree["match"]]
    op, value = tree["op"], tree["value"]
    if tree["field"] == "country":
        return {"in": country in (value or []), "not_in": country not in (value or []), "unknown": not country}[op]
    if tree["field"] == "gifts":
        return gifts >= value if op == "at_least" else gifts <= value
    return (gifts > 0) == (op == "yes")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=TREE)
def test_sql_agrees_with_plain_logic(tree):
    if not Supporter.objects.exists():
        for country in ("SE", "DE", "FR", ""):
            for gifts in range(4):
                who = person(f"{country}{gifts}", country=country)
                for _gift in range(gifts):
                    make_donation(who)
    rules = tree if "field" not in tree else {"rules": [tree]}
    expected = {
        f"{country}{gifts}" for country in ("SE", "DE", "FR", "") for gifts in range(4) if holds(tree, country, gifts)
    }
    assert set(segments.query(rules).values_list("first_name", flat=True)) == expected


@pytest.mark.parametrize(
    "rules",
    [
        [],
        "x",
        {"match": "some"},
        {"rules": "x"},
        {"rules": [1]},
        {"rules": [{"field": "password", "op": "is", "value": "x"}]},
        {"rules": [{"field": ["country"], "op": "in", "value": ["SE"]}]},
        {"rules": [rule("country", "equals", ["SE"])]},
        {"rules": [rule("country", {"a": 1}, ["SE"])]},
        {"rules": [rule("country", "in", "SE")]},
        {"rules": [rule("country", "in", [])]},
        {"rules": [rule("country", "in", [1])]},
        {"rules": [rule("city", "is", "x\x00")]},
        {"rules": [rule("city", "is", "x" * 300)]},
        {"rules": [rule("gifts", "at_least", "1; DROP TABLE supporters_supporter")]},
        {"rules": [rule("gifts", "at_least", True)]},
        {"rules": [rule("gifts", "at_least", 10**30)]},
        {"rules": [rule("given_total", "at_least", {"amount": "NaN", "currency": "SEK"})]},
        {"rules": [rule("given_total", "at_least", {"amount": "1", "currency": "kr"})]},
        {"rules": [rule("last_gift", "between", ["2026-02-01", "2026-01-01"])]},
        {"rules": [rule("last_gift", "before", "31/01/2026")]},
        {"rules": [rule("tag", "has", ["1"])]},
        {"rules": [rule("tag", "has", [2**70])]},
        {"rules": [rule("country", "in", ["SE"])] * 201},
        {"rules": [{"match": "all", "rules": [], "extra": 1}]},
    ],
    ids=str,
)
def test_hostile_rules_get_a_message(rules):
    if rules == []:
        assert segments.validate(rules) == []
        return
    messages = segments.validate(rules)
    assert messages
    assert all(isinstance(message, str) and message for message in messages)
    with pytest.raises(segments.RuleProblem):
        segments.query(rules)


def test_rules_nested_too_deep_get_a_message():
    rules: dict = {"rules": []}
    for _level in range(50):
        rules = {"match": "all", "rules": [rules]}
    assert segments.validate(rules) == ["Groups are nested more than 10 deep."]


def test_text_in_rules_is_never_sql():
    person("Ann", city="'; DROP TABLE supporters_supporter; --")
    assert names({"rules": [rule("city", "is", "'; DROP TABLE supporters_supporter; --")]}) == "Ann"
    assert names({"rules": [rule("city", "starts_with", "%")]}) == ""


def test_refresh_adds_and_removes():
    ann, bo = person("Ann", country="SE"), person("Bo", country="SE")
    segment = make_segment()
    assert segments.refresh(segment) == {"added": 2, "removed": 0, "size": 2}
    assert segments.refresh(segment) == {"added": 0, "removed": 0, "size": 2}
    consent.leave(ann, method=Consent.Method.LINK)
    cy = person("Cy", country="SE")
    assert segments.refresh(segment) == {"added": 1, "removed": 1, "size": 2}
    assert set(SegmentMember.objects.values_list("supporter", flat=True)) == {bo.pk, cy.pk}
    assert (segment.size, segment.error) == (2, "")
    assert segment.refreshed_at is not None


def test_refresh_needs_the_same_statements_for_many_as_for_one(django_assert_num_queries):
    from django.test.utils import CaptureQueriesContext

    segment = make_segment()
    person("Ann", country="SE")
    with CaptureQueriesContext(connection) as one:
        segments.refresh(segment)
    for number in range(3):
        person(f"P{number}", country="SE")
    with CaptureQueriesContext(connection) as three:
        segments.refresh(segment)
    assert len(one) == len(three)
    writes = [query["sql"] for query in three if re.match(r"\s*(INSERT|DELETE)", query["sql"])]
    assert len(writes) == 2


def test_a_rule_on_something_deleted_keeps_the_members_and_says_so():
    petition = make_petition()
    make_signature(petition, person("Ann"), state="validated", validated_at=timezone.now())
    segment = make_segment(rules={"rules": [rule("signed", "has", [petition.pk])]})
    other = make_segment("Everybody", {"rules": [rule("created", "last_days", 5)]})
    segments.refresh(segment)
    Signature.objects.all().delete()
    petition.delete()
    Segment.objects.update(refreshed_at=None)
    assert segments.refresh_due() == {"refreshed": 1, "failed": 1}
    segment.refresh_from_db()
    other.refresh_from_db()
    assert segment.error == "Signed: the petition it names has been deleted."
    assert (segment.members.count(), other.size) == (1, 1)
    with pytest.raises(CommandError):
        call_command("refresh_segments")


def test_segments_can_build_on_each_other_but_not_on_themselves():
    person("Ann", country="SE")
    first = make_segment()
    segments.refresh(first)
    second = make_segment("Second", {"rules": [rule("segment", "has", [first.pk])]})
    assert names(second.rules) == "Ann"
    first.rules = {"rules": [rule("segment", "has_not", [second.pk])]}
    assert segments.validate(first.rules, first) == ["The segment would depend on itself."]


def test_what_was_asked_for_is_refreshed_first_and_once():
    make_segment("Old")
    asked = make_segment("Asked")
    Segment.objects.update(refreshed_at=timezone.now())
    assert segments.refresh_due() == {"refreshed": 0, "failed": 0}
    request(Segment.objects.filter(pk=asked.pk))
    assert segments.refresh_due() == {"refreshed": 1, "failed": 0}
    assert segments.refresh_due() == {"refreshed": 0, "failed": 0}


SAMPLES = {
    **{"none": None, "text": "x", "number": 2, "money": {"amount": "5", "currency": "SEK"}, "days": 3, "months": 3},
    **{"date": "2026-01-01", "dates": ["2026-01-01", "2026-02-01"], "year": None, "countries": ["SE"]},
    **{"languages": ["sv"], "things": [1], "maybe_things": []},
}


@pytest.mark.parametrize("field", FIELDS.values(), ids=lambda field: field.name)
def test_every_field_compiles_and_is_described(field):
    for op in field.ops:
        rules = {"rules": [rule(field.name, op.name, SAMPLES[op.takes])]}
        list(segments.query(rules))
        assert str(field.label) in segments.describe(rules)


@pytest.mark.parametrize("match", ["all", "any", "none"])
@pytest.mark.parametrize("field", FIELDS.values(), ids=lambda field: field.name)
def test_no_rule_is_compared_person_by_person_with_a_whole_set(field, match):
    """An IN that PostgreSQL can't make a join of is quadratic as soon as the set outgrows work_mem."""
    other = {"match": "none", "rules": [rule("ever_gave", "yes"), rule("gifts", "at_least", 2)]}
    for op in field.ops:
        asked = segments.query({"match": match, "rules": [rule(field.name, op.name, SAMPLES[op.takes]), other]})
        assert '"supporters_supporter"."id" IN' not in asked.query.sql_with_params()[0]


def test_a_refresh_counts_who_speaks_what():
    for language in ("sv", "sv", "en", ""):
        make_supporter(consent=True, language=language)
    segment = Segment.objects.create(name="All")
    segments.refresh(segment)
    assert (segment.size, segment.languages) == (4, {"sv": 2, "en": 1, "": 1})
    nobody = {"match": "all", "rules": [{"field": "language", "op": "in", "value": ["fi"]}]}
    Segment.objects.filter(pk=segment.pk).update(rules=nobody)
    segments.refresh(Segment.objects.get(pk=segment.pk))
    segment.refresh_from_db()
    assert (segment.size, segment.languages) == (0, {})
