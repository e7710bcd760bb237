"""How far our verdicts agree with what the library sisimai says of real messages (../shared/data/bounces)."""

import json
from collections import Counter
from pathlib import Path

from campaigns.mail.returns import reports, rules

MESSAGES = Path(__file__).resolve().parents[5] / "shared" / "data" / "bounces"
NEITHER = {"vacation", "delivered", "undefined"}


def expected() -> list[tuple[bytes, list[dict]]]:
    lines = (MESSAGES / "expected.jsonl").read_text().splitlines()
    told = [json.loads(line) for line in lines]
    return [((MESSAGES / one["file"]).read_bytes(), one["expected"]) for one in told]


def ours(raw: bytes) -> list[str]:
    """hard, soft, complaint or neither, for each recipient."""
    return [_class(str(verdict.reason), verdict.hard) for verdict in rules.judge(reports.read(raw))]


def by_status(raw: bytes) -> list[str]:
    """What one reads from the bare status of RFC 3464: 5.x.x is hard, 4.x.x is soft."""
    report = reports.read(raw)
    return [{"5": "hard", "4": "soft"}.get(recipient.status[:1], "neither") for recipient in report.recipients]


def score(judge=ours) -> Counter:
    """Counts of recipients: all, agreed, and of the hard, the soft and the complaints how many were called what."""
    counts: Counter = Counter()
    for raw, told in expected():
        found = judge(raw) or ["neither"]
        for number, one in enumerate(told):
            theirs = _class(one["reason"], one["hardbounce"])
            mine = found[min(number, len(found) - 1)]
            counts["all"] += 1
            counts["agreed"] += theirs == mine
            counts[theirs] += 1
            counts[theirs, mine] += 1
    return counts


def _class(reason: str, hard: bool) -> str:
    if reason == "feedback":
        return "complaint"
    if reason in NEITHER:
        return "neither"
    return "hard" if hard else "soft"
