"""How far our verdicts on returned messages agree with sisimai's, beside what their bare status would say."""

import sys

from tests.benchmarks.measuring import line
from tests.campaigns.mail.returns.agreement import MESSAGES, by_status, score


def run() -> None:
    if not MESSAGES.exists():
        print("returns.agreement: the real messages are not on this machine", file=sys.stderr)
        return
    ours, peer = score(), score(by_status)
    line(
        "returns.agreement",
        ours["agreed"] / ours["all"],
        peer["agreed"] / peer["all"],
        "status of RFC 3464",
        "share",
    )
