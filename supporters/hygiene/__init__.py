"""How what people write is read: names, countries, languages, postcodes, phone numbers, and what is odd about them.

One module for each kind of value. Every door (files, the staff site, the public forms, Mailchimp, commands) reads by these;
email addresses are in supporters.addresses. A value that can't be read is kept as it was written and marked (marks.py);
only countries and languages, which are codes on file, are refused, with Unreadable.
"""


class Unreadable(ValueError):
    """The text can't be taken for what it should be; the message says why, in words for staff."""
