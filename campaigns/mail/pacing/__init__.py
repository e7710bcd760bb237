"""Manners: how much may leave now, so that the large receivers go on taking our mail.

A worker asks before it claims, and claims no more than it was given:

    permits = pacing.ask(appeal, 500)      how many in all, and of each receiver
    …                                      claims, within that
    pacing.settle(permits, taken)          what it did not find goes back

All workers share the limits per minute and hour: supporters.limiter.

- `receivers` knows which receiver a domain belongs to, and slows one down that asks us to.
- `warm_up` holds a new sender's domain to its plan.
- `hours` keeps an appeal to the day of the person it goes to.
- `control` is the stop button.
"""

from campaigns.mail.pacing.permits import Permits, ask, settle

__all__ = ["Permits", "ask", "settle"]
