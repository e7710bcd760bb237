import base64
import json

import pytest
from altcha import Challenge, Payload, Solution, solve_challenge

from supporters import puzzles


@pytest.fixture(autouse=True)
def quick(monkeypatch, broker):
    monkeypatch.setattr(puzzles, "ROUNDS", 1)
    return broker


def solve(puzzle):
    challenge = Challenge.from_dict(json.loads(puzzle))
    return Payload(challenge, solve_challenge(challenge))


def test_a_solution_is_good_once():
    said = solve(puzzles.make("sign:one-law", 0)).to_base64()
    assert puzzles.solved(said, "sign:one-law")
    assert not puzzles.solved(said, "sign:one-law")


def test_a_puzzle_expires(monkeypatch):
    monkeypatch.setattr(puzzles, "LIFE", -1)
    assert not puzzles.solved(solve(puzzles.make("sign:one-law", 0)).to_base64(), "sign:one-law")


def test_what_was_made_easier_or_for_longer_is_no_puzzle_of_ours():
    for name, value in {"key_prefix": "", "cost": 0, "expires_at": 2**40, "data": {"about": "me:"}}.items():
        forged = solve(puzzles.make("sign:one-law", 0))
        setattr(forged.challenge.parameters, name, value)
        assert not puzzles.solved(forged.to_base64(), "sign:one-law")
        assert not puzzles.solved(forged.to_base64(), "me:")


def test_a_guess_is_no_solution():
    challenge = Challenge.from_dict(json.loads(puzzles.make("sign:one-law", 0)))
    assert not puzzles.solved(Payload(challenge, Solution(1, "00" * 32)).to_base64(), "sign:one-law")


def test_another_site_s_puzzle_is_none_of_ours(settings):
    said = solve(puzzles.make("sign:one-law", 0)).to_base64()
    settings.SECRET_KEY = "another site's: 0123456789 0123456789 0123456789"
    assert not puzzles.solved(said, "sign:one-law")


@pytest.mark.parametrize(
    "said", ["", "x", "e30=", "\ud800", "[" * 1500, base64.b64encode(b'{"challenge": 1}').decode(), "A" * 100_000]
)
def test_garbage_is_no_solution(said):
    assert not puzzles.solved(said, "sign:one-law")


def test_nothing_about_the_visitor_stands_in_a_puzzle():
    told = json.loads(puzzles.make("sign:one-law", 0))["parameters"]
    assert told["data"] == {"about": "sign:one-law"}
    assert set(told) == {
        *("algorithm", "cost", "data", "expiresAt", "keyLength", "keyPrefix", "keySignature", "nonce", "salt")
    }


def test_without_redis_a_solution_is_believed(settings):
    said = solve(puzzles.make("sign:one-law", 0)).to_base64()
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    assert puzzles.solved(said, "sign:one-law")
    assert puzzles.solved(said, "sign:one-law")
