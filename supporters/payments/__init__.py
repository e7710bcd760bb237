"""Money on its way to us: what people pledge, what providers tell, and the books that follow.

A pledge is what somebody said they would give. Only a provider's word makes it a donation:

    waiting ──money came────────▶ paid
       ├──payment failed──▶ failed ──money came all the same──▶ paid
       └──never paid──────▶ lapsed ──money came all the same──▶ paid

What a provider tells is stored as it came (`storing`), put into our words (`events`, by the reader of each provider), and
applied by a worker (`applying`, `books`) in any order and any number of times:

    received ──apply──▶ applied            it stands in the books
       │ ▲      ├─────▶ ignored            it changes nothing that we keep
       │ └─wait─┤                          what it is about has not come yet; after three days, review
       │        └─────▶ review ──approve─▶ applied
       │                   └────refuse───▶ refused
       └── a worker died or a provider could not be asked: still received, tried again each minute

An agreement to give each month follows what its provider says, by the provider's clock; older news is no news:

    active ◀──paid──▶ failing      the provider tries again
       │ ▲               │
       ▼ │               ▼
    paused ──────────▶ ended       for good

A dispute: open ──▶ won | lost. A lost one is a refund in the books. It never opens again.
"""
