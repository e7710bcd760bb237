"""The life of a signature.

    typed ──confirm──▶ validated ──invalidate──▶ invalidated
      │                    ▲                          ▲
      └──lapse──▶ gone     │                          │
    pending ───validate────┘                          │
       └──────────────────invalidate──────────────────┘

What its owner took back is invalidated too, and validated again if they sign again. What staff took out of the count stays out.
A signature that somebody typed on a page is pending and belongs to nobody: what they typed stands on it, and touches no
record, until the link in the letter to that address is opened and its button pressed. Pending ones with a person come
from files and staff. Only validated ones count.
"""

from supporters.signing.asking import Typed, ask
from supporters.signing.confirming import Pending, confirm, pending
from supporters.signing.states import invalidate, validate

__all__ = ["Pending", "Typed", "ask", "confirm", "invalidate", "pending", "validate"]
