"""The life of an appeal.

    draft ──schedule──▶ scheduled ──launch──▶ sending ──finish──▶ sent
      ▲                  │  │                  │   ▲               │
      └───unschedule─────┘  │ found too late,  │   │               │ send_again
                            │ or incomplete    │   └───────────────┘
                            ▼                  ▼
                          paused ◀──pause── sending
                            └──resume──▶ sending (or, not launched yet: scheduled for now)

    anything but sent ──cancel──▶ cancelled

Each arrow is one conditional UPDATE whose row count is checked: of two that try, one wins.

- `schedule` holds the arrows that people take, `launching` those that time takes, `texts` what stands in the way.
- `ledger` owns the deliveries: who is claimed by which worker, and what became of each.
- `variants` tests wordings on a share of the readers, while the rest are held.
- `sending` is one worker's share of the work: `outgoing` brings the messages to the mail server, `journal` writes down what
  leaves, `outcomes` says what an answer means, and `recovery` settles what a dead worker held.
- `results` works out what came of it, `report` reads that.
"""

# A worker that sends must not carry what only launching needs: DNS, Mailchimp, languages.


def tick(hand_out: bool = True) -> dict[str, int]:
    """Launch what is due, take back what dead workers held, and give workers what is owed; counts."""
    from campaigns.appeals import launching

    return launching.tick(hand_out)


def work(appeal_pk: int, seconds: float | None = None) -> dict[str, int]:
    """Send what is owed of an appeal, for so long at most; counts by outcome."""
    from campaigns.appeals import sending

    return sending.work(appeal_pk, seconds)
