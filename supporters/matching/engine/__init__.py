"""Finds who is on file twice, in a process of its own: no Django, no PostgreSQL, nothing that a web or mail worker loads.

supporters.matching.search starts it and says what it is given. The steps, one module each:

    standards   names, dates, addresses as they can be compared: case, accents, alphabets, house numbers
    candidates  who is compared with whom: people who share a key that not too many share
    model       splink: how much each agreement weighs, learnt from the file itself, without labels
    households  a second look at pairs who live together, since a family agrees in all but the first name
    clusters    who belongs together, pair by pair and as a group
"""
