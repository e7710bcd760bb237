import pytest
from hypothesis import given
from hypothesis import strategies as st

from supporters.exporting.guarding import guarded, unguarded


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1+1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1",
        "＋1",
        "－1",
        "＠A",
        " =1",
        "\u00a0=1",
        "'=1",
        "+cmd|' /C calc'!A0",
    ],
)
def test_a_cell_that_would_be_calculated_is_text(text):
    assert guarded(text) == f"'{text}"
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize("text", ["-5", "-1 234,50", "-3 %", "12", "Ann", "", "O'Neil", "'t Hooft", "a=b"])
def test_a_number_below_nothing_and_a_plain_text_stay_as_they_are(text):
    assert guarded(text) == text == unguarded(text)


def test_a_telephone_number_keeps_its_plus():
    assert guarded("+46 70 123 45 67") == "'+46 70 123 45 67"
    assert unguarded("'+46 70 123 45 67") == "+46 70 123 45 67"


@given(st.text(alphabet="=+-@'\t\r\n 1a＝ \u00a0,", max_size=6))
def test_whatever_is_guarded_comes_back_as_it_was(text):
    assert unguarded(guarded(text)) == text
