"""Who may be on file twice.

    whole file (search)  ─┐
    on the way in (door) ─┼─▶ open ──merge──▶ merged        (supporters.merging)
    staff                 ┘    ▲ └─keep apart─▶ different
                               └────reconsider────┘         (deciding)

Each change is one conditional UPDATE. A search updates or takes back open pairs only: what staff said stays, and two
who were said to be different are in no group again.
"""
