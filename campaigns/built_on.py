"""What of campaigns stands in the way of undoing an import, and what does not: supporters.importing.undoing reads it.

Whatever else points at somebody stands in the way: deliveries, memberships of audiences, returned mail.
"""

DERIVED = ["campaigns.SegmentMember:supporter"]
"""Rows that are worked out anew, and go with the person."""
SENT = ["SELECT FROM campaigns_delivery d WHERE d.supporter_id = {person} AND d.sent_at >= {since}"]
"""That something was sent to somebody since then."""
