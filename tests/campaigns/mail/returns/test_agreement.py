import os

import pytest

from tests.campaigns.mail.returns.agreement import MESSAGES, score


@pytest.fixture(scope="module")
def counts():
    if not MESSAGES.exists() and os.environ.get("CI") != "true":
        pytest.skip("the real messages are not on this machine")
    return score()


def test_verdicts_agree_with_sisimai_on_real_messages(counts):
    assert counts["all"] >= 300
    assert counts["agreed"] / counts["all"] >= 0.95


def test_hardly_any_soft_bounce_is_called_hard(counts):
    assert counts["soft", "hard"] / counts["soft"] <= 0.02


def test_nearly_every_hard_bounce_is_found(counts):
    assert counts["hard", "hard"] / counts["hard"] >= 0.97


def test_every_complaint_is_found(counts):
    assert counts["complaint", "complaint"] == counts["complaint"] > 0
