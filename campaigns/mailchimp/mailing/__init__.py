"""Mailchimp as the channel of an appeal: a mailing, which Mailchimp calls a campaign, for each language of its people.

    planned ──make──▶ made ──hand over──▶ asked ──▶ scheduled ──▶ sending ──▶ sent
       │               │ ▲                 │           │             │
       │               │ └───not taken, or taken back──┘             ├──stop──▶ cancelled
       └───────────────┴──nobody is left, or the appeal is cancelled─┘

An appeal is launched an hour early (hours.AHEAD), so that Mailchimp has it at its hour. The ledger of deliveries is written by the
same statement as for our own mail, and settles who gets it: each mailing goes to a tag of its own that exactly those
people have there (`recipients`). Nothing is handed over before all whom the audience is owed are in it, who left has
lost the tag, and Mailchimp's checklist is clean.

What can't be asked twice is written down before it is asked. A mailing whose making got no answer is looked for by the
uuid in its title before it is made again. After a sending that got no answer the status there is read, and only
that moves the mailing on: it is `asked` until Mailchimp says what it is. A worker may die at any line: the next one goes on
from the row.

- `content` says our texts in Mailchimp's merge tags; `recipients` owns the tag; `drafts` makes and finds;
  `sending` takes the arrows; `results` reads what came of it back into the deliveries.
"""
