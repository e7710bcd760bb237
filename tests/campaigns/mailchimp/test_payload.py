"""The member that PostgreSQL makes against the one of mapping.py, on people as a form lets them in."""

import json

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.mailchimp import mapping, payload
from campaigns.mailchimp.mapping import There

pytestmark = pytest.mark.django_db

text = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=300),
    st.text("aé€🙂", min_size=50, max_size=260),
    st.sampled_from(
        [
            "",
            '{"',
            '{"addr1": "x"}',
            "2026-05-01",
            "2026-02-30",
            "20260501",
            "0000-01-01",
            "100.00",
            "-1",
            "1e5",
            "211 34",
            "21134",
            "21134-1234",
            "https://mail.se/å",
            "https://mail.se/x\n",
            "javascript:1",
            "red",
            "+1 (212) 555-0123",
            "21134\n",
        ]
    ),
)
address = st.builds(
    lambda *parts: json.dumps(dict(zip(mapping.IN_LINE, parts, strict=True)), ensure_ascii=False), *[text] * 5
)
kinds = st.sampled_from(
    [*mapping.PATTERNS, "text", "number", "date", "birthday", "radio", "dropdown", "phone", "address"]
)
there = st.builds(
    There, kinds, choices=st.sampled_from([(), ("red", "blue's", "")]), us_phone=st.booleans(), whole=st.just(False)
)
languages = st.sampled_from(["", "sv", "pt-br", "pt", "es-mx", "de-at", "zh-tw", "eo"])


@st.composite
def members(draw):
    fields = {f"F{number}": draw(there) for number in range(3)} | {"ADDRESS": There(draw(kinds), whole=True)}
    values = {tag: draw(text) for tag in fields}
    values["ADDRESS"] = draw(st.one_of(st.just(""), address))
    return fields, values | {"i:a1": draw(st.sampled_from(["true", "false"]))}, draw(languages)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(members())
def test_postgresql_and_the_plain_rule_make_the_same_member_of_anybody(made):
    fields, values, language = made
    statement, named = payload.member_sql(fields, {"i:a1": "email"}, {7: 'Swedes "1"', 8: "Å"}, [language])
    row = {"email": "ann@mail.se", "language": language, "raw": json.dumps(values), "tags": "[7, 9, 8]"}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {statement} FROM (SELECT %(email)s AS email, %(language)s AS language, %(raw)s::jsonb AS raw, %(tags)s::jsonb AS tags) o
            """,
            {**row, **named},
        )
        sql = json.loads(cursor.fetchone()[0])
    plain = mapping.member("ann@mail.se", language, values, fields)
    assert sql == {**plain, "status": "subscribed", "tags": ['Swedes "1"', "Å"]}
