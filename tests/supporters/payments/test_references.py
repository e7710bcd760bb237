import pytest

from supporters.payments import references


def test_the_check_digit_is_that_of_known_numbers():
    assert references.check_digit("7992739871") == "3"
    assert references.is_whole("79927398713")


def test_the_creditor_reference_is_that_of_the_standard():
    assert references.creditor_reference("539007547034") == "RF18539007547034"


def test_a_new_reference_is_whole_and_a_slip_shows():
    reference = references.new()
    assert len(reference) == 10
    assert references.is_whole(reference)
    for place in range(10):
        slip = reference[:place] + str((int(reference[place]) + 1) % 10) + reference[place + 1 :]
        assert not references.is_whole(slip)


@pytest.mark.parametrize("text", ["{0}", "gift {0} thanks", "OCR: {1}", "ref {2}/", "RF00{0}"])
def test_a_reference_is_found_in_what_a_payer_wrote(text):
    reference = "1234567897"
    spaced, hyphened = "123 456 789 7", "123456-7897"
    assert references.found_in(text.format(reference, spaced, hyphened)) == reference


@pytest.mark.parametrize("text", ["", "thanks!", "1234567890", "46701234567", "12345"])
def test_nothing_is_made_up(text):
    assert references.found_in(text) == ""
